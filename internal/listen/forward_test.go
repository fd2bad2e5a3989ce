package listen_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/listen"
)

type forward = func(context.Context, delivery.Request) (*delivery.Response, io.ReadCloser, *delivery.Error)

// forwardTo passes on as the command does.
func forwardTo(tb testing.TB, url string, options endpoint.ClientOptions) forward {
	tb.Helper()
	client := endpoint.NewClient(&http.Transport{ForceAttemptHTTP2: true}, options)
	tb.Cleanup(client.CloseIdle)
	sender := &deliver.Sender{Client: client, Now: time.Now, NewID: func() string { return "" }}
	return func(ctx context.Context, request delivery.Request) (*delivery.Response, io.ReadCloser, *delivery.Error) {
		request.URL = url
		record, rest, err := sender.Open(ctx, request)
		if err != nil {
			return nil, nil, &delivery.Error{Kind: "protocol", Message: err.Error()}
		}
		return record.Response, rest, record.Error
	}
}

// rawApp is an app that reads each connection's first request, says whatever answer
// holds, and breaks off. The requests go to the channel.
func rawApp(tb testing.TB, answer string) (url string, requests <-chan *http.Request) {
	tb.Helper()
	listener := open(tb, "127.0.0.1")[0]
	came := make(chan *http.Request, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			request, err := http.ReadRequest(bufio.NewReader(conn))
			if err == nil {
				body, _ := io.ReadAll(request.Body)
				request.Body = io.NopCloser(bytes.NewReader(body))
				came <- request
				_, _ = io.WriteString(conn, answer)
			}
			_ = conn.Close()
		}
	}()
	return "http://" + listener.Addr().String() + "/app?x=1", came
}

// plainClient takes answers as they come.
func plainClient(tb testing.TB) *http.Client {
	tb.Helper()
	client := newClient(tb)
	client.Transport.(*http.Transport).DisableCompression = true
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

func TestForwardPassesOnWhatCame(t *testing.T) {
	t.Parallel()
	const body = "\r\n {\"event\" :\t\"link.opened\", \"n\": 100.00}\n"
	request := post(t, "http://unused.test", body)
	kept := "X-odd_Name.1: one\r\nX-DUP: 1\r\nx-dup: 2, 3\r\nAccept-Encoding: br\r\nContent-Type: text/odd; a=\"b\"\r\n" +
		"Authorization: Basic abc\r\nCookie: a=b\r\nEmpty:\r\nUser-Agent: odd/1\r\nX-Latin: caf\xe9\r\n" +
		"X-M2M-Timestamp: " + request.Header.Get(delivery.TimestampHeader) + "\r\n" +
		"X-M2M-Signature: " + request.Header.Get(delivery.SignatureHeader) + "\r\n"
	dropped := "Connection: close, X-Hop\r\nX-Hop: 1\r\nTE: trailers\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n" +
		"Proxy-Connection: close\r\nExpect: 100-continue\r\nTrailer: X-End\r\n"
	for name, framed := range map[string]string{
		"with a length": fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body),
		"in chunks":     fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n5\r\n%s\r\n%x\r\n%s\r\n0\r\nX-End: 1\r\n\r\n", body[:5], len(body)-5, body[5:]),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, came := rawApp(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			options, done := newOptions(t)
			options.Forward = forwardTo(t, app, endpoint.ClientOptions{})
			server := serve(t, options)
			raw := exchange(t, server.Listener.Addr().String(), "POST /else HTTP/1.1\r\nHost: hooks.test\r\n"+kept+dropped+framed)
			if !strings.Contains(raw, "HTTP/1.1 200 OK\r\n") {
				t.Fatalf("got %q", raw)
			}
			got := receive(t, came, "the request")
			want, err := http.ReadRequest(bufio.NewReader(strings.NewReader("POST /app?x=1 HTTP/1.1\r\nHost: h\r\n" + kept + "\r\n")))
			if err != nil {
				t.Fatal(err)
			}
			want.Header.Set("Content-Length", fmt.Sprint(len(body)))
			if diff := cmp.Diff(want.Header, got.Header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if sent, _ := io.ReadAll(got.Body); string(sent) != body || got.RequestURI != want.RequestURI || got.Method != want.Method {
				t.Errorf("got %s %s %q", got.Method, got.RequestURI, sent)
			}
			if !receive(t, done, "the delivery").Forwarded {
				t.Error("the delivery does not say that it was passed on")
			}
		})
	}
}

