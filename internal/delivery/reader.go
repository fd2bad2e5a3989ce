package delivery

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

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
	blocks *Blocks
	block  *Block
}

// NewReader returns a Reader on in, of which it reads more than the records it
// returns.
func NewReader(in io.Reader) *Reader {
	return &Reader{blocks: NewBlocks(in), block: &Block{}}
}

// Next returns the next record and the line it stands on. Blank lines and records
// of other types are passed over. A line that cannot be used is a *LineError, after
// which reading can go on; the end is io.EOF, and any other error is the reader's.
func (r *Reader) Next() (Record, int, error) {
	for {
		text, line, err := r.nextLine()
		if err != nil {
			return Record{}, line, err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		record, err := Parse(text)
		if errors.Is(err, ErrOtherType) {
			continue
		}
		if err != nil {
			return Record{}, line, &LineError{Line: line, Torn: r.block.Torn, Err: err}
		}
		return record, line, nil
	}
}

// nextLine returns the next line, valid until the next call.
func (r *Reader) nextLine() (text []byte, line int, err error) {
	for {
		if text, line, ok := r.block.NextLine(); ok {
			return text, line, nil
		}
		block, err := r.blocks.Next()
		var tooLong *LineError
		switch {
		case errors.As(err, &tooLong):
			return nil, tooLong.Line, err
		case err != nil:
			return nil, r.block.Line, err
		}
		r.blocks.Recycle(r.block)
		r.block = block
	}
}
