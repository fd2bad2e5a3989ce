package capture

import (
	"bytes"
	"errors"
	"io"
)

// The longest command that is read. Linux hands a program arguments of 128 KiB at
// most.
const (
	maxCommand = 4 << 20 // bytes
	maxWords   = 1 << 12
)

// word is one argument of a command, with quotes and escapes undone, and the place
// where it begins.
type word struct {
	place
	text string
}

// splitter takes commands apart into words, as a shell would. What only a running
// shell knows, such as the value of a variable, is an error.
type splitter struct {
	in *input
	// start is where the command begins, and left how many more bytes it may have.
	start place
	left  int
	// text is the word that is being read.
	text []byte
}

// errEnd says that the command has ended.
var errEnd = errors.New("end of the command")

// command returns the words of the next command, at least one, and io.EOF after the
// last.
func (s *splitter) command() ([]word, error) {
	for {
		if err := s.skipBlank(); err != nil {
			return nil, err
		}
		windows, err := s.isForWindows()
		if err != nil {
			return nil, err
		}
		next := s.shellWord
		if windows {
			next = (&windowsWords{splitter: s}).word
		}
		s.start, s.left = s.in.place, maxCommand
		var words []word
		for err == nil {
			var w *word
			if w, err = next(); w != nil {
				words = append(words, *w)
			}
			if len(words) > maxWords {
				return nil, s.start.errorf("the command has more than %d words", maxWords)
			}
		}
		if !errors.Is(err, errEnd) {
			return nil, err
		}
		if len(words) > 0 {
			return words, nil
		}
	}
}

// skipBlank moves over blank lines and comments.
func (s *splitter) skipBlank() error {
	inComment := false
	for {
		ahead, err := s.in.Peek(1)
		if err != nil {
			return err
		}
		switch b := ahead[0]; {
		case b == '\n':
			inComment = false
		case b == '#':
			inComment = true
		case !inComment && !isBlank(b):
			return nil
		}
		if _, err := s.in.ReadByte(); err != nil {
			return err
		}
	}
}

// isForWindows says whether the next command is written for cmd, as browsers write
// one there: on its first line, a ^ stands before the first quote or, outside of
// quotes, at the end. Neither means anything in a POSIX shell.
func (s *splitter) isForWindows() (bool, error) {
	ahead, err := peek(s.in.Reader, windowSize, func(head []byte) bool { return bytes.IndexByte(head, '\n') >= 0 })
	if err != nil {
		return false, err
	}
	line, _, continued := bytes.Cut(ahead, []byte("\n"))
	if continued && bytes.HasSuffix(bytes.TrimSuffix(line, []byte("\r")), []byte(" ^")) && !endsQuoted(line) {
		return true, nil
	}
	at := bytes.IndexAny(line, `'"`)
	return at > 0 && line[at] == '"' && line[at-1] == '^', nil
}

// endsQuoted says whether a quote is open at the end of a line, as a POSIX shell sees it.
func endsQuoted(line []byte) bool {
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		switch b := line[i]; {
		case b == '\\' && quote != '\'':
			i++
		case b == quote:
			quote = 0
		case quote == 0 && (b == '\'' || b == '"'):
			quote = b
		}
	}
	return quote != 0
}

// read returns the next byte of the command. The end of the input is errEnd.
func (s *splitter) read() (byte, error) {
	at := s.in.place
	b, err := s.in.ReadByte()
	if errors.Is(err, io.EOF) {
		return 0, errEnd
	}
	if err != nil {
		return 0, err
	}
	if s.left--; s.left < 0 {
		return 0, s.start.errorf("the command is longer than %d MiB", maxCommand>>20)
	}
	if b == 0 {
		return 0, at.errorf("a NUL byte, which no command can hold")
	}
	return b, nil
}

// readLineEnd is read for places where a line end means something to the shell: it
// returns CRLF as "\n".
func (s *splitter) readLineEnd() (byte, error) {
	b, err := s.read()
	if err == nil && b == '\r' && s.in.next() == '\n' {
		return s.read()
	}
	return b, err
}

// gathered returns the word in text, which began at the place.
func (s *splitter) gathered(began place) *word { return &word{place: began, text: string(s.text)} }
