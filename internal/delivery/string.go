package delivery

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// appendString writes text as a JSON string and says whether all of it is UTF-8. What
// is not becomes the replacement character.
func appendString(line, text []byte) (_ []byte, valid bool) {
	// What one round below may write: less than eight bytes as they are and one
	// escape, or else eight bytes as they are; and the closing quote.
	const room = 16
	// A body that is indented has an escape in every seventh place or so.
	line = slices.Grow(line, len(text)+len(text)/6+2*room)
	out, end := line[:cap(line)], len(line)
	out[end] = '"'
	end++
	valid = true
	for at := 0; at < len(text); {
		if len(out)-end < room {
			out = slices.Grow(out[:end], len(text)-at+room)
			out = out[:cap(out)]
		}
		if at+8 <= len(text) {
			word := binary.LittleEndian.Uint64(text[at:])
			binary.LittleEndian.PutUint64(out[end:], word)
			odd := special(word) | word&notASCII | isDEL(word)
			if odd == 0 {
				at, end = at+8, end+8
				continue
			}
			plain := bits.TrailingZeros64(odd) / 8
			at, end = at+plain, end+plain
		}
		switch c := text[at]; {
		case c == '"' || c == '\\':
			out[end], out[end+1] = '\\', c
			at, end = at+1, end+2
		case c == '\n':
			out[end], out[end+1] = '\\', 'n'
			at, end = at+1, end+2
		case c >= ' ' && c < 0x7f:
			out[end] = c
			at, end = at+1, end+1
		default:
			r, size := utf8.DecodeRune(text[at:])
			broken := r == utf8.RuneError && size == 1
			valid = valid && !broken
			// JavaScript once took the two separators for the end of a line.
			if broken || r < ' ' || r == '\u2028' || r == '\u2029' || IsHidden(r) {
				end = len(appendEscape(out[:end], r))
			} else {
				end += copy(out[end:], text[at:at+size])
			}
			at += size
		}
	}
	out[end] = '"'
	return out[:end+1], valid
}

// isDEL marks the first DEL of eight bytes as special marks what it looks for.
func isDEL(word uint64) uint64 {
	const each = 0x0101010101010101
	word ^= 0x7f * each
	return (word - each) &^ word & (0x80 * each)
}

// appendEscape writes a character that none but an escape stands for.
func appendEscape(line []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	switch r {
	case '\r':
		return append(line, `\r`...)
	case '\t':
		return append(line, `\t`...)
	case '\b':
		return append(line, `\b`...)
	case '\f':
		return append(line, `\f`...)
	}
	// None of those to escape lies beyond U+FFFF.
	return append(line, '\\', 'u', hex[r>>12&0xf], hex[r>>8&0xf], hex[r>>4&0xf], hex[r&0xf])
}
