package listen_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/listen"
)

// provoke sends raw bytes and returns what comes back until the other side has
// enough. It may break off while it is still being written to.
func provoke(tb testing.TB, address, raw string) string {
	tb.Helper()
	conn := dial(tb, address)
	go func() {
		_, _ = io.WriteString(conn, raw)
		if half, ok := conn.(*net.TCPConn); ok {
			_ = half.CloseWrite()
		}
	}()
	got, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		tb.Errorf("%.80q was neither answered nor closed", raw)
	}
	return string(got)
}

// wire returns a delivery as it goes over the wire, with headers of the caller's,
// each ended by a line break, in place of the one that tells its length.
func wire(tb testing.TB, headers, framed, body string) string {
	tb.Helper()
	request := post(tb, "http://unused.test", body)
	return "POST / HTTP/1.1\r\nHost: localhost\r\n" + headers +
		"X-M2M-Timestamp: " + request.Header.Get(delivery.TimestampHeader) + "\r\n" +
		"X-M2M-Signature: " + request.Header.Get(delivery.SignatureHeader) + "\r\n\r\n" + framed
}

func length(body string) string { return fmt.Sprintf("Content-Length: %d\r\n", len(body)) }

func inChunks(body string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body) }

func TestRubbishIsRefused(t *testing.T) {
	t.Parallel()
	const chunked = "Transfer-Encoding: chunked\r\n"
	for name, c := range map[string]struct {
		raw string
		// status is how the answer goes on after the protocol; empty means closed
		// without an answer.
		status string
	}{
		"10,000 headers":               {wire(t, length(opened)+strings.Repeat("X-Many: aaaaa\r\n", 10_000), opened, opened), "431"},
		"a header line of 1 MiB":       {wire(t, length(opened)+"X-Long: "+strings.Repeat("a", 1<<20)+"\r\n", opened, opened), "431"},
		"a target of 1 MiB":            {"POST /" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", "431"},
		"chunks that are none":         {wire(t, chunked, "zz\r\n{}\r\n0\r\n\r\n", "{}"), "400"},
		"a chunk of a negative length": {wire(t, chunked, "-2\r\n{}\r\n0\r\n\r\n", "{}"), "400"},
		"a chunk of 2^64 bytes":        {wire(t, chunked, "10000000000000000\r\n{}\r\n0\r\n\r\n", "{}"), "400"},
		"chunks without an end":        {wire(t, chunked, "2\r\n{}\r\n", "{}"), "400"},
		"chunks without line ends":     {wire(t, chunked, "2\r\n{}0\r\n\r\n", "{}"), "400"},
		"a chunk extension of 1 MiB":   {wire(t, chunked, "2;"+strings.Repeat("a", 1<<20)+"\r\n{}\r\n0\r\n\r\n", "{}"), "400"},
		"a body that is cut off":       {wire(t, "Content-Length: 100\r\n", "{}", "{}"), "400"},
		"two lengths":                  {wire(t, "Content-Length: 2\r\nContent-Length: 3\r\n", "{} ", "{}"), "400"},
		"a negative length":            {wire(t, "Content-Length: -2\r\n", "{}", "{}"), "400"},
		"a length with a sign":         {wire(t, "Content-Length: +2\r\n", "{}", "{}"), "400"},
		"a length of 2^64":             {wire(t, "Content-Length: 18446744073709551618\r\n", "{}", "{}"), "400"},
		"a length in hex":              {wire(t, "Content-Length: 0x2\r\n", "{}", "{}"), "400"},
		"a length and chunks":          {wire(t, length("{}")+chunked, "{}", "{}"), "400"},
		"chunked in a disguise":        {wire(t, "Transfer-Encoding: xchunked\r\n", inChunks("{}"), "{}"), "501"},
		"chunked twice":                {wire(t, "Transfer-Encoding: chunked, chunked\r\n", inChunks("{}"), "{}"), "501"},
		"chunked in two headers":       {wire(t, chunked+chunked, inChunks("{}"), "{}"), "501"},
		"a blank before the colon":     {wire(t, "Transfer-Encoding : chunked\r\n", inChunks("{}"), "{}"), "400"},
		"NUL in a header":              {wire(t, length("{}")+"X-A: a\x00b\r\n", "{}", "{}"), "400"},
		"NUL in a header's name":       {wire(t, length("{}")+"X\x00A: a\r\n", "{}", "{}"), "400"},
		"an escape in a header's name": {wire(t, length("{}")+"X\x1b[31m: a\r\n", "{}", "{}"), "400"},
		"a lone CR in a header":        {wire(t, length("{}")+"X-A: a\rX-B: b\r\n", "{}", "{}"), "400"},
		"no host":                      {"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "400"},
		"two hosts":                    {"POST / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", "400"},
		"a host with a control in it":  {"POST / HTTP/1.1\r\nHost: a\x1b[31m\r\n\r\n", "400"},
		"a target with a control":      {"POST /\x1b[31m HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"},
		"a method that is none":        {"P\x1bST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"},
		"HTTP/0.9":                     {"GET /\r\n", "400"},
		"HTTP/3.0":                     {"POST / HTTP/3.0\r\nHost: localhost\r\n\r\n", "505"},
		"HTTP/2 without TLS":           {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "405"},
		"a tunnel":                     {"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost:22\r\n\r\n", "405"},
		"the server as a whole":        {"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "405"},
		"TLS without TLS":              {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 600), "400"},
		"noise":                        {strings.Repeat("\xff\x00\x1b", 5000), "400"},
		"nothing":                      {"", ""},
		"half a line":                  {"POST / HT", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options, done := newOptions(t)
			receiver := run(t, options, nil)
			got := provoke(t, receiver.listeners[0].Addr().String(), c.raw)
			_, status, _ := strings.Cut(got, " ")
			if !strings.HasPrefix(status, c.status) || (c.status == "") != (got == "") {
				t.Errorf("got %.100q, want %q", got, c.status)
			}
			if strings.ContainsFunc(got, func(r rune) bool { return r == 0 || r == 0x1b || r == utf8.RuneError }) {
				t.Errorf("the answer %q holds what was sent", got)
			}
			// And nothing of it holds up or mixes with the next one.
			if got := do(t, newClient(t), post(t, receiver.url(), opened)); got.status != http.StatusOK {
				t.Errorf("the next delivery is answered %d", got.status)
			}
			if next := receive(t, done, "the next delivery"); string(next.Record.Request.Body) != opened || len(done) != 0 {
				t.Errorf("got the delivery %+v and %d more, want the next one alone", next.Record, len(done))
			}
		})
	}
}

func TestOddButLegalRequests(t *testing.T) {
	t.Parallel()
	twice := wire(t, length(opened), opened, opened) + wire(t, "Connection: close\r\n"+length("{}"), "{}", "{}")
	for name, c := range map[string]struct {
		raw    string
		bodies []string
		url    string
	}{
		"two at once":    {twice, []string{opened, "{}"}, "http://localhost/"},
		"the whole URL":  {strings.Replace(wire(t, "Connection: close\r\n"+length("{}"), "{}", "{}"), "POST /", "POST http://hooks.test:1/a?b", 1), []string{"{}"}, "http://hooks.test:1/a?b"},
		"HTTP/1.0":       {strings.Replace(wire(t, length("{}"), "{}", "{}"), "HTTP/1.1", "HTTP/1.0", 1), []string{"{}"}, "http://localhost/"},
		"in chunks":      {wire(t, "Connection: close\r\nTransfer-Encoding: chunked\r\n", inChunks(opened), opened), []string{opened}, "http://localhost/"},
		"the same twice": {wire(t, "Connection: close\r\n"+length("{}")+length("{}"), "{}", "{}"), []string{"{}"}, "http://localhost/"},
		// RFC 9112, section 6.3: the chunks count, and the connection ends.
		"a length beside chunks": {wire(t, "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", inChunks("{}"), "{}"), []string{"{}"}, "http://localhost/"},
		"waits to be asked":      {wire(t, "Connection: close\r\nExpect: 100-continue\r\n"+length("{}"), "{}", "{}"), []string{"{}"}, "http://localhost/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options, done := newOptions(t)
			receiver := run(t, options, nil)
			raw := provoke(t, receiver.listeners[0].Addr().String(), c.raw)
			if got := strings.Count(raw, " 200 OK\r\n"); got != len(c.bodies) {
				t.Errorf("got %q, want it answered 200 %d times", raw, len(c.bodies))
			}
			for _, want := range c.bodies {
				if got := receive(t, done, "the delivery").Record.Request; string(got.Body) != want || got.URL != c.url {
					t.Errorf("got %s %q, want %s %q", got.URL, got.Body, c.url, want)
				}
			}
		})
	}
}

