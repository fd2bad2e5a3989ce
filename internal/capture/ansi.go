package capture

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ansiQuoted reads a string in $'…', whose $ has been read. Browsers write one where
// a plain string cannot hold what it must.
func (s *splitter) ansiQuoted(open place) error {
	if _, err := s.read(); err != nil {
		return err
	}
	for {
		here := s.in.place
		b, err := s.readQuoted(open)
		if err != nil || b == '\'' {
			return err
		}
		if b != '\\' {
			s.text = append(s.text, b)
			continue
		}
		if b, err = s.readQuoted(open); err != nil {
			return err
		}
		if err := s.ansiEscape(b, here); err != nil {
			return err
		}
	}
}

// ansiEscape appends what the escape stands for, as bash reads it. The backslash and
// the byte after it have been read.
func (s *splitter) ansiEscape(b byte, at place) error {
	// Each letter is followed by what it stands for.
	const letters = "a\ab\be\x1bE\x1bf\fn\nr\rt\tv\v"
	var code uint64
	var err error
	switch {
	case strings.IndexByte(`\'"?`, b) >= 0:
		s.text = append(s.text, b)
		return nil
	case b >= '0' && b <= '7':
		code, err = s.digits(string(b), 3, 8)
	case b == 'x':
		code, err = s.digits("", 2, 16)
	case b == 'c':
		b, err = s.read()
		code = uint64(b & 0x1f)
	case b == 'u' || b == 'U':
		most := 4
		if b == 'U' {
			most = 8
		}
		if code, err = s.digits("", most, 16); err == nil && code > 0 {
			return s.appendRune(code, at)
		}
	default:
		for i := 0; i < len(letters); i += 2 {
			if letters[i] == b {
				s.text = append(s.text, letters[i+1])
				return nil
			}
		}
		s.text = append(s.text, '\\', b)
		return nil
	}
	if err != nil || byte(code) == 0 {
		return at.errorf("an escape that stands for no byte that a command can hold")
	}
	s.text = append(s.text, byte(code))
	return nil
}

// digits reads as many digits as there are, up to the length that number may have
// with them.
func (s *splitter) digits(number string, most, base int) (uint64, error) {
	for len(number) < most {
		next := string(s.in.next())
		if _, err := strconv.ParseUint(next, base, 8); err != nil {
			break
		}
		if _, err := s.read(); err != nil {
			return 0, err
		}
		number += next
	}
	return strconv.ParseUint(number, base, 64)
}

// appendRune appends a character in UTF-8. Firefox writes one beyond U+FFFF as two
// escapes, the halves of UTF-16.
func (s *splitter) appendRune(code uint64, at place) error {
	if code <= utf8.MaxRune && utf16.IsSurrogate(rune(code)) {
		low := uint64(0)
		ahead, _ := s.in.Peek(6)
		if digits, ok := strings.CutPrefix(string(ahead), `\u`); ok {
			low, _ = strconv.ParseUint(digits, 16, 32)
		}
		code = uint64(utf16.DecodeRune(rune(code), rune(low)))
		if code == utf8.RuneError {
			return at.errorf("half a character: its other half does not follow")
		}
		for range ahead {
			if _, err := s.read(); err != nil {
				return err
			}
		}
	}
	if code > utf8.MaxRune {
		return at.errorf("an escape that stands for no character")
	}
	s.text = utf8.AppendRune(s.text, rune(code))
	return nil
}
