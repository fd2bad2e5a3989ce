package capture

import (
	"errors"
	"strings"
)

// shellWord returns the next word of a command for a POSIX shell, if there is one,
// and errEnd with or after the last.
func (s *splitter) shellWord() (*word, error) {
	s.text = s.text[:0]
	var began place
	inWord := false
	for {
		here := s.in.place
		b, err := s.readLineEnd()
		if err == nil && b == '#' && !inWord {
			err = s.skipComment()
			b = '\n'
		}
		if err == nil && (b == '\n' || b == ';' || b == '&') {
			err = errEnd
		}
		if errors.Is(err, errEnd) && inWord {
			return s.gathered(began), errEnd
		}
		if err != nil {
			return nil, err
		}
		if b == ' ' || b == '\t' {
			if inWord {
				return s.gathered(began), nil
			}
			continue
		}
		if b == '\\' {
			if b, err = s.readLineEnd(); err == nil && b == '\n' {
				continue
			}
			if errors.Is(err, errEnd) {
				b = '\\'
			} else if err != nil {
				return nil, err
			}
			s.text = append(s.text, b)
		} else if err := s.shellPiece(b, here); err != nil {
			return nil, err
		}
		if !inWord {
			began, inWord = here, true
		}
	}
}

// skipComment moves over the rest of the line.
func (s *splitter) skipComment() error {
	for {
		if b, err := s.read(); err != nil || b == '\n' {
			return err
		}
	}
}

// shellPiece reads on after a byte that is neither space nor an escape and stands
// outside of quotes.
func (s *splitter) shellPiece(b byte, at place) error {
	switch b {
	case '\'':
		return s.singleQuoted(at)
	case '"':
		return s.doubleQuoted(at)
	case '$':
		switch s.in.next() {
		case '\'':
			return s.ansiQuoted(at)
		case '"':
			if _, err := s.read(); err != nil {
				return err
			}
			return s.doubleQuoted(at)
		}
		return s.dollar(at)
	case '`':
		return at.errorf("a command in ` is run by a shell: write its output, or put it in single quotes")
	case '|', '<', '>', '(', ')':
		return at.errorf("%q outside of quotes is for the shell: leave the curl command alone, or quote it", b)
	}
	s.text = append(s.text, b)
	return nil
}

func (s *splitter) singleQuoted(open place) error {
	for {
		b, err := s.readQuoted(open)
		if err != nil || b == '\'' {
			return err
		}
		s.text = append(s.text, b)
	}
}

func (s *splitter) doubleQuoted(open place) error {
	for {
		here := s.in.place
		b, err := s.readQuoted(open)
		if err != nil || b == '"' {
			return err
		}
		switch b {
		case '\\':
			if b, err = s.readQuoted(open); err != nil {
				return err
			}
			if b == '\r' && s.in.next() == '\n' {
				if b, err = s.readQuoted(open); err != nil {
					return err
				}
			}
			if b == '\n' {
				continue
			}
			if strings.IndexByte("$`\"\\", b) < 0 {
				s.text = append(s.text, '\\')
			}
			s.text = append(s.text, b)
		case '$':
			if err := s.dollar(here); err != nil {
				return err
			}
		case '`':
			return s.shellPiece(b, here)
		default:
			s.text = append(s.text, b)
		}
	}
}

// dollar reads on after a $ that does not quote. One that begins an expansion is an
// error, and any other stands for itself.
func (s *splitter) dollar(at place) error {
	next := s.in.next()
	alphanumeric := next >= '0' && next <= '9' || next >= 'A' && next <= 'Z' || next >= 'a' && next <= 'z'
	if alphanumeric || next != 0 && strings.IndexByte("_{(@*#?$!-", next) >= 0 {
		return at.errorf("what $ begins is filled in by a shell: write its value, or put it in single quotes")
	}
	s.text = append(s.text, '$')
	return nil
}

// readQuoted is read inside quotes, where the input must not end.
func (s *splitter) readQuoted(open place) (byte, error) {
	b, err := s.read()
	if errors.Is(err, errEnd) {
		return 0, open.errorf("the quote that opens here is not closed")
	}
	return b, err
}
