package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// windowSize is how far a reader can look ahead, in bytes.
const windowSize = 64 << 10

// peek returns the beginning of what is still unread: all of it, or most bytes, or
// as soon as it is enough. It waits for no more than that, so that a capture which
// is still being written can be read.
func peek(in *bufio.Reader, most int, enough func(head []byte) bool) ([]byte, error) {
	for wanted := 1; ; {
		_, err := in.Peek(wanted)
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return nil, err
		}
		// Peek does not fail for what is there already.
		head, _ := in.Peek(min(in.Buffered(), most))
		if ended || len(head) == most || enough(head) {
			return head, nil
		}
		wanted = len(head) + 1
	}
}

// place is where a byte stands in a capture. Both count from 1, columns in bytes.
type place struct {
	line, column int
}

func (p place) errorf(format string, args ...any) *SyntaxError {
	return &SyntaxError{Line: p.line, Column: p.column, Msg: fmt.Sprintf(format, args...)}
}

// input is a capture and the place of the byte that comes next.
type input struct {
	*bufio.Reader
	place
}

func newInput(in *bufio.Reader) *input { return &input{Reader: in, place: place{line: 1, column: 1}} }

func (in *input) ReadByte() (byte, error) {
	b, err := in.Reader.ReadByte()
	switch {
	case err != nil:
		return 0, err
	case b == '\n':
		in.line, in.column = in.line+1, 1
	default:
		in.column++
	}
	return b, nil
}

// next returns the byte that ReadByte would return, or 0 where there is none.
func (in *input) next() byte {
	head, err := in.Peek(1)
	if err != nil {
		return 0
	}
	return head[0]
}

// readUpTo returns the next so many bytes, or as many as there are.
func (in *input) readUpTo(most int) ([]byte, error) {
	var buf bytes.Buffer
	_, err := io.CopyN(&buf, in.Reader, int64(most))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	in.pass(buf.Bytes())
	return buf.Bytes(), nil
}

// readLine returns the next line with its line end, if it has one, and io.EOF only
// where there is nothing at all. A line longer than most bytes is a SyntaxError with
// the words for that.
func (in *input) readLine(most int, tooLong string) ([]byte, error) {
	var line []byte
	for {
		chunk, err := in.ReadSlice('\n')
		if line = append(line, chunk...); len(line) > most {
			return nil, &SyntaxError{Line: in.line, Msg: tooLong}
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
		case err != nil:
			return nil, err
		}
		in.pass(line)
		return line, nil
	}
}

// pass moves the place over bytes that were read.
func (in *input) pass(text []byte) {
	if newline := bytes.LastIndexByte(text, '\n'); newline >= 0 {
		in.line += bytes.Count(text, []byte("\n"))
		in.column = 1
		text = text[newline+1:]
	}
	in.column += len(text)
}

// trimEnd takes one line end off, CRLF or LF.
func trimEnd(line []byte) []byte {
	text, ended := bytes.CutSuffix(line, []byte("\n"))
	if ended {
		text = bytes.TrimSuffix(text, []byte("\r"))
	}
	return text
}
