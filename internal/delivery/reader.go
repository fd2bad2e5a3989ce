package delivery

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxLine is the longest line that a Reader takes, in bytes. A longer one is
// reported and skipped without ever being held in memory.
const MaxLine = 32 << 20

// LineError is a line that is not a delivery record.
type LineError struct {
	// Line counts from 1.
	Line int
	// Torn says that the line is the last one and has no end: the writer was
	// killed before it had written it whole.
	Torn bool
	Err  error
}

func (e *LineError) Error() string {
	if e.Torn {
		return fmt.Sprintf("line %d: cut off", e.Line)
	}
	return fmt.Sprintf("line %d: %v", e.Line, e.Err)
}

func (e *LineError) Unwrap() error { return e.Err }

// Reader reads delivery records from newline-delimited JSON, one at a time and in
// constant memory. It is not safe for concurrent use.
type Reader struct {
	in   *bufio.Reader
	line int
	buf  []byte
}

// NewReader returns a Reader on in. An underlying bufio.Reader is used as it is.
func NewReader(in io.Reader) *Reader {
	buffered, ok := in.(*bufio.Reader)
	if !ok {
		buffered = bufio.NewReaderSize(in, 64<<10)
	}
	return &Reader{in: buffered}
}

// Next returns the next record and the line it stands on. Blank lines and records
// of other types are passed over. A line that cannot be used is a *LineError, after
// which reading can go on; the end is io.EOF, and any other error is the reader's.
func (r *Reader) Next() (Record, int, error) {
	for {
		text, ended, err := r.readLine()
		if err != nil {
			return Record{}, r.line, err
		}
		if r.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		record, err := Parse(text)
		if errors.Is(err, ErrOtherType) {
			continue
		}
		if err != nil {
			return Record{}, r.line, &LineError{Line: r.line, Torn: !ended, Err: err}
		}
		return record, r.line, nil
	}
}

// readLine returns the next line without its newline, valid until the next call,
// and whether a newline ended it.
func (r *Reader) readLine() (text []byte, ended bool, err error) {
	r.buf = r.buf[:0]
	r.line++
	tooLong := false
	for {
		chunk, err := r.in.ReadSlice('\n')
		if tooLong = tooLong || len(r.buf)+len(chunk) > MaxLine; !tooLong {
			r.buf = append(r.buf, chunk...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, false, err
		case tooLong:
			return nil, false, &LineError{Line: r.line, Err: fmt.Errorf("longer than %d MiB", MaxLine>>20)}
		case err != nil && len(r.buf) == 0:
			return nil, false, io.EOF
		}
		text, ended = bytes.CutSuffix(r.buf, []byte("\n"))
		return text, ended, nil
	}
}
