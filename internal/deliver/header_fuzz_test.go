package deliver

import (
	"bufio"
	"bytes"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/sign"
)

// FuzzParseHeader: a header that is taken from the command line goes out as it was
// given, the others stay what they are, and nothing else comes with it.
func FuzzParseHeader(f *testing.F) {
	for _, seed := range []string{
		"X-A: b", "X-A:", "X-A", ": b", "X-A: b\r\nX-B: c", "content-length: 3", "X-M2M-Signature: sha256=00", "Host: a.test",
		"user-agent: x", "X-A:\tb\x7f", "X A: b", "X-\u212a: b", "X-A: é\xff", "Connection: close", "Transfer-encoding: chunked",
		"Host:\x8d", "Host: a b", "host: a/b", "Host: [fe80::1%25eth0]:1", "Host: \u00e9.test", "Host: a.test:80", "Host:@",
	} {
		f.Add(seed)
	}
	key, err := sign.NewKey("secret")
	if err != nil {
		f.Fatal(err)
	}
	target, err := endpoint.ParseTarget("http://x.test/a")
	if err != nil {
		f.Fatal(err)
	}
	const payload, signedAt = `{"event":"a"}`, "1769437800"
	f.Fuzz(func(t *testing.T, text string) {
		edit, err := ParseHeader(text)
		if err != nil {
			return
		}
		if edit.Remove && strings.EqualFold(edit.Name, "Host") {
			t.Skip("no request of HTTP/1.1 goes without")
		}
		if name, value, _ := strings.Cut(text, ":"); edit.Name != name || edit.Value != strings.Trim(value, " \t") {
			t.Fatalf("%q gave %+v", text, edit)
		}
		plain := Spec{Target: target, Key: key, UserAgent: "m2m"}
		edited := plain
		edited.Edits = []HeaderEdit{edit}
		before, after := wireHeaders(t, plain.Request([]byte(payload), signedAt)), wireHeaders(t, edited.Request([]byte(payload), signedAt))
		name := textproto.CanonicalMIMEHeaderKey(edit.Name)
		if got := after[name]; edit.Remove != (len(got) == 0) || !edit.Remove && !slices.Equal(got, []string{edit.Value}) {
			t.Errorf("%q went out as %q", text, got)
		}
		delete(before, name)
		delete(after, name)
		for other, values := range after {
			if !slices.Equal(before[other], values) {
				t.Errorf("%q changed %s from %q to %q", text, other, before[other], values)
			}
		}
		if len(before) != len(after) {
			t.Errorf("%q left %d other headers of %d", text, len(after), len(before))
		}
	})
}

// wireHeaders returns the headers of a request as they go over the wire.
func wireHeaders(t *testing.T, request delivery.Request) textproto.MIMEHeader {
	t.Helper()
	made, err := wireRequest(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	var wire bytes.Buffer
	if err := made.Write(&wire); err != nil {
		t.Fatal(err)
	}
	reader := textproto.NewReader(bufio.NewReader(&wire))
	if _, err := reader.ReadLine(); err != nil {
		t.Fatal(err)
	}
	headers, err := reader.ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	return headers
}
