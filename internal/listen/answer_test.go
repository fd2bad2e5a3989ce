package listen_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/listen"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	nested := func(depth int) string {
		return `{"a":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
	}
	local := func(o *listen.Options) { o.LoopbackHostOnly = true }
	all := func(o *listen.Options) { o.AcceptAll = true }
	host := func(host string) func(*http.Request) {
		return func(r *http.Request) { r.Host = host }
	}
	method := func(method string) func(*http.Request) {
		return func(r *http.Request) { r.Method = method }
	}
	forged := func(r *http.Request) { r.Header.Set(delivery.SignatureHeader, "sha256="+strings.Repeat("0", 64)) }
	aged := func(by time.Duration) func(*http.Request) {
		return func(r *http.Request) { stamp(t, r, present().Add(-by), []byte(opened)) }
	}
	for name, c := range map[string]struct {
		options func(*listen.Options)
		body    string
		request func(*http.Request)
		status  int
		text    string
		// counted says that it is a delivery and not just a request.
		counted bool
	}{
		"a valid delivery":          {body: opened, status: 200, text: "OK", counted: true},
		"an unknown event":          {body: `{"event":"no.such"}`, status: 200, text: "OK", counted: true},
		"an object without members": {body: `{}`, status: 200, text: "OK", counted: true},
		"an old one within the window": {
			body: opened, request: aged(5 * time.Minute), status: 200, text: "OK", counted: true,
		},
		"an old one": {body: opened, request: aged(301 * time.Second), status: 401, text: "Invalid signature", counted: true},
		"an old one without a window": {
			options: func(o *listen.Options) { o.Tolerance = 0 },
			body:    opened, request: aged(time.Hour), status: 200, text: "OK", counted: true,
		},
		"one of the future": {body: opened, request: aged(-301 * time.Second), status: 401, text: "Invalid signature", counted: true},
		"a forged one":      {body: opened, request: forged, status: 401, text: "Invalid signature", counted: true},
		"a forged one that is no object": {
			body: "hello", request: forged, status: 401, text: "Invalid signature", counted: true,
		},
		"one without a signature": {
			body: opened, request: func(r *http.Request) { r.Header.Del(delivery.SignatureHeader) },
			status: 401, text: "Invalid signature", counted: true,
		},
		"one without a timestamp": {
			body: opened, request: func(r *http.Request) { r.Header.Del(delivery.TimestampHeader) },
			status: 401, text: "Invalid signature", counted: true,
		},
		"one with two signatures": {
			body: opened, request: func(r *http.Request) {
				r.Header.Add(delivery.SignatureHeader, r.Header.Get(delivery.SignatureHeader))
			},
			status: 401, text: "Invalid signature", counted: true,
		},
		"a forged one where all are taken": {
			options: all, body: opened, request: forged, status: 200, text: "OK", counted: true,
		},
		"text where all are taken": {options: all, body: "hello", status: 200, text: "OK", counted: true},

		"signed text":                     {body: "hello", status: 400, text: "Bad Request", counted: true},
		"a signed list":                   {body: `[{}]`, status: 400, text: "Bad Request", counted: true},
		"a signed body of nothing":        {body: "", status: 400, text: "Bad Request", counted: true},
		"nested as deep as is allowed":    {body: nested(1000), status: 200, text: "OK", counted: true},
		"nested one deeper":               {body: nested(1001), status: 400, text: "Bad Request", counted: true},
		"nested one deeper, all is taken": {options: all, body: nested(1001), status: 200, text: "OK", counted: true},

		"a body as large as is allowed": {
			options: func(o *listen.Options) { o.MaxBody = int64(len(opened)) },
			body:    opened, status: 200, text: "OK", counted: true,
		},
		"a body one byte too large": {
			options: func(o *listen.Options) { o.MaxBody = int64(len(opened)) - 1 },
			body:    opened, status: 413, text: "Payload Too Large",
		},
		"a body one byte too large that does not say so": {
			options: func(o *listen.Options) { o.MaxBody = int64(len(opened)) - 1 },
			body:    opened, status: 413, text: "Payload Too Large",
			request: func(r *http.Request) { r.ContentLength = -1 },
		},
		"a body too large where all are taken": {
			options: func(o *listen.Options) { o.MaxBody, o.AcceptAll = 10, true },
			body:    opened, status: 413, text: "Payload Too Large",
		},

		"GET":                 {request: method(http.MethodGet), status: 405, text: "Method Not Allowed"},
		"DELETE":              {request: method(http.MethodDelete), status: 405, text: "Method Not Allowed"},
		"PUT":                 {body: opened, request: method(http.MethodPut), status: 405, text: "Method Not Allowed"},
		"PATCH, all is taken": {options: all, body: opened, request: method(http.MethodPatch), status: 405, text: "Method Not Allowed"},

		"another host":           {body: opened, request: host("hooks.test"), status: 200, text: "OK", counted: true},
		"another host, refused":  {options: local, body: opened, request: host("hooks.test"), status: 421, text: "Misdirected Request"},
		"a host like loopback":   {options: local, body: opened, request: host("localhost.test:80"), status: 421, text: "Misdirected Request"},
		"GET from another host":  {options: local, request: func(r *http.Request) { r.Method, r.Host = "GET", "hooks.test" }, status: 421, text: "Misdirected Request"},
		"localhost":              {options: local, body: opened, request: host("LOCALHOST:3000"), status: 200, text: "OK", counted: true},
		"::1":                    {options: local, body: opened, request: host("[::1]:3000"), status: 200, text: "OK", counted: true},
		"PUT from another host":  {body: opened, request: func(r *http.Request) { r.Method, r.Host = "PUT", "hooks.test" }, status: 421, text: "Misdirected Request"},
		"all taken, other host":  {options: func(o *listen.Options) { o.LoopbackHostOnly, o.AcceptAll = true, true }, body: opened, request: host("hooks.test"), status: 421, text: "Misdirected Request"},
		"any path and any query": {body: opened, request: func(r *http.Request) { r.URL.Path, r.URL.RawQuery = "/a/b", "c=d" }, status: 200, text: "OK", counted: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options, done := newOptions(t)
			saved := 0
			options.Save = func([]byte) error { saved++; return nil }
			if c.options != nil {
				c.options(&options)
			}
			server := serve(t, options)
			request := post(t, server.URL, c.body)
			if c.request != nil {
				c.request(request)
			}
			got := do(t, server.Client(), request)
			if got.status != c.status || got.body != c.text {
				t.Errorf("got %d %q, want %d %q", got.status, got.body, c.status, c.text)
			}
			wantAllow := ""
			if c.status == http.StatusMethodNotAllowed {
				wantAllow = "POST"
			}
			if allow := got.header.Get("Allow"); allow != wantAllow {
				t.Errorf("got Allow %q, want %q", allow, wantAllow)
			}
			server.Close() // and with it the last call of Done
			want := 0
			if c.counted {
				want = 1
			}
			if len(done) != want || saved != want {
				t.Errorf("got %d deliveries and %d records, want %d of each", len(done), saved, want)
			}
			if c.counted {
				if response := receive(t, done, "the delivery").Record.Response; response.Status != c.status || string(response.Body) != c.text {
					t.Errorf("the record has %d %q, want %d %q", response.Status, response.Body, c.status, c.text)
				}
			}
		})
	}
}

func TestRefusedMethodsGoOnTheWireWithoutBody(t *testing.T) {
	t.Parallel()
	options, _ := newOptions(t)
	server := serve(t, options)
	request := post(t, server.URL, "")
	request.Method = http.MethodHead
	if got := do(t, server.Client(), request); got.status != http.StatusMethodNotAllowed || got.body != "" {
		t.Errorf("got %d %q, want 405 and nothing", got.status, got.body)
	}
}

// TestInvalidSaysNothingMore reads the raw answer: whoever forges learns nothing of
// why it failed, nor what would have been right.
func TestInvalidSaysNothingMore(t *testing.T) {
	t.Parallel()
	options, _ := newOptions(t)
	server := serve(t, options)
	raw := exchange(t, server.Listener.Addr().String(),
		"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-M2M-Timestamp: 1769437800\r\n"+
			"X-M2M-Signature: sha256="+strings.Repeat("0", 64)+"\r\nContent-Length: 2\r\n\r\n{}")
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	if body != "Invalid signature" {
		t.Errorf("got body %q", body)
	}
	status, headers, _ := strings.Cut(head, "\r\n")
	if status != "HTTP/1.1 401 Unauthorized" {
		t.Errorf("got %q", status)
	}
	for line := range strings.SplitSeq(headers, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "Content-Type", "Content-Length", "Date", "Connection":
		default:
			t.Errorf("the answer has the header %q", line)
		}
	}
}

func TestTooLargeIsAnsweredBeforeTheBody(t *testing.T) {
	t.Parallel()
	options, _ := newOptions(t)
	server := serve(t, options)
	raw := exchange(t, server.Listener.Addr().String(),
		fmt.Sprintf("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", int64(1)<<40))
	if !strings.HasPrefix(raw, "HTTP/1.1 413 ") {
		t.Errorf("got %q", raw)
	}
}

// exchange sends raw bytes and returns all that comes back.
func exchange(tb testing.TB, address, request string) string {
	tb.Helper()
	conn := dial(tb, address)
	if _, err := io.WriteString(conn, request); err != nil {
		tb.Fatal(err)
	}
	raw, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil {
		tb.Fatal(err)
	}
	return string(raw)
}

func dial(tb testing.TB, address string) net.Conn {
	tb.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(tb.Context(), "tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		tb.Fatal(err)
	}
	return conn
}
