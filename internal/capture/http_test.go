package capture_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/delivery"
)

func TestHTTP(t *testing.T) {
	t.Parallel()
	const text = "POST /webhooks/m2m HTTP/1.1\r\n" +
		"Host: localhost:3000\r\n" +
		"x-m2m-signature:  sha256=ab \t\r\n" +
		"X-M2M-TIMESTAMP: 1769437800\n" +
		"x-m2m-event: link.created\r\n" +
		"X-Odd_name: a: b\r\n" +
		"Empty:\r\n" +
		"\r\n" +
		"{\"event\":\"link.opened\"}\r\n"
	want := delivery.Record{
		Event: "link.opened",
		Request: delivery.Request{
			Method: "POST",
			URL:    "http://localhost:3000/webhooks/m2m",
			Headers: delivery.Headers{
				{Name: "Host", Value: "localhost:3000"},
				{Name: "X-M2M-Signature", Value: "sha256=ab"},
				{Name: "X-M2M-Timestamp", Value: "1769437800"},
				{Name: "X-M2M-Event", Value: "link.created"},
				{Name: "X-Odd_name", Value: "a: b"},
				{Name: "Empty", Value: ""},
			},
			Body: []byte("{\"event\":\"link.opened\"}\r\n"),
		},
	}
	if diff := cmp.Diff(want, readOne(t, text)); diff != "" {
		t.Error(diff)
	}
}

