// Package capture reads the forms in which people keep a delivery into the
// delivery record: newline-delimited records, raw HTTP requests, curl commands and
// pasted header lines.
//
// It judges nothing, runs nothing and fetches nothing: a command is taken apart and
// never handed to a shell, and a file that it names is not opened. It never changes
// a body: what cannot be read byte for byte is an error in words.
package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// Format is a form of a capture.
type Format string

const (
	// Auto recognises the form from the content.
	Auto Format = "auto"
	// NDJSON is delivery records, one a line or indented as jq writes them.
	NDJSON Format = "ndjson"
	// HTTP is raw HTTP/1 requests, one after the other.
	HTTP Format = "http"
	// Curl is curl commands as they are typed into a POSIX shell or, with ^, into
	// Windows' cmd.
	Curl Format = "curl"
)

// ErrPayload is returned for a bare payload, a JSON object with "event" and "data"
// and no "request". Nothing in it says whether it is genuine. Who can use one all
// the same reads the input first and opens a bytes.Reader on it.
var ErrPayload = errors.New("a payload without its headers")

// SyntaxError is a place at which a capture cannot be read.
type SyntaxError struct {
	// Line counts from 1.
	Line int
	// Column counts bytes from 1; 0 means the whole line.
	Column int
	Msg    string
}

func (e *SyntaxError) Error() string {
	if e.Column == 0 {
		return fmt.Sprintf("line %d: %s", e.Line, e.Msg)
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// Reader reads the deliveries of one capture. It is not safe for concurrent use.
type Reader struct {
	format Format
	in     *bufio.Reader
	// source is nil once nothing more can be read.
	source source
}

// source is what a form's reader does, by the rules of Reader.Next.
type source interface {
	Next() (record delivery.Record, line int, err error)
}

// Open begins to read a capture. It looks at no more than the first bytes, and
// refuses at once, whatever the format, what is empty and, with Auto, what has none
// of the forms. The error is ErrPayload for a bare payload. A leading UTF-8 byte
// order mark is passed over.
func Open(r io.Reader, format Format) (*Reader, error) {
	// An underlying bufio.Reader that is large enough is used as it is.
	in := bufio.NewReaderSize(r, windowSize)
	head, err := peek(in, headSize, tellsForm)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(head, []byte(bom)) {
		if _, err := in.Discard(len(bom)); err != nil {
			return nil, err
		}
		head = head[len(bom):]
	}
	switch {
	case format == Auto:
		if format, err = Detect(head); err != nil {
			return nil, err
		}
	case len(trimBlank(head)) == 0:
		return nil, errNothing(head)
	}
	reader := &Reader{format: format, in: in}
	switch format {
	case NDJSON:
		reader.source, err = openJSON(in)
	case HTTP:
		reader.source = &httpSource{in: newInput(in)}
	case Curl:
		reader.source = &curlSource{words: splitter{in: newInput(in)}}
	default:
		err = fmt.Errorf("unknown format %q: it is %s, %s, %s or %s", format, Auto, NDJSON, HTTP, Curl)
	}
	if err != nil {
		return nil, err
	}
	return reader, nil
}

// Format returns the form of the capture, which is never Auto.
func (r *Reader) Format() Format { return r.format }

// Lines returns the rest of a capture that holds one delivery record a line, for who
// reads many of them; nil for any other capture. It takes the place of Next.
func (r *Reader) Lines() *delivery.Blocks {
	if _, ok := r.source.(*delivery.Reader); !ok {
		return nil
	}
	r.source = nil
	return delivery.NewBlocks(r.in)
}

// Next returns the next delivery and the line it starts on. The end is io.EOF.
//
// A *delivery.LineError is one record of an NDJSON capture that cannot be used,
// after which reading can go on. After any other error, a *SyntaxError in an HTTP
// or curl capture or the underlying reader's own, there is nothing more to read and
// the next call returns io.EOF.
func (r *Reader) Next() (delivery.Record, int, error) {
	if r.source == nil {
		return delivery.Record{}, 0, io.EOF
	}
	record, line, err := r.source.Next()
	var skipped *delivery.LineError
	if err != nil && !errors.As(err, &skipped) {
		r.source = nil
	}
	return record, line, err
}
