package delivery

import (
	"encoding/binary"
	"math/bits"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// passer goes over the text of a record, once. Whatever is not in the expected form
// makes it fail, after which there is no text any more and nothing passes.
type passer struct {
	text   []byte
	at     int
	failed bool
}

func (p *passer) fail() { *p = passer{failed: true} }

// has passes the literal and says whether it was there.
func (p *passer) has(literal string) bool {
	rest := p.text[p.at:]
	if len(rest) < len(literal) || string(rest[:len(literal)]) != literal {
		return false
	}
	p.at += len(literal)
	return true
}

// must passes the literal or fails.
func (p *passer) must(literal string) {
	if !p.has(literal) {
		p.fail()
	}
}

// str passes a string whose opening quote is behind, and its closing quote.
func (p *passer) str() {
	if raw, high := p.quoted(ownEscapes); high && !utf8.Valid(raw) {
		p.fail()
	}
}

// plain does the same for a string of ASCII without escapes, and returns it.
func (p *passer) plain() []byte {
	raw, high := p.quoted(noEscapes)
	if high {
		p.fail()
	}
	return raw
}

// special marks, by its highest bit, the first of eight bytes that ends a run of
// plain text: a quote, a backslash or a control character. What it says of the bytes
// above that one is wrong now and then, because subtracting borrows.
func special(word uint64) uint64 {
	const each = 0x0101010101010101
	quote, backslash := word^'"'*each, word^'\\'*each
	return ((quote-each)&^quote | (backslash-each)&^backslash | (word-' '*each)&^word) & (0x80 * each)
}

const notASCII = 0x8080808080808080

// escapes are those that a string may hold.
type escapes int

const (
	noEscapes  escapes = iota
	ownEscapes         // all but surrogates, which this tool does not write
	anyEscapes
)

// quoted passes a string and returns what stands between its quotes; high says that
// not everything is ASCII.
func (p *passer) quoted(allowed escapes) (raw []byte, high bool) {
	text, at := p.text, p.at
	var seen uint64
	for at < len(text) {
		if at+8 <= len(text) {
			word := binary.LittleEndian.Uint64(text[at:])
			seen |= word // and perhaps of what follows the string: then it is looked at for nothing
			end := special(word)
			if end == 0 {
				at += 8
				continue
			}
			at += bits.TrailingZeros64(end) / 8
		}
		switch c := text[at]; {
		case c == '"':
			raw, p.at = text[p.at:at], at+1
			return raw, seen&notASCII != 0
		case c == '\\' && allowed != noEscapes:
			r, length := unescape(text[at:])
			if length == 0 || allowed == ownEscapes && utf16.IsSurrogate(r) {
				p.fail()
				return nil, false
			}
			at += length
		case c < ' ' || c == '\\':
			p.fail()
			return nil, false
		default:
			seen |= uint64(c)
			at++
		}
	}
	p.fail()
	return nil, false
}

// unescaped passes a string whose opening quote is behind, and returns what it
// stands for. That lies in buf or in the larger one that it returns.
func (p *passer) unescaped(buf []byte) (value, larger []byte) {
	text, at := p.text, p.at
	// What a string stands for is never longer than the string; words are written
	// whole.
	buf = grown(buf, len(text)-at+8)
	out := 0
	var seen uint64
	for at < len(text) {
		if at+8 <= len(text) {
			word := binary.LittleEndian.Uint64(text[at:])
			binary.LittleEndian.PutUint64(buf[out:], word)
			seen |= word
			end := special(word)
			if end == 0 {
				at, out = at+8, out+8
				continue
			}
			plain := bits.TrailingZeros64(end) / 8
			at, out = at+plain, out+plain
		}
		switch c := text[at]; {
		case c == '"':
			raw := text[p.at:at]
			p.at = at + 1
			if seen&notASCII != 0 && !utf8.Valid(raw) {
				p.fail()
			}
			return buf[:out], buf
		case c == '\\' && at+1 < len(text) && text[at+1] == '"': // as nearly all are
			buf[out] = '"'
			at, out = at+2, out+1
		case c == '\\' && at+1 < len(text) && text[at+1] == 'n': // and most of the rest
			buf[out] = '\n'
			at, out = at+2, out+1
		case c == '\\':
			r, length := unescape(text[at:])
			// Surrogates come in pairs or are replaced.
			if length == 0 || utf16.IsSurrogate(r) {
				p.fail()
				return nil, buf
			}
			out += utf8.EncodeRune(buf[out:], r)
			at += length
		case c < ' ':
			p.fail()
			return nil, buf
		default:
			seen |= uint64(c)
			buf[out] = c
			at, out = at+1, out+1
		}
	}
	p.fail()
	return nil, buf
}

// unescape returns the character, or the surrogate, that an escape stands for, and the
// escape's length, which is 0 where it is none.
func unescape(text []byte) (r rune, length int) {
	if len(text) < 2 {
		return 0, 0
	}
	switch text[1] {
	case '"', '\\', '/':
		return rune(text[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return unescapeHex(text)
	}
	return 0, 0
}

func unescapeHex(text []byte) (r rune, length int) {
	if len(text) < 6 {
		return 0, 0
	}
	for _, digit := range text[2:6] {
		switch {
		case '0' <= digit && digit <= '9':
			r = r<<4 | rune(digit-'0')
		case 'a' <= digit|0x20 && digit|0x20 <= 'f':
			r = r<<4 | rune(digit|0x20-'a'+10)
		default:
			return 0, 0
		}
	}
	return r, 6
}

// time passes a time and its closing quote.
func (p *passer) time() {
	raw := p.plain()
	if len(raw) > len(time.RFC3339Nano) {
		p.fail()
		return
	}
	if isUsualTime(raw) {
		return
	}
	if _, err := time.Parse(time.RFC3339Nano, string(raw)); err != nil {
		p.fail()
	}
}

// isUsualTime says whether text is a time in one of the two forms that records have,
// on a day that every month has. It is there to be faster than time.Parse.
func isUsualTime(text []byte) bool {
	// The greatest digits, as far as they can be told one by one.
	const greatest = "9999-19-29T29:59:59.999Z"
	last := len(text) - 1
	if last != len("2006-01-02T15:04:05") && last != len("2006-01-02T15:04:05.000") || text[last] != 'Z' {
		return false
	}
	for i := range last {
		isDigit := greatest[i] >= '0' && greatest[i] <= '9'
		if text[i] > greatest[i] || isDigit && text[i] < '0' || !isDigit && text[i] != greatest[i] {
			return false
		}
	}
	month, day, hour := text[5:7], text[8:10], text[11:13]
	return string(month) >= "01" && string(month) <= "12" &&
		string(day) >= "01" && string(day) <= "28" && string(hour) <= "23"
}

// integer passes a number that an int of any size holds.
func (p *passer) integer() {
	if digits := p.digits(); digits == 0 || digits > 9 {
		p.fail()
	}
}

// number passes a number in JSON's form, without an exponent and far from what a
// float64 does not hold.
func (p *passer) number() {
	p.has(`-`)
	whole := p.digits()
	if p.has(`.`) && p.fraction() == 0 || whole == 0 || whole > 30 {
		p.fail()
	}
}

// digits passes digits without a zero before them, and returns how many.
func (p *passer) digits() int {
	if p.has(`0`) {
		return 1
	}
	return p.fraction()
}

func (p *passer) fraction() int {
	start := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at - start
}