func TestForwardRelaysTheAnswer(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if _, err := zip.Write([]byte("hello")); err != nil || zip.Close() != nil {
		t.Fatal(err)
	}
	const date = "Date: Mon, 26 Jan 2026 14:30:00 GMT\r\n"
	for name, c := range map[string]struct {
		raw    string
		status int
		header http.Header
		body   string
	}{
		"gzip, byte for byte": {
			raw:    fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", packed.Len(), packed.String()),
			status: 200, header: http.Header{"Content-Encoding": {"gzip"}, "Content-Type": {"text/plain"}, "Content-Length": {fmt.Sprint(packed.Len())}}, body: packed.String(),
		},
		"repeated headers": {
			raw:    "HTTP/1.1 201 Made\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2, c\r\nContent-Length: 2\r\n\r\nhi",
			status: 201, header: http.Header{"Set-Cookie": {"a=1", "b=2, c"}, "Content-Length": {"2"}}, body: "hi",
		},
		"no content":   {raw: "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n", status: 204, header: http.Header{"X-A": {"b"}}},
		"not modified": {raw: "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", status: 304, header: http.Header{"Etag": {`"a"`}}},
		"a redirect": {
			raw:    "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test/\r\nContent-Length: 0\r\n\r\n",
			status: 302, header: http.Header{"Location": {"http://elsewhere.test/"}, "Content-Length": {"0"}},
		},
		"an error": {
			raw:    "HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
			status: 500, header: http.Header{"Content-Type": {"application/json"}, "Content-Length": {"2"}}, body: "{}",
		},
		"a status of its own": {raw: "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", status: 999, header: http.Header{"Content-Length": {"0"}}},
		"after an interim one": {
			raw:    "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK",
			status: 200, header: http.Header{"Content-Length": {"2"}}, body: "OK",
		},
		"in chunks": {
			raw:    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n",
			status: 200, header: http.Header{"Content-Length": {"2"}}, body: "OK",
		},
		"up to the end of the connection": {raw: "HTTP/1.0 200 OK\r\n\r\nOK", status: 200, header: http.Header{"Content-Length": {"2"}}, body: "OK"},
		"what speaks of its connection": {
			raw: "HTTP/1.1 200 OK\r\nConnection: X-Hop, Keep-Alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n" +
				"Proxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
			status: 200, header: http.Header{"Proxy-Authenticate": {"Basic"}, "Content-Length": {"0"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, _ := rawApp(t, strings.Replace(c.raw, "\r\n\r\n", "\r\n"+date+"\r\n", 1))
			if strings.HasPrefix(c.raw, "HTTP/1.1 103") {
				app, _ = rawApp(t, strings.Replace(c.raw, "\r\n\r\nOK", "\r\n"+date+"\r\nOK", 1))
			}
			options, done := newOptions(t)
			options.Forward = forwardTo(t, app, endpoint.ClientOptions{})
			server := serve(t, options)
			got := do(t, plainClient(t), post(t, server.URL, opened))
			if got.status != c.status || got.body != c.body {
				t.Errorf("got %d %q, want %d %q", got.status, got.body, c.status, c.body)
			}
			c.header.Set("Date", "Mon, 26 Jan 2026 14:30:00 GMT")
			if diff := cmp.Diff(c.header, got.header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			record := receive(t, done, "the delivery").Record
			if record.Response.Status != c.status || string(record.Response.Body) != c.body || record.Error != nil {
				t.Errorf("the record has %+v and the error %v", record.Response, record.Error)
			}
		})
	}
}

func TestForwardTellsFailures(t *testing.T) {
	t.Parallel()
	silent := open(t, "127.0.0.1")[0] // takes connections, and says nothing
	raw := func(answer string) func(*testing.T) string {
		return func(t *testing.T) string {
			t.Helper()
			url, _ := rawApp(t, answer)
			return url
		}
	}
	for name, c := range map[string]struct {
		app    func(*testing.T) string
		status int
		kind   string
	}{
		"an app that is down": {func(t *testing.T) string {
			t.Helper()
			listener := open(t, "127.0.0.1")[0]
			_ = listener.Close()
			return "http://" + listener.Addr().String()
		}, 502, "refused"},
		"an app that is too slow":      {func(*testing.T) string { return "http://" + silent.Addr().String() }, 504, "timeout"},
		"an app that breaks off":       {raw(""), 502, "reset"},
		"half a body":                  {raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), 502, "reset"},
		"half a header":                {raw("HTTP/1.1 200 OK\r\nContent-Le"), 502, "reset"},
		"garbage":                      {raw("\x00\x1b]0;owned\x07 no HTTP\r\n\r\n"), 502, "protocol"},
		"a status that is none":        {raw("HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n"), 502, "protocol"},
		"a status that is no number":   {raw("HTTP/1.1 abc Low\r\nContent-Length: 0\r\n\r\n"), 502, "protocol"},
		"two lengths":                  {raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"), 502, "protocol"},
		"headers without an end":       {raw("HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("a", 2<<20) + "\r\n\r\n"), 502, "protocol"},
		"TLS where there is no TLS":    {func(*testing.T) string { return "https://" + plainApp(t) }, 502, "tls"},
		"a name that does not resolve": {func(*testing.T) string { return "http://m2m.invalid" }, 502, "dns"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options, done := newOptions(t)
			timeout := 20 * time.Second
			if c.kind == "timeout" {
				timeout = 50 * time.Millisecond
			}
			options.Forward = forwardTo(t, c.app(t), endpoint.ClientOptions{Timeout: timeout})
			server := serve(t, options)
			got := do(t, newClient(t), post(t, server.URL, opened))
			if got.status != c.status || got.body != http.StatusText(c.status) {
				t.Errorf("got %d %q, want %d and nothing more", got.status, got.body, c.status)
			}
			told := receive(t, done, "the delivery")
			if told.Record.Error == nil || told.Record.Error.Kind != c.kind || told.Record.Response.Status != c.status || !told.Forwarded {
				t.Errorf("the record has the error %+v and the answer %+v, want %s", told.Record.Error, told.Record.Response, c.kind)
			}
		})
	}
}

// plainApp returns the address of a server that speaks plain HTTP.
func plainApp(tb testing.TB) string {
	tb.Helper()
	app := httptest.NewServer(http.NotFoundHandler())
	tb.Cleanup(app.Close)
	return app.Listener.Addr().String()
}

// TestNoBodyIsOnRecordWhereNoneGoesOut has an app say a body where there is none, which
// HTTP/2 lets it.
func TestNoBodyIsOnRecordWhereNoneGoesOut(t *testing.T) {
	t.Parallel()
	for _, status := range []int{204, 304} {
		options, done := newOptions(t)
		options.Forward = func(context.Context, delivery.Request) (*delivery.Response, io.ReadCloser, *delivery.Error) {
			return &delivery.Response{Status: status, Body: []byte("none")}, nil, nil
		}
		got := do(t, newClient(t), post(t, serve(t, options).URL, opened))
		if record := receive(t, done, "the delivery").Record.Response; got.body != "" || len(record.Body) > 0 {
			t.Errorf("%d: answered %q, and the record has %q", got.status, got.body, record.Body)
		}
	}
}

func TestForwardPassesOnOnlyWhatIsAccepted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit   func(*listen.Options)
		forged bool
		body   string
		want   bool
	}{
		"valid":                     {body: opened, want: true},
		"forged":                    {body: opened, forged: true},
		"forged, all are taken":     {edit: func(o *listen.Options) { o.AcceptAll = true }, body: opened, forged: true, want: true},
		"no payload":                {body: "hello"},
		"one of the events":         {edit: func(o *listen.Options) { o.Only = []string{"link.opened"} }, body: opened, want: true},
		"none of the events":        {edit: func(o *listen.Options) { o.Only = []string{"link.created"} }, body: opened},
		"too large":                 {edit: func(o *listen.Options) { o.MaxBody = 3 }, body: opened},
		"one that fails on purpose": {edit: func(o *listen.Options) { o.Rehearsal.FailFirst = 1 }, body: opened},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, came := rawApp(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			options, _ := newOptions(t)
			options.Forward = forwardTo(t, app, endpoint.ClientOptions{})
			if c.edit != nil {
				c.edit(&options)
			}
			server := serve(t, options)
			request := post(t, server.URL, c.body)
			if c.forged {
				request.Header.Set(delivery.SignatureHeader, "sha256="+strings.Repeat("0", 64))
			}
			do(t, newClient(t), request)
			server.Close()
			if got := len(came) == 1; got != c.want {
				t.Errorf("got %d requests at the app, want it there: %t", len(came), c.want)
			}
		})
	}
}

func TestForwardIsRecordedWithoutItsSender(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	working, release := make(chan struct{}), make(chan struct{})
	options.Forward = func(ctx context.Context, _ delivery.Request) (*delivery.Response, io.ReadCloser, *delivery.Error) {
		close(working)
		select {
		case <-release:
		case <-ctx.Done():
			t.Error("the app was broken off")
		}
		return &delivery.Response{Status: 200}, nil, nil
	}
	receiver, contexts := listen.NewServer(options), make(chan context.Context, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		contexts <- r.Context()
		receiver.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	ctx, giveUp := context.WithCancel(t.Context())
	request := post(t, server.URL, opened).WithContext(ctx)
	client, failed := newClient(t), make(chan error, 1)
	go func() {
		_, err := try(client, request)
		failed <- err
	}()
	receive(t, working, "the app")
	giveUp()
	if receive(t, failed, "the sender") == nil {
		t.Error("the sender was answered")
	}
	receive(t, receive(t, contexts, "the request").Done(), "the receiver to see that the sender is gone")
	close(release)
	if got := receive(t, done, "the delivery").Record.Response.Status; got != http.StatusOK {
		t.Errorf("got %d on record, want what the app said", got)
	}
}
