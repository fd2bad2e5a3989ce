package capture

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// FormatHTTP returns the raw HTTP/1.1 request, without a byte more than it has on
// the wire.
func FormatHTTP(request delivery.Request) ([]byte, error) {
	u, err := url.Parse(request.URL)
	if err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	headers := request.Headers
	host, ok := headers.Get("Host")
	if !ok {
		host = u.Host
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", request.Method, u.RequestURI(), host)
	for _, h := range headers {
		if !strings.EqualFold(h.Name, "Host") {
			fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
		}
	}
	if _, ok := headers.Get("Content-Length"); !ok {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(request.Body))
	}
	b.WriteString("\r\n")
	b.Write(request.Body)
	return b.Bytes(), nil
}

// FormatCurl returns one curl command that sends the request, everything in single
// quotes but the header named by expanded, which stands in double quotes so that
// the shell fills in a variable. Flags that begin with -- are put in as they are. A
// body with a NUL byte, or that is no UTF-8, cannot stand on a command line and is
// an error.
func FormatCurl(request delivery.Request, flags []string, expanded string) (string, error) {
	if bytes.IndexByte(request.Body, 0) >= 0 || !utf8.Valid(request.Body) {
		return "", errors.New("the body has bytes that no command line can hold")
	}
	parts := []string{"curl -X " + quoteShell(request.Method) + " " + quoteShell(request.URL)}
	var words []string
	if strings.ContainsAny(request.URL, "[]{}") {
		words = append(words, "--globoff")
	}
	for _, flag := range flags {
		if !strings.HasPrefix(flag, "--") {
			flag = quoteShell(flag)
		}
		words = append(words, flag)
	}
	if len(words) > 0 {
		parts = append(parts, strings.Join(words, " "))
	}
	for _, h := range request.Headers {
		text := h.Name + ": " + h.Value
		if h.Value == "" {
			text = h.Name + ";" // what curl takes for a header without a value
		}
		if strings.EqualFold(h.Name, expanded) {
			parts = append(parts, `-H "`+text+`"`)
			continue
		}
		parts = append(parts, "-H "+quoteShell(text))
	}
	if _, ok := request.Headers.Get("Content-Type"); !ok {
		parts = append(parts, "-H 'Content-Type:'") // or curl calls the body a form
	}
	parts = append(parts, "--data-raw "+quoteShell(string(request.Body)))
	return strings.Join(parts, " \\\n  ") + "\n", nil
}

// quoteShell puts text in single quotes for a POSIX shell.
func quoteShell(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
