package capture

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// ParseHeaders reads header lines, "Name: value", as they are copied from a browser,
// from curl -v or from a raw request. Lines end in CRLF or LF. Blank lines, a leading
// request or status line, HTTP/2's pseudo-headers (":method: POST"), curl's markers
// "> " and "< " and its remarks ("* Connected to …") are passed over. M2M's headers
// are spelled as documented. Anything else is a *SyntaxError.
func ParseHeaders(text []byte) (delivery.Headers, error) {
	text = bytes.TrimPrefix(text, []byte(bom))
	headers := delivery.Headers{}
	if rest := trimBlank(text); len(rest) > 0 && rest[0] == '{' {
		return nil, &SyntaxError{Line: 1, Msg: "this is JSON: write each header as a line, Name: value"}
	}
	for number := 1; len(text) > 0; number++ {
		end := len(text)
		if newline := bytes.IndexByte(text, '\n'); newline >= 0 {
			end = newline + 1
		}
		line := trimEnd(text[:end])
		text = text[end:]
		marker := 0
		if len(line) > 0 && (line[0] == '>' || line[0] == '<') && (len(line) == 1 || line[1] == ' ') {
			marker = min(len(line), 2)
		}
		line = line[marker:]
		switch {
		case len(bytes.TrimSpace(line)) == 0, bytes.HasPrefix(line, []byte("* ")):
			continue
		case len(headers) == 0 && (isRequestLine(line) || isStatusLine(line)):
			continue
		case line[0] == ':' && bytes.IndexByte(line[1:], ':') > 0:
			continue
		}
		header, fault := parseHeader(string(line))
		if fault != nil {
			fault.Line = number
			fault.Column += marker
			return nil, fault
		}
		headers = append(headers, header)
	}
	return headers, nil
}

// parseHeader reads one header line without its line end. The fault's line is left
// to the caller.
func parseHeader(line string) (delivery.Header, *SyntaxError) {
	if line != "" && (line[0] == ' ' || line[0] == '\t') {
		return delivery.Header{}, &SyntaxError{
			Column: 1, Msg: "the line begins with white space: a header stands on one line and is not folded",
		}
	}
	name, value, found := strings.Cut(line, ":")
	if !found {
		return delivery.Header{}, &SyntaxError{
			Column: 1, Msg: "no colon: a header is written Name: value",
		}
	}
	if name == "" {
		return delivery.Header{}, &SyntaxError{Column: 1, Msg: "a header without a name"}
	}
	if at := strings.IndexFunc(name, isNotToken); at >= 0 {
		return delivery.Header{}, &SyntaxError{
			Column: at + 1, Msg: fmt.Sprintf("%q cannot stand in a header's name", name[at:at+1]),
		}
	}
	if at := strings.IndexAny(line, "\x00\r\n"); at >= 0 {
		return delivery.Header{}, &SyntaxError{
			Column: at + 1, Msg: fmt.Sprintf("%q cannot stand in a header's value", line[at]),
		}
	}
	value = strings.Trim(value, " \t")
	return delivery.Header{Name: delivery.Canonical(fromCGI(name)), Value: value}, nil
}

// fromCGI returns the name of a header of M2M's that stands there as CGI, PHP and WSGI
// call it, HTTP_X_M2M_SIGNATURE, and any other name as it is.
func fromCGI(name string) string {
	if !strings.HasPrefix(name, "HTTP_X_M2M_") {
		return name
	}
	return strings.ReplaceAll(strings.TrimPrefix(name, "HTTP_"), "_", "-")
}

// isNotToken is the complement of RFC 9110, section 5.6.2.
func isNotToken(r rune) bool {
	alphanumeric := r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
	return !alphanumeric && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}
