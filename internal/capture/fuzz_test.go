package capture_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/delivery"
)

// FuzzOpen reads any bytes in every format. What a raw request was read into must
// come back when it is printed as one again, and any record from its own line.
func FuzzOpen(f *testing.F) {
	for _, seed := range []string{
		"", "\xef\xbb\xbf", "{", "{}\n", `{"type":"ready"}`, `{"event":"x","data":{}}`,
		`{"request":{"headers":[{"name":"a","value":"b"}],"body":"c"}}` + "\n{",
		"{\n\"request\": {\n\"headers\": [], \"bodyBase64\": \"/w==\"}\n}\n{\n}\nx",
		"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody\nPOST /b HTTP/1.1\nX-M2M-Event: a\n\n\x00\xff\n",
		"POST /a HTTP/1.1\nTransfer-Encoding: chunked\n\n4\nbody\n0\nA: b\n\nGET http://x/ HTTP/2\n\n",
		"POST /a HTTP/1.1\nTransfer-Encoding: chunked\nContent-Length: 2\n\n{\"event\":\"a\"}\n",
		"POST /a HTTP/1.1\nHost: x\x7f y\n\nbody",
		"POST /a HTTP/1.1\nTransfer-Encoding: \xb3chunked\n\n0\n\n0",
		"HTTP/1.1 200 OK\n\n", "> POST / HTTP/1.1\n> A: b\n", ":method: POST\n",
	} {
		f.Add([]byte(seed))
	}
	for _, command := range curlCommands() {
		f.Add([]byte(command.text))
	}
	f.Add([]byte("curl.exe ^\"x^&^\" ^\r\n -H \"a: \"\"b\"\"\" -d ^\"^{^\\^\"a\\\\^\"^}^\n\nb\" &\r\ncurl y"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if headers, err := capture.ParseHeaders(text); err == nil {
			again, err := capture.ParseHeaders(printHeaders(headers))
			if diff := cmp.Diff(headers, again); err != nil || diff != "" {
				t.Errorf("headers do not come back: %v\n%s", err, diff)
			}
		}
		for _, format := range []capture.Format{capture.Auto, capture.NDJSON, capture.HTTP, capture.Curl} {
			reader, err := capture.Open(bytes.NewReader(text), format)
			if err != nil {
				continue
			}
			for calls := 0; ; calls++ {
				if calls > len(text)+1 {
					t.Fatalf("%s: no end", format)
				}
				record, line, err := reader.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if most := bytes.Count(text, []byte("\n")) + 1; line < 0 || line > most {
					t.Errorf("%s: line %d of %d", format, line, most)
				}
				if err != nil {
					continue
				}
				if reader.Format() == capture.HTTP {
					checkPrinted(t, record)
				}
			}
		}
	})
}

func printHeaders(headers delivery.Headers) []byte {
	var b bytes.Buffer
	for _, header := range headers {
		fmt.Fprintf(&b, "%s: %s\r\n", header.Name, header.Value)
	}
	return b.Bytes()
}

// printRequest prints a record's request as raw HTTP, with an absolute target.
func printRequest(request delivery.Request) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n%s\r\n", request.Method, request.URL, printHeaders(request.Headers))
	coding, _ := request.Headers.Get("Transfer-Encoding")
	codings := strings.Split(coding, ",")
	if last := strings.Trim(codings[len(codings)-1], " \t"); strings.EqualFold(last, "chunked") {
		if len(request.Body) > 0 {
			fmt.Fprintf(&b, "%x\r\n%s\r\n", len(request.Body), request.Body)
		}
		b.WriteString("0\r\n\r\n")
		return b.Bytes()
	}
	b.Write(request.Body)
	return b.Bytes()
}

func checkPrinted(t *testing.T, record delivery.Record) {
	t.Helper()
	printed := printRequest(record.Request)
	reader, err := capture.Open(bytes.NewReader(printed), capture.HTTP)
	if err != nil {
		t.Fatalf("%q: %v", printed, err)
	}
	again, _, err := reader.Next()
	if diff := cmp.Diff(record, again); err != nil || diff != "" {
		t.Errorf("%q does not come back: %v\n%s", printed, err, diff)
	}
	if _, _, err := reader.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("%q: got %v after the record, want EOF", printed, err)
	}
}