// TestTooLargeIsRefusedUnread announces more than is allowed: whoever waits to be asked
// for it is not, and of what comes unasked no more is read than shows that it is too
// much.
func TestTooLargeIsRefusedUnread(t *testing.T) {
	t.Parallel()
	const large = "Content-Length: 30000\r\n"
	for name, raw := range map[string]string{
		"it says so":            wire(t, large, "", ""),
		"it waits to be asked":  wire(t, large+"Expect: 100-continue\r\n", "", ""),
		"in one chunk":          wire(t, "Transfer-Encoding: chunked\r\n", "7530\r\n"+strings.Repeat("a", 30_000), ""),
		"in chunks of one byte": wire(t, "Transfer-Encoding: chunked\r\n", strings.Repeat("1\r\na\r\n", 20_001), ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options, done := newOptions(t)
			options.MaxBody = 20_000
			options.Deadlines.Body = 2 * time.Second // for net/http waits for the end of chunks
			receiver := run(t, options, nil)
			conn := dial(t, receiver.listeners[0].Addr().String())
			go func() { _, _ = io.WriteString(conn, raw) }() // and keeps its side open
			got, err := io.ReadAll(conn)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection was left open")
			}
			if !strings.HasPrefix(string(got), "HTTP/1.1 413 ") {
				t.Errorf("got %q", got)
			}
			if len(done) != 0 {
				t.Error("it was a delivery")
			}
		})
	}
}

