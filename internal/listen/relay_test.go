package listen_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/listen"
)

func longBody() string { return strings.Repeat("0123456789abcdef", 5*endpoint.MaxAnswer/16) + "end" }

func TestForwardRelaysAllOfALongAnswer(t *testing.T) {
	t.Parallel()
	long := longBody()
	for name, c := range map[string]struct {
		answer, length string
		body           string
	}{
		"with a length":                   {fmt.Sprintf("HTTP/1.1 202 Accepted\r\nContent-Length: %d\r\n\r\n%s", len(long), long), fmt.Sprint(len(long)), long},
		"in chunks":                       {fmt.Sprintf("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(long), long), "", long},
		"up to the end of the connection": {"HTTP/1.0 202 Accepted\r\n\r\n" + long, "", long},
		"one byte more": {
			fmt.Sprintf("HTTP/1.1 202 Accepted\r\nContent-Length: %d\r\n\r\n%s", endpoint.MaxAnswer+1, long[:endpoint.MaxAnswer+1]),
			fmt.Sprint(endpoint.MaxAnswer + 1), long[:endpoint.MaxAnswer+1],
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, _ := rawApp(t, c.answer)
			options, done := newOptions(t)
			options.Forward = forwardTo(t, app, endpoint.ClientOptions{Timeout: time.Minute})
			server := serve(t, options)
			client := newClient(t)
			for range 2 { // the connection goes on
				got := do(t, client, post(t, server.URL, opened))
				if got.status != http.StatusAccepted || got.body != c.body || got.header.Get("Content-Length") != c.length {
					t.Errorf("got %d, %d bytes and the length %q; want 202, %d and %q",
						got.status, len(got.body), got.header.Get("Content-Length"), len(c.body), c.length)
				}
				told := receive(t, done, "the delivery")
				if response := told.Record.Response; !response.Truncated || string(response.Body) != long[:endpoint.MaxAnswer] {
					t.Errorf("the record has %d bytes, cut %t", len(response.Body), response.Truncated)
				}
			}
		})
	}
}

// TestALongAnswerGoesOutAsItComes has an app wait in the middle of its answer for the
// sender to have read the beginning: by then, that is on file.
func TestALongAnswerGoesOutAsItComes(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, longBody()[:endpoint.MaxAnswer+1])
		_ = http.NewResponseController(w).Flush()
		<-begun
		_, _ = io.WriteString(w, "end")
	}))
	t.Cleanup(app.Close)
	options, done := newOptions(t)
	options.Forward = forwardTo(t, app.URL, endpoint.ClientOptions{Timeout: time.Minute})
	saved := make(chan delivery.Record, 1)
	options.Save = saves(t, func(record delivery.Record) error {
		saved <- record
		return nil
	})
	response, err := newClient(t).Do(post(t, serve(t, options).URL, opened))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.ReadFull(response.Body, make([]byte, endpoint.MaxAnswer/2)); err != nil {
		t.Fatal(err)
	}
	if len(saved) != 1 {
		t.Error("the answer goes out before the record is on file")
	}
	receive(t, done, "the delivery to be shown")
	close(begun)
	if rest, err := io.ReadAll(response.Body); err != nil || !strings.HasSuffix(string(rest), "end") {
		t.Errorf("got %d bytes more and %v", len(rest), err)
	}
}

// TestTheRestDoesNotWaitForWhatIsTold has Done block while a long answer goes out, and the
// end wait for it.
func TestTheRestDoesNotWaitForWhatIsTold(t *testing.T) {
	t.Parallel()
	long := longBody()
	app, _ := rawApp(t, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(long), long))
	options, _ := newOptions(t)
	options.Forward = forwardTo(t, app, endpoint.ClientOptions{Timeout: time.Minute})
	release, told := make(chan struct{}), make(chan struct{})
	options.Done = func(listen.Delivery) {
		<-release
		close(told)
	}
	receiver := run(t, options, nil)
	if got := do(t, newClient(t), post(t, receiver.url(), opened)); got.body != long {
		t.Errorf("got %d bytes, want %d", len(got.body), len(long))
	}
	receiver.stop()
	for _, listener := range receiver.listeners {
		waitClosed(t, listener)
	}
	select {
	case err := <-receiver.ended:
		t.Errorf("ended with %v before all was told", err)
	default:
	}
	close(release)
	receive(t, told, "Done")
	if err := receive(t, receiver.ended, "the end"); err != nil {
		t.Error(err)
	}
}

