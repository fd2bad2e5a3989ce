package capture

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// maxHeaders is the longest header section of a request, in bytes.
const maxHeaders = 1 << 20

// httpSource reads raw HTTP/1 requests, one after the other.
type httpSource struct {
	in *input
}

func (s *httpSource) Next() (delivery.Record, int, error) {
	var text []byte
	var line int
	for len(text) == 0 {
		line = s.in.line
		raw, err := s.in.readLine(maxHeaders, "the request line is longer than 1 MiB")
		if err != nil {
			return delivery.Record{}, line, err
		}
		text = bytes.TrimSpace(raw)
	}
	if isStatusLine(text) {
		return delivery.Record{}, line, &SyntaxError{
			Line: line, Msg: "this is an HTTP response: a delivery is the request that it answers",
		}
	}
	method, target, ok := splitRequestLine(text)
	if !ok {
		return delivery.Record{}, line, &SyntaxError{
			Line: line, Msg: "not a request line, such as POST /path HTTP/1.1",
		}
	}
	headers, err := s.readHeaders()
	if err != nil {
		return delivery.Record{}, line, err
	}
	body, err := s.readBody(headers)
	if err != nil {
		return delivery.Record{}, line, err
	}
	return record(delivery.Request{Method: method, URL: requestURL(target, headers), Headers: headers, Body: body}), line, nil
}

// record makes the record of a foreign capture, which knows the request alone.
func record(request delivery.Request) delivery.Record {
	return delivery.Record{Event: delivery.EventOf(request), Request: request}
}

// requestURL makes the target absolute where the request names its host. A request
// does not tell http from https.
func requestURL(target string, headers delivery.Headers) string {
	host, _ := headers.Get("Host")
	if !isVisible(host) || !strings.HasPrefix(target, "/") {
		return target
	}
	return "http://" + host + target
}

// readHeaders reads header lines up to and with the blank line after them.
func (s *httpSource) readHeaders() (delivery.Headers, error) {
	headers := delivery.Headers{}
	for left := maxHeaders; ; {
		number := s.in.line
		line, err := s.in.readLine(left, "the headers are longer than 1 MiB")
		if errors.Is(err, io.EOF) {
			return nil, s.in.errorf("the request ends in its headers: a blank line and the body are missing")
		}
		if err != nil {
			return nil, err
		}
		left -= len(line)
		text := trimEnd(line)
		if len(text) == 0 {
			return headers, nil
		}
		header, fault := parseHeader(string(text))
		if fault != nil {
			fault.Line = number
			return nil, fault
		}
		headers = append(headers, header)
	}
}

// readBody reads a request's body and nothing of the next request. Content-Length
// counts only where it fits what is there, because captures are edited, decoded and
// given a last newline, and their bytes must be kept as they were found; without
// one, a request has no body if another follows at once (RFC 9112, section 6.3).
// Where it does not fit, all that is left is the body.
func (s *httpSource) readBody(headers delivery.Headers) ([]byte, error) {
	var body []byte
	var whole bool
	var err error
	if isChunked(headers) {
		body, whole, err = s.readChunks()
	} else if length, ok := contentLength(headers); ok {
		if body, err = s.in.readUpTo(length); err == nil {
			whole, err = s.ends()
		}
	}
	if err != nil || whole {
		return body, err
	}
	rest, err := s.in.readUpTo(delivery.MaxLine - len(body) + 1)
	if err != nil {
		return nil, err
	}
	if len(body)+len(rest) > delivery.MaxLine {
		return nil, s.in.errorf("the body is longer than %d MiB", delivery.MaxLine>>20)
	}
	return append(body, rest...), nil
}

// contentLength returns the length that the headers name, 0 where they name none,
// and whether a body of it may be read.
func contentLength(headers delivery.Headers) (int, bool) {
	value, ok := headers.Get("Content-Length")
	if !ok {
		return 0, true
	}
	length, err := strconv.ParseUint(value, 10, 32)
	return int(length), err == nil && length <= delivery.MaxLine
}

// ends says whether a request ends here: at the end of the input, or before another
// request, blank lines between them or not.
func (s *httpSource) ends() (bool, error) {
	ahead, err := peek(s.in.Reader, headSize, func([]byte) bool { return false })
	return err == nil && (len(ahead) == 0 || beginsRequest(ahead)), err
}

func beginsRequest(text []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\n"))
	return isRequestLine(line)
}

func isRequestLine(line []byte) bool {
	_, _, ok := splitRequestLine(line)
	return ok
}

// splitRequestLine takes the line with or without its line end. HTTP/2 and HTTP/3
// have no such line, but browsers and curl -v show their requests with one.
func splitRequestLine(line []byte) (method, target string, ok bool) {
	fields := strings.Split(string(bytes.TrimSuffix(line, []byte("\r"))), " ")
	if len(fields) != 3 || !isVersion(fields[2]) {
		return "", "", false
	}
	method, target = fields[0], fields[1]
	notLetter := func(r rune) bool { return (r < 'A' || r > 'Z') && r != '-' }
	return method, target, method != "" && !strings.ContainsFunc(method, notLetter) && isVisible(target)
}

// isVisible says whether text has something in it, and no space or control character.
func isVisible(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

func isStatusLine(line []byte) bool {
	version, _, found := strings.Cut(string(line), " ")
	return found && isVersion(version)
}

// isVersion looks for HTTP/ and a digit, perhaps with a point and another one.
func isVersion(text string) bool {
	number, ok := strings.CutPrefix(text, "HTTP/")
	digit := func(at int) bool { return number[at] >= '0' && number[at] <= '9' }
	return ok && (len(number) == 1 && digit(0) || len(number) == 3 && digit(0) && number[1] == '.' && digit(2))
}
