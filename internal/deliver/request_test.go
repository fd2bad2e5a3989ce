package deliver_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/sign"
)

func TestRequest(t *testing.T) {
	t.Parallel()
	spec := newSpec(t, "localhost")
	want := delivery.Request{
		Method: "POST", URL: "http://localhost:3000/webhooks/m2m", Body: []byte(opened), Headers: documented(spec, opened),
	}
	if diff := cmp.Diff(want, spec.Request([]byte(opened), timestamp)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRequestIsAuthentic(t *testing.T) {
	t.Parallel()
	for _, body := range []string{opened, "", "hello\n", "\xff\x00", " {\"a\": 100.00}\r\n"} {
		spec := newSpec(t, "localhost")
		request := spec.Request([]byte(body), timestamp)
		if string(request.Body) != body {
			t.Errorf("got body %q, want %q", request.Body, body)
		}
		signature, _ := request.Headers.Get("x-m2m-signature")
		message := sign.Message{
			Signature: signature, Timestamp: timestamp, HasSignature: true, HasTimestamp: true, Body: []byte(body),
		}
		if verdict := sign.Verify(message, []sign.Key{spec.Key}, sign.Clock{Now: present()}); !verdict.Valid() {
			t.Errorf("%q: got %s", body, verdict.Reason)
		}
	}
}

func TestEventHeaderIsThePayloads(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"event":"link.opened"}`:               "link.opened",
		`{"event":"no.such.event"}`:             "no.such.event",
		`{"event":"é"}`:                         "é",
		`{}`:                                    "",
		`{"event":""}`:                          "",
		`{"event":17}`:                          "",
		`{"event":"a\r\nX-Injected: 1"}`:        "",
		`{"event":"a\u0000"}`:                   "",
		`{"event":"a\u007f"}`:                   "",
		`[{"event":"link.opened"}]`:             "",
		`{"event":"link.opened"`:                "",
		"event=link.opened":                     "",
		"":                                      "",
		`{"event":"link.opened","event":"two"}`: "link.opened",
	} {
		got, ok := newSpec(t, "localhost").Request([]byte(body), timestamp).Headers.Get("X-M2M-Event")
		if got != want || ok != (want != "") {
			t.Errorf("%s: got %q and %t, want %q", body, got, ok, want)
		}
	}
}

func TestEdits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edits []string
		want  func(delivery.Headers) delivery.Headers
	}{
		"a new header": {[]string{"X-Trace: 1"}, func(h delivery.Headers) delivery.Headers {
			return append(h, delivery.Header{Name: "X-Trace", Value: "1"})
		}},
		"in place of one of ours": {[]string{"content-type: text/plain; charset=utf-8"}, func(h delivery.Headers) delivery.Headers {
			return append(h[1:], delivery.Header{Name: "content-type", Value: "text/plain; charset=utf-8"})
		}},
		"in place of the signature": {[]string{"x-m2m-signature: sha256=00"}, func(h delivery.Headers) delivery.Headers {
			return append(h[:4], delivery.Header{Name: "X-M2M-Signature", Value: "sha256=00"})
		}},
		"without one of ours": {[]string{"USER-AGENT:"}, func(h delivery.Headers) delivery.Headers { return append(h[:1], h[2:]...) }},
		"without a stranger":  {[]string{"X-Trace:"}, func(h delivery.Headers) delivery.Headers { return h }},
		"white space is none": {[]string{"Content-Type: \t "}, func(h delivery.Headers) delivery.Headers { return h[1:] }},
		"split at first colon": {[]string{"X-URL: a:b:c"}, func(h delivery.Headers) delivery.Headers {
			return append(h, delivery.Header{Name: "X-URL", Value: "a:b:c"})
		}},
		"one name twice": {[]string{"Content-Type: a", "content-type: b"}, func(h delivery.Headers) delivery.Headers {
			return append(h[1:], delivery.Header{Name: "Content-Type", Value: "a"}, delivery.Header{Name: "content-type", Value: "b"})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := newSpec(t, "localhost", c.edits...)
			want := c.want(documented(spec, opened))
			if diff := cmp.Diff(want, spec.Request([]byte(opened), timestamp).Headers); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no colon":                "X-Trace",
		"nothing":                 "",
		"no name":                 ": 1",
		"a space in the name":     "X Trace: 1",
		"a space after the name":  "X-Trace : 1",
		"a name of other letters": "X-Träce: 1",
		"a line end":              "X-Trace: 1\r\nX-Other: 2",
		"a NUL":                   "X-Trace: a\x00b",
		"DEL":                     "X-Trace: a\x7f",
		"the length":              "content-length: 5",
		"the framing":             "Transfer-Encoding: chunked",
		"taking away the length":  "Content-Length:",
	} {
		if got, err := deliver.ParseHeader(text); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}

func TestExpectation(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]int{
		"2xx":         {200, 204, 299},
		"2XX":         {200, 204, 299},
		"401":         {401},
		"4xx, 503":    {400, 401, 499, 503},
		"200,200":     {200},
		"1xx,5xx":     {100, 199, 500, 503, 599},
		" 302 ,\t401": {302, 401},
	} {
		expectation, err := deliver.ParseExpectation(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []int
		for _, status := range []int{0, 100, 199, 200, 204, 299, 300, 302, 399, 400, 401, 499, 500, 503, 599, 600} {
			if expectation.Holds(status) {
				got = append(got, status)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"", "ok", "20", "2000", "0xx", "6xx", "600", "099", "2x", "2x0", "20x", "+20", "-20", "2_0", "200,", "200-299"} {
		if _, err := deliver.ParseExpectation(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	if (deliver.Expectation{}).Holds(200) {
		t.Error("the zero Expectation holds")
	}
}