// TestAnAnswerThatBreaksOffDoesSoForTheSender holds that nobody takes the beginning of an
// answer for the whole.
func TestAnAnswerThatBreaksOffDoesSoForTheSender(t *testing.T) {
	t.Parallel()
	long := longBody()
	donor := httptest.NewUnstartedServer(http.NotFoundHandler())
	donor.EnableHTTP2 = true
	donor.StartTLS()
	t.Cleanup(donor.Close)
	t.Cleanup(donor.Client().CloseIdleConnections)
	for name, c := range map[string]struct {
		answer string
		kind   endpoint.Kind
	}{
		"before its length":           {fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(long)+1, long), endpoint.Reset},
		"before its last chunk":       {fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(long), long), endpoint.Reset},
		"with chunks that are broken": {fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\nzz\r\n", len(long), long), endpoint.Protocol},
	} {
		for proto, options := range map[string]struct {
			secure bool
			client *http.Client
		}{"HTTP/1.1": {false, newClient(t)}, "HTTP/2.0": {true, donor.Client()}} {
			t.Run(name+", over "+proto, func(t *testing.T) {
				t.Parallel()
				app, _ := rawApp(t, c.answer)
				o, done := newOptions(t)
				broken := brokenOff(&o)
				o.Forward = forwardTo(t, app, endpoint.ClientOptions{Timeout: time.Minute})
				url := ""
				if options.secure {
					url = "https://" + run(t, o, &donor.TLS.Certificates[0]).listeners[0].Addr().String()
				} else {
					url = run(t, o, nil).url()
				}
				breaksOff(t, options.client, url, done, broken, c.kind)
			})
		}
	}
}

// TestAnAnswerThatStallsBreaksOffInTime has an app go silent once its answer has begun to
// go out.
func TestAnAnswerThatStallsBreaksOffInTime(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, longBody()[:endpoint.MaxAnswer+1])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(over)
	}))
	t.Cleanup(app.Close)
	options, done := newOptions(t)
	broken := brokenOff(&options)
	options.Forward = forwardTo(t, app.URL, endpoint.ClientOptions{Timeout: 2 * time.Second})
	breaksOff(t, newClient(t), serve(t, options).URL, done, broken, endpoint.Timeout)
	receive(t, over, "the app to be left")
}

// brokenOff returns where the options tell of answers that break off.
func brokenOff(options *listen.Options) <-chan error {
	broken := make(chan error, 1)
	options.BrokenOff = func(err error) { broken <- err }
	return broken
}

// breaksOff makes a delivery whose answer breaks off, and is told why.
func breaksOff(t *testing.T, client *http.Client, url string, done <-chan listen.Delivery, broken <-chan error, kind endpoint.Kind) {
	t.Helper()
	got, err := try(client, post(t, url, opened))
	if err == nil || got.status != http.StatusOK {
		t.Errorf("the sender got %d, %d bytes and %v; want 200 and an error", got.status, len(got.body), err)
	}
	told := receive(t, done, "the delivery")
	var failure *endpoint.Error
	if err := receive(t, broken, "why"); !errors.As(err, &failure) || failure.Kind != kind {
		t.Errorf("it is told that the rest came to %v, want %s", err, kind)
	}
	if told.Record.Response.Status != http.StatusOK || !told.Record.Response.Truncated {
		t.Errorf("the record has %d, cut %t", told.Record.Response.Status, told.Record.Response.Truncated)
	}
}

// TestASenderThatTakesNothingIsGivenUp has one stay, but read nothing of an answer
// without an end.
func TestASenderThatTakesNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	app, left := endlessApp(t)
	options, done := newOptions(t)
	options.Deadlines.Body = 100 * time.Millisecond
	options.Forward = forwardTo(t, app, endpoint.ClientOptions{})
	conn := dial(t, serve(t, options).Listener.Addr().String())
	if _, err := io.WriteString(conn, wire(t, length(opened), opened, opened)); err != nil {
		t.Fatal(err)
	}
	receive(t, left, "the app to be left")
	receive(t, done, "the delivery")
}

// endlessApp is an app whose answer has no end. It closes left when nobody listens.
func endlessApp(t *testing.T) (url string, left <-chan struct{}) {
	t.Helper()
	gone := make(chan struct{})
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(gone)
		for block := []byte(longBody()); ; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	t.Cleanup(app.Close)
	return app.URL, gone
}

// TestALongAnswerIsLeftAlone has nobody take the rest: the sender goes away, or the
// record cannot be saved. The app sees it.
func TestALongAnswerIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, full := range map[string]error{"the sender goes": nil, "it cannot be saved": errors.New("no space left")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, left := endlessApp(t)
			options, done := newOptions(t)
			options.Forward = forwardTo(t, app, endpoint.ClientOptions{})
			options.Save = func([]byte) error { return full }
			options.BrokenOff = func(err error) { t.Errorf("it is told that the answer broke off: %v", err) }
			response, err := newClient(t).Do(post(t, serve(t, options).URL, opened))
			if err != nil {
				t.Fatal(err)
			}
			if full != nil && response.StatusCode != http.StatusInternalServerError {
				t.Errorf("answered %d, want 500", response.StatusCode)
			}
			_ = response.Body.Close()
			receive(t, left, "the app to be left")
			receive(t, done, "the delivery")
		})
	}
}