func TestSlowSendersAreCutOff(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"silence":          "",
		"half a header":    "POST / HTTP/1.1\r\nHost: loc",
		"half a body":      wire(t, "Content-Length: 100\r\n", "{", ""),
		"half a chunk":     wire(t, "Transfer-Encoding: chunked\r\n", "10\r\n{", ""),
		"half a large one": wire(t, "Content-Length: 1000000\r\n", strings.Repeat("a", 500_000), ""),
		"idle afterwards":  wire(t, length("{}"), "{}", "{}"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options, _ := newOptions(t)
			options.Deadlines = listen.Deadlines{Header: 50 * time.Millisecond, Body: 100 * time.Millisecond, Idle: 50 * time.Millisecond}
			receiver := run(t, options, nil)
			conn := dial(t, receiver.listeners[0].Addr().String())
			if _, err := io.WriteString(conn, raw); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(conn); err != nil {
				t.Errorf("got %q and %v, want the connection closed", got, err)
			}
		})
	}
}

func TestIdleConnectionsDoNotStopTheNextDelivery(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	receiver := run(t, options, nil)
	for i := range 300 {
		conn := dial(t, receiver.listeners[0].Addr().String())
		if i%2 == 0 {
			continue
		}
		if _, err := io.WriteString(conn, wire(t, "Content-Length: 100000\r\n", "{", "")); err != nil {
			t.Fatal(err)
		}
	}
	if got := do(t, newClient(t), post(t, receiver.url(), opened)); got.status != http.StatusOK {
		t.Errorf("got %d, want 200", got.status)
	}
	receive(t, done, "the delivery")
}

// TestLargeBodiesWaitForTheirPlace holds large deliveries back in Save: they fill the
// places there are, others wait outside, and a small one passes them all.
func TestLargeBodiesWaitForTheirPlace(t *testing.T) {
	t.Parallel()
	const places, more = 4, 3
	options, done := newOptions(t)
	saving, release := make(chan struct{}, places+more), make(chan struct{})
	options.Save = saves(t, func(record delivery.Record) error {
		if len(record.Request.Body) > 1000 {
			saving <- struct{}{}
			<-release
		}
		return nil
	})
	receiver := run(t, options, nil)
	large := `{"a":"` + strings.Repeat("a", 500_000) + `"}`
	var wait sync.WaitGroup
	for range places + more {
		request := post(t, receiver.url(), large)
		client := newClient(t)
		wait.Go(func() {
			if got, err := try(client, request); err != nil || got.status != http.StatusOK {
				t.Errorf("got %d and %v, want 200", got.status, err)
			}
		})
	}
	for range places {
		receive(t, saving, "a large delivery to be saved")
	}
	for range 20 {
		do(t, newClient(t), post(t, receiver.url(), opened))
		receive(t, done, "a small delivery")
	}
	if len(saving) != 0 {
		t.Error("more large bodies are in memory than there are places")
	}
	close(release)
	for range places + more {
		if got := receive(t, done, "a large delivery"); len(got.Record.Request.Body) != len(large) {
			t.Errorf("got a body of %d bytes, want %d", len(got.Record.Request.Body), len(large))
		}
	}
	wait.Wait()
}

func FuzzRequests(f *testing.F) {
	options, done := newOptions(f)
	options.Deadlines = listen.Deadlines{Header: time.Second, Body: time.Second}
	receiver := run(f, options, nil)
	for _, body := range []string{opened, "{}", "\xff", "\u202e\x1b[31m"} {
		f.Add(wire(f, length(body), body, body))
		f.Add(wire(f, "Transfer-Encoding: chunked\r\nX-A: \u202e\u009b\r\n", inChunks(body), body))
	}
	f.Fuzz(func(t *testing.T, raw string) {
		provoke(t, receiver.listeners[0].Addr().String(), raw)
		for len(done) > 0 {
			line, err := (<-done).Record.Line()
			if err != nil || strings.ContainsFunc(strings.TrimSuffix(string(line), "\n"), func(r rune) bool { return r < ' ' || delivery.IsHidden(r) }) {
				t.Errorf("got %v and the line %q", err, line)
			}
		}
	})
}
