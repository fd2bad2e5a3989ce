package capture

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// openJSON chooses how to read JSON by its first value: line by line, or, where that
// value goes over several lines, value by value.
func openJSON(in *bufio.Reader) (source, error) {
	seen := 0
	window, err := peek(in, windowSize, func(window []byte) bool {
		fresh := window[seen:]
		seen = len(window)
		// Looking only where a line ended keeps a slow writer from making this
		// quadratic.
		return bytes.IndexByte(fresh, '\n') >= 0 && look(window).settled
	})
	if err != nil {
		return nil, err
	}
	first := look(window)
	switch {
	case first.isPayload():
		return nil, ErrPayload
	case first.overLines:
		return &valueSource{in: newInput(in)}, nil
	}
	return delivery.NewReader(in), nil
}

// glance is what the beginning of a JSON text shows of its first value.
type glance struct {
	// settled says that more of the text would show nothing more: the value is
	// whole, or it is no JSON.
	settled bool
	// overLines says that the value is JSON as far as it goes and has a newline
	// inside.
	overLines bool
	// event, data and request are the top-level members that were seen.
	event, data, request bool
}

func (g glance) isPayload() bool { return g.event && g.data && !g.request }

func look(window []byte) (g glance) {
	text := trimBlank(window)
	decoder := json.NewDecoder(bytes.NewReader(text))
	depth, wantsName := 0, false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			g.overLines = bytes.IndexByte(bytes.TrimRight(text, " \t\r\n"), '\n') >= 0
			return g
		}
		if err != nil {
			g.settled = true
			return g
		}
		switch delim, _ := token.(json.Delim); {
		case delim == '{' || delim == '[':
			depth++
		case delim == '}' || delim == ']':
			depth--
		case depth == 1 && wantsName:
			g.event = g.event || token == "event"
			g.data = g.data || token == "data"
			g.request = g.request || token == "request"
			wantsName = false
			continue
		}
		if depth == 0 {
			g.settled = true
			g.overLines = bytes.IndexByte(text[:decoder.InputOffset()], '\n') >= 0
			return g
		}
		wantsName = depth == 1
	}
}

// valueSource reads delivery records that go over several lines, one JSON value
// after the other.
type valueSource struct {
	in  *input
	buf []byte
}

func (s *valueSource) Next() (delivery.Record, int, error) {
	for {
		line, err := s.readValue()
		if err != nil {
			return delivery.Record{}, line, err
		}
		record, err := delivery.Parse(s.buf)
		if errors.Is(err, delivery.ErrOtherType) {
			continue
		}
		if err != nil {
			return delivery.Record{}, line, s.lineError(line, err)
		}
		return record, line, nil
	}
}

// readValue reads the next value into buf, up to the brace that closes its first
// one, and returns the line it starts on. A value longer than delivery.MaxLine is
// passed over without being held.
func (s *valueSource) readValue() (line int, err error) {
	s.buf = s.buf[:0]
	b := byte(' ')
	for isBlank(b) {
		if b, err = s.in.ReadByte(); err != nil {
			return s.in.line, err
		}
	}
	line = s.in.line
	if b != '{' {
		return line, s.skipLine(line, b)
	}
	tooLong, inString, escaped := false, false, false
	for depth := 0; ; {
		if tooLong = tooLong || len(s.buf) == delivery.MaxLine; !tooLong {
			s.buf = append(s.buf, b)
		}
		switch {
		case escaped:
			escaped = false
		case inString:
			inString, escaped = b != '"', b == '\\'
		case b == '"':
			inString = true
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']':
			depth--
		}
		if depth == 0 {
			break
		}
		b, err = s.in.ReadByte()
		if errors.Is(err, io.EOF) {
			return line, &delivery.LineError{Line: line, Torn: true, Err: io.ErrUnexpectedEOF}
		}
		if err != nil {
			return line, err
		}
	}
	if tooLong {
		return line, &delivery.LineError{Line: line, Err: fmt.Errorf("longer than %d MiB", delivery.MaxLine>>20)}
	}
	return line, nil
}

// skipLine passes over a line that begins with no record but with b.
func (s *valueSource) skipLine(line int, b byte) error {
	for s.in.line == line {
		if _, err := s.in.ReadByte(); err != nil && !errors.Is(err, io.EOF) {
			return err
		} else if err != nil {
			break
		}
	}
	return &delivery.LineError{Line: line, Err: fmt.Errorf("not a delivery record: it begins with %q", b)}
}

// lineError names the line of a fault in the JSON itself, which may be far from the
// line that the value starts on.
func (s *valueSource) lineError(line int, err error) *delivery.LineError {
	var raw json.RawMessage
	var syntax *json.SyntaxError
	if !errors.As(json.Unmarshal(s.buf, &raw), &syntax) {
		return &delivery.LineError{Line: line, Err: err}
	}
	before := s.buf[:max(syntax.Offset-1, 0)]
	return &delivery.LineError{
		Line: line + bytes.Count(before, []byte("\n")),
		Err:  fmt.Errorf("not JSON: column %d: %v", len(before)-bytes.LastIndexByte(before, '\n'), syntax),
	}
}

func isBlank(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }
