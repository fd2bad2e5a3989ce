package diagnose

import (
	"strings"
	"unicode/utf8"
)

// class is a set of kinds of characters of which some writer escapes some.
type class uint32

const (
	classSlash class = 1 << iota
	classAngle       // < and >
	classAmpersand
	classApostrophe
	classEquals
	classPlus // + and `
	classDelete
	classNonASCII
	classHexLetter // a non-ASCII character with a letter in its \u escape
	classAstral    // beyond U+FFFF
	classSeparator // U+2028 and U+2029
	classSurrogate // half of a pair without the other
	classControl   // one without a short escape
	classControlHexLetter
	classQuote
	classEscape // the text has a backslash
	classStop   // the parser must look
)

const classHTML = classAngle | classAmpersand

// byteClasses returns the classes of the bytes that stand plainly in a string.
func byteClasses() (classes [256]class) {
	for c := range 256 {
		switch {
		case c < ' ' || c == '"':
			classes[c] = classStop
		case c == '\\':
			classes[c] = classStop | classEscape
		case c >= utf8.RuneSelf:
			classes[c] = classNonASCII
		default:
			classes[c] = classOf(rune(c))
		}
	}
	return classes
}

// classOf returns the classes of a decoded character.
func classOf(r rune) class {
	switch {
	case r == '/':
		return classSlash
	case r == '<' || r == '>':
		return classAngle
	case r == '&':
		return classAmpersand
	case r == '\'':
		return classApostrophe
	case r == '=':
		return classEquals
	case r == '+' || r == '`':
		return classPlus
	case r == 0x7F:
		return classDelete
	case r == '"':
		return classQuote
	case r < ' ' && shortEscape(r) == 0:
		if hasHexLetter(r) {
			return classControlHexLetter
		}
		return classControl
	case r < utf8.RuneSelf:
		return 0
	case isSurrogate(r):
		return classSurrogate
	case r == 0x2028 || r == 0x2029:
		return classNonASCII | classSeparator
	case r > 0xFFFF: // the first half of the pair is d8.. to db..
		return classNonASCII | classHexLetter | classAstral
	case hasHexLetter(r):
		return classNonASCII | classHexLetter
	}
	return classNonASCII
}

func isSurrogate(r rune) bool { return 0xD800 <= r && r <= 0xDFFF }

func hasHexLetter(r rune) bool {
	for ; r > 0; r >>= 4 {
		if r&0xF > 9 {
			return true
		}
	}
	return false
}

// shortEscape returns the letter of the two-character escape of a control
// character, and 0 when it has none.
func shortEscape(r rune) byte {
	switch r {
	case '\b':
		return 'b'
	case '\f':
		return 'f'
	case '\n':
		return 'n'
	case '\r':
		return 'r'
	case '\t':
		return 't'
	}
	return 0
}

// escapeSize returns the length of the escape at the start of text, and 0 when
// there is none that JSON knows.
func escapeSize(text []byte) int {
	if len(text) < 2 || text[0] != '\\' {
		return 0
	}
	if text[1] != 'u' {
		if strings.IndexByte(`"\/bfnrt`, text[1]) < 0 {
			return 0
		}
		return 2
	}
	if len(text) < 6 || hexUnit(text[2:6]) < 0 {
		return 0
	}
	return 6
}

func hexUnit(digits []byte) rune {
	var unit rune
	for _, c := range digits {
		switch {
		case '0' <= c && c <= '9':
			unit = unit<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			unit = unit<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			unit = unit<<4 | rune(c-'A'+10)
		default:
			return -1
		}
	}
	return unit
}

// decodeRune returns the first character of a string's text and how many bytes spell
// it. A surrogate that is not half of a pair comes as it is.
func decodeRune(text []byte) (r rune, size int) {
	if text[0] != '\\' {
		return utf8.DecodeRune(text)
	}
	switch text[1] {
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
	default:
		return rune(text[1]), 2
	}
	unit := hexUnit(text[2:6])
	if unit < 0xD800 || unit > 0xDBFF || len(text) < 12 || text[6] != '\\' || text[7] != 'u' {
		return unit, 6
	}
	low := hexUnit(text[8:12])
	if low < 0xDC00 || low > 0xDFFF {
		return unit, 6
	}
	return 0x10000 + (unit-0xD800)<<10 + (low - 0xDC00), 12
}

// classify returns what stands in a string's text plainly, and what by an escape.
func classify(text []byte) (plain, escaped class) {
	for len(text) > 0 {
		r, size := decodeRune(text)
		if text[0] == '\\' {
			escaped |= classOf(r) | classEscape
		} else {
			plain |= classOf(r)
		}
		text = text[size:]
	}
	return plain, escaped
}

// decodeKey returns the characters that a string's text spells. A lone surrogate
// becomes the three bytes that UTF-8 would have for it, so that no two strings are
// one.
func decodeKey(text []byte) []byte {
	decoded := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, size := decodeRune(text)
		if isSurrogate(r) {
			decoded = append(decoded, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0xBF, 0x80|byte(r)&0xBF)
		} else {
			decoded = utf8.AppendRune(decoded, r)
		}
		text = text[size:]
	}
	return decoded
}