func TestHTTPBody(t *testing.T) {
	t.Parallel()
	const next = "PUT /next HTTP/1.1\r\nHost: y\r\n\r\n"
	const chunked = "Transfer-Encoding: chunked\n"
	for name, test := range map[string]struct {
		headers, rest string
		want          []string
	}{
		"none":                                   {"", "", []string{""}},
		"none, and its length":                   {"Content-Length: 0\n", "", []string{""}},
		"the length is right":                    {"Content-Length: 4\n", "body", []string{"body"}},
		"a last newline":                         {"", "body\n", []string{"body\n"}},
		"a last newline over the length":         {"Content-Length: 4\n", "body\n", []string{"body\n"}},
		"a last CRLF over the length":            {"Content-Length: 4\n", "body\r\n", []string{"body\r\n"}},
		"shorter than the length":                {"Content-Length: 40\n", "body", []string{"body"}},
		"longer than the length":                 {"Content-Length: 2\n", "body", []string{"body"}},
		"blank lines at its beginning":           {"", "\n\r\nbody", []string{"\n\r\nbody"}},
		"nothing but a newline":                  {"", "\n", []string{"\n"}},
		"NUL bytes and what is not UTF-8":        {"Content-Length: 5\n", "\x00\xff\xfe\x00\n", []string{"\x00\xff\xfe\x00\n"}},
		"a byte order mark":                      {"", "\xef\xbb\xbf{}", []string{"\xef\xbb\xbf{}"}},
		"a length that is no number":             {"Content-Length: four\n", "body", []string{"body"}},
		"a length with a sign":                   {"Content-Length: +2\n", "bo" + next, []string{"bo" + next}},
		"two lengths":                            {"Content-Length: 2\nContent-Length: 2\n", "bo" + next, []string{"bo" + next}},
		"a length beyond all numbers":            {"Content-Length: 99999999999999999999\n", "body", []string{"body"}},
		"a second request":                       {"Content-Length: 4\n", "body" + next, []string{"body", ""}},
		"a second request after blank lines":     {"Content-Length: 4\n", "body\r\n\n" + next + "b\n", []string{"body", "b\n"}},
		"a second request, and the length wrong": {"Content-Length: 3\n", "body" + next, []string{"body" + next}},
		"a second request, and no length":        {"", "body" + next, []string{"body" + next}},
		"a second request, and no body":          {"", next + "b", []string{"", "b"}},
		"a request line inside of the length":    {"Content-Length: 39\n", "body\n" + next, []string{"body\n" + next}},
		"a second request line that is long": {
			"Content-Length: 4\n", "bodyPOST /" + strings.Repeat("a", 4<<10) + " HTTP/1.1\n\n",
			[]string{"bodyPOST /" + strings.Repeat("a", 4<<10) + " HTTP/1.1\n\n"},
		},

		"chunks":                            {chunked, "4\r\nbo\r\n\r\n3;x=y\r\ndy\n\r\n0\r\n\r\n", []string{"bo\r\ndy\n"}},
		"chunks with LF":                    {chunked, "4\nbody\n0\n\n", []string{"body"}},
		"chunks after another coding":       {"Transfer-Encoding: gzip, Chunked\n", "A\nabcdefghij\n0\n\n", []string{"abcdefghij"}},
		"chunks and trailers":               {chunked, "1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n", []string{"a"}},
		"chunks and an editor's newlines":   {chunked, "1\r\na\r\n0\r\n\r\n\n", []string{"a"}},
		"chunks without the last line end":  {chunked, "1\r\na\r\n0\r\n", []string{"a"}},
		"chunks of nothing":                 {chunked, "0\r\n\r\n", []string{""}},
		"chunks, then a second request":     {chunked, "1\r\na\r\n0\r\n\r\n" + next + "b", []string{"a", "b"}},
		"chunks that the browser decoded":   {chunked, "{\"a\":1}\n", []string{"{\"a\":1}\n"}},
		"decoded, and it begins like chunk": {chunked, "4\nbody", []string{"4\nbody"}},
		"decoded, and shorter than a chunk": {chunked, "ff\nbody\n", []string{"ff\nbody\n"}},
		"decoded, and empty":                {chunked, "", []string{""}},
		"chunks, then something else":       {chunked, "1\na\n0\n\nrest", []string{"1\na\n0\n\nrest"}},
		"chunks and a broken trailer":       {chunked, "1\na\n0\nrest\n", []string{"1\na\n0\nrest\n"}},
		"a chunk of a size beyond all":      {chunked, "ffffffffffffffffff\nbody", []string{"ffffffffffffffffff\nbody"}},
		"a chunk over the limit":            {chunked, "7fffffff\nbody", []string{"7fffffff\nbody"}},
		"a chunk longer than its size":      {chunked, "1\nab\n0\n\n", []string{"1\nab\n0\n\n"}},
		"a coding that is not chunked":      {"Transfer-Encoding: gzip\n", "1\na\n0\n\n", []string{"1\na\n0\n\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records, _, err := readAll("POST / HTTP/1.1\n"+test.headers+"\n"+test.rest, capture.Auto)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, record := range records {
				got = append(got, string(record.Request.Body))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHTTPLinesAreCountedOverBodies(t *testing.T) {
	t.Parallel()
	text := "\nPOST /a HTTP/1.1\nContent-Length: 4\n\na\nb\nPOST /b HTTP/1.1\r\n\r\n"
	records, lines, err := readAll(text, capture.Auto)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{2, 7}, lines); diff != "" || len(records) != 2 {
		t.Errorf("%d records\n%s", len(records), diff)
	}
}

func TestHTTPRequestLine(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"POST /a?b=c HTTP/1.1\nHost: x.test:8080": "POST http://x.test:8080/a?b=c",
		"POST /a HTTP/2\nhost: x.test":            "POST http://x.test/a",
		"POST https://y.test/a HTTP/1.1\nHost: x": "POST https://y.test/a",
		"POST /a HTTP/1.0":                        "POST /a",
		"POST /a HTTP/1.0\nHost:":                 "POST /a",
		"POST /a HTTP/1.0\nHost: a b":             "POST /a",
		"OPTIONS * HTTP/1.1\nHost: x":             "OPTIONS *",
		"M-SEARCH /a HTTP/1.1\r":                  "M-SEARCH /a",
	} {
		request := readOne(t, line+"\n\n").Request
		if got := request.Method + " " + request.URL; got != want {
			t.Errorf("%q: got %s, want %s", line, got, want)
		}
	}
}

func TestEventOfACapture(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ body, want string }{
		"the body's":                       {`{"event":"link.opened"}`, "link.opened"},
		"no JSON":                          {"link.opened", "from.header"},
		"the member of another case":       {`{"Event":"link.opened"}`, "from.header"},
		"the member of a member":           {`{"data":{"event":"link.opened"}}`, "from.header"},
		"a member that is no string":       {`{"event":1}`, "from.header"},
		"a list":                           {`["event"]`, "from.header"},
		"an event that is an empty string": {`{"event":""}`, "from.header"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := readOne(t, "POST / HTTP/1.1\nX-M2M-Event: from.header\n\n"+test.body).Event; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestHTTPErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"a response":             {"HTTP/1.1 200 OK\r\n\r\nOK", "line 1: this is an HTTP response: a delivery is the request that it answers"},
		"no request line":        {"\nHost: x\n\n", "line 2: not a request line, such as POST /path HTTP/1.1"},
		"no end of the headers":  {"POST / HTTP/1.1\nHost: x\n", "line 3, column 1: the request ends in its headers: a blank line and the body are missing"},
		"a request line alone":   {"POST / HTTP/1.1", "line 1, column 16: the request ends in its headers: a blank line and the body are missing"},
		"no colon":               {"POST / HTTP/1.1\nHost: x\nX-API-Key m2m_live_1\n\n", "line 3, column 1: no colon: a header is written Name: value"},
		"a folded header":        {"POST / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "line 3, column 1: the line begins with white space: a header stands on one line and is not folded"},
		"no name":                {"POST / HTTP/1.1\n: b\n\n", "line 2, column 1: a header without a name"},
		"a space before a colon": {"POST / HTTP/1.1\nHost : x\n\n", `line 2, column 5: " " cannot stand in a header's name`},
		"a name beyond ASCII":    {"POST / HTTP/1.1\nHöst: x\n\n", `line 2, column 2: "\xc3" cannot stand in a header's name`},
		"a NUL byte":             {"POST / HTTP/1.1\nA: b\x00\n\n", `line 2, column 5: '\x00' cannot stand in a header's value`},
		"a CR alone":             {"POST / HTTP/1.1\nA: b\rC: d\n\n", `line 2, column 5: '\r' cannot stand in a header's value`},
		"endless headers":        {"POST / HTTP/1.1\n" + strings.Repeat("A: b\n", 1<<18), "line 209717: the headers are longer than 1 MiB"},
		"a body over the limit":  {"POST / HTTP/1.1\n\n" + strings.Repeat("a", delivery.MaxLine+1), "line 3, column 33554434: the body is longer than 32 MiB"},
		"a wrong second request": {"POST / HTTP/1.1\n\nPOST / HTTP/1.1\nA\n\n", "line 4, column 1: no colon: a header is written Name: value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := readAll(test.text, capture.HTTP)
			wantError(t, err, test.want)
		})
	}
}

func TestBodyAtTheLimitIsRead(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("a", delivery.MaxLine)
	for _, headers := range []string{"", "Content-Length: 33554432\n"} {
		if got := readOne(t, "POST / HTTP/1.1\n"+headers+"\n"+body).Request.Body; len(got) != len(body) {
			t.Errorf("%q: got %d bytes, want %d", headers, len(got), len(body))
		}
	}
}
