package capture_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/delivery"
)

func TestParseHeaders(t *testing.T) {
	t.Parallel()
	want := delivery.Headers{
		{Name: "X-M2M-Signature", Value: "sha256=ab"},
		{Name: "X-M2M-Timestamp", Value: "1769437800"},
		{Name: "Empty", Value: ""},
	}
	for name, text := range map[string]string{
		"LF":                   "x-m2m-signature: sha256=ab\nX-M2M-Timestamp:1769437800\nEmpty:\n",
		"CRLF, no last one":    "X-M2M-Signature:\tsha256=ab \r\nX-M2M-Timestamp: 1769437800\r\nEmpty:",
		"blank lines":          "\n\nX-M2M-Signature: sha256=ab\n \t\nX-M2M-Timestamp: 1769437800\r\n\r\nEmpty:\n\n",
		"a byte order mark":    "\xef\xbb\xbfX-M2M-Signature: sha256=ab\nX-M2M-Timestamp: 1769437800\nEmpty:\n",
		"a request line":       "POST /hooks HTTP/1.1\r\nX-M2M-Signature: sha256=ab\r\nX-M2M-Timestamp: 1769437800\r\nEmpty: \r\n\r\n",
		"a status line":        "\nHTTP/1.1 200 OK\nX-M2M-Signature: sha256=ab\nX-M2M-Timestamp: 1769437800\nEmpty:\n",
		"a status without one": "HTTP/2 200 \nX-M2M-Signature: sha256=ab\nX-M2M-Timestamp: 1769437800\nEmpty:\n",
		"curl -v's request": "* Connected to localhost (127.0.0.1) port 3000\n> POST /hooks HTTP/1.1\n> x-m2m-signature: sha256=ab\n" +
			"> X-M2M-Timestamp: 1769437800\r\n> Empty:\n>\n",
		"curl -v's response":     "< HTTP/1.1 200 OK\n< X-M2M-Signature: sha256=ab\n< X-M2M-Timestamp: 1769437800\n< Empty:\n< \n",
		"HTTP/2 in the devtools": ":authority: x.test\n:method: POST\nx-m2m-signature: sha256=ab\nx-m2m-timestamp: 1769437800\nEmpty:\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := capture.ParseHeaders([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseHeadersRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"no colon":               {"A: b\n\nX-M2M-Timestamp 1769437800\n", "line 3, column 1: no colon: a header is written Name: value"},
		"no colon after curl":    {"> A\n", "line 1, column 3: no colon: a header is written Name: value"},
		"a late request line":    {"A: b\nPOST / HTTP/1.1\n", "line 2, column 1: no colon: a header is written Name: value"},
		"a folded line":          {"A: b\n\tc: d\n", "line 2, column 1: the line begins with white space: a header stands on one line and is not folded"},
		"a name with a space":    {"> My Name: b\n", `line 1, column 5: " " cannot stand in a header's name`},
		"a JSON object":          {`{"a": "b"}`, `line 1: this is JSON: write each header as a line, Name: value`},
		"a control character":    {"> A: \x00\n", `line 1, column 6: '\x00' cannot stand in a header's value`},
		"two colons and no name": {"::\n", "line 1, column 1: a header without a name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := capture.ParseHeaders([]byte(test.text))
			wantError(t, err, test.want)
		})
	}
}

func TestNoHeaders(t *testing.T) {
	t.Parallel()
	got, err := capture.ParseHeaders([]byte("\n"))
	if err != nil || got == nil || len(got) != 0 {
		t.Errorf("got %#v, %v; want an empty list", got, err)
	}
}

func TestParseHeadersTakesTheNamesOfCGI(t *testing.T) {
	t.Parallel()
	got, err := capture.ParseHeaders([]byte("HTTP_X_M2M_SIGNATURE: s\nHTTP_HOST: h\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := delivery.Headers{{Name: "X-M2M-Signature", Value: "s"}, {Name: "HTTP_HOST", Value: "h"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
