package listen_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
)

// TestForwardOverHTTP2 speaks HTTP/2 to the receiver and has it speak HTTP/2 to the app.
func TestForwardOverHTTP2(t *testing.T) {
	t.Parallel()
	app := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-App", r.Proto)
		w.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
		w.WriteHeader(http.StatusAccepted)
	}))
	app.EnableHTTP2 = true
	app.StartTLS()
	t.Cleanup(app.Close)
	options, done := newOptions(t)
	options.Scheme = "https"
	options.Forward = forwardTo(t, app.URL, endpoint.ClientOptions{Insecure: true})
	receiver := run(t, options, &app.TLS.Certificates[0])
	t.Cleanup(app.Client().CloseIdleConnections)
	got := do(t, app.Client(), post(t, "https://"+receiver.listeners[0].Addr().String(), opened))
	if got.status != http.StatusAccepted || got.header.Get("X-App") != "HTTP/2.0" || len(got.header["Set-Cookie"]) != 2 {
		t.Errorf("got %d %v, want what the app said over HTTP/2", got.status, got.header)
	}
	receive(t, done, "the delivery")
}

// TestOrderIsKeptPerConnection sends many deliveries at once over one HTTP/2 connection,
// and finds them at the app one after the other, while another sender is not held up.
func TestOrderIsKeptPerConnection(t *testing.T) {
	t.Parallel()
	const streams = 20
	donor := httptest.NewUnstartedServer(http.NotFoundHandler())
	donor.EnableHTTP2 = true
	donor.StartTLS()
	t.Cleanup(donor.Close)
	options, done := newOptions(t)
	var inside, overlaps atomic.Int64
	first, release := make(chan struct{}), make(chan struct{})
	open := sync.OnceFunc(func() { close(first) })
	options.Forward = func(_ context.Context, request delivery.Request) (*delivery.Response, io.ReadCloser, *delivery.Error) {
		if string(request.Body) == "{}" {
			return &delivery.Response{Status: 204}, nil, nil
		}
		if inside.Add(1) != 1 {
			overlaps.Add(1)
		}
		open()
		<-release
		inside.Add(-1)
		return &delivery.Response{Status: 200}, nil, nil
	}
	receiver := run(t, options, &donor.TLS.Certificates[0])
	url := "https://" + receiver.listeners[0].Addr().String()
	do(t, donor.Client(), post(t, url, "{}")) // makes the one connection
	var wait sync.WaitGroup
	for range streams {
		request := post(t, url, opened)
		wait.Go(func() {
			if got, err := try(donor.Client(), request); err != nil || got.status != http.StatusOK {
				t.Errorf("got %d and %v, want 200", got.status, err)
			}
		})
	}
	receive(t, first, "the first delivery at the app")
	other := &http.Client{Transport: donor.Client().Transport.(*http.Transport).Clone()}
	t.Cleanup(other.CloseIdleConnections)
	if got := do(t, other, post(t, url, "{}")); got.status != http.StatusNoContent {
		t.Errorf("another sender is answered %d", got.status)
	}
	close(release)
	wait.Wait()
	if overlaps.Load() != 0 {
		t.Errorf("%d deliveries of one connection were at the app beside others", overlaps.Load())
	}
	for range streams + 2 {
		receive(t, done, "a delivery")
	}
	donor.Client().CloseIdleConnections()
}

// TestWhatTheAppWorksOnIsFinished ends the receiver, and the app takes longer than the
// end waits for what has not arrived.
func TestWhatTheAppWorksOnIsFinished(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	options.Deadlines.Drain = 20 * time.Millisecond
	working, release := make(chan struct{}), make(chan struct{})
	options.Forward = func(context.Context, delivery.Request) (*delivery.Response, io.ReadCloser, *delivery.Error) {
		close(working)
		<-release
		return &delivery.Response{Status: 202}, nil, nil
	}
	receiver := run(t, options, nil)
	client, request := newClient(t), post(t, receiver.url(), opened)
	answered := make(chan int, 1)
	go func() {
		got, err := try(client, request)
		if err != nil {
			t.Error(err)
		}
		answered <- got.status
	}()
	receive(t, working, "the app")
	receiver.stop()
	select {
	case err := <-receiver.ended:
		t.Fatalf("ended with %v, a delivery at the app", err)
	case <-time.After(100 * time.Millisecond): // five times what the rest may take
	}
	close(release)
	if got := receive(t, answered, "the answer"); got != http.StatusAccepted {
		t.Errorf("got %d, want 202", got)
	}
	if err := receive(t, receiver.ended, "the end"); err != nil {
		t.Error(err)
	}
	if len(done) != 1 {
		t.Errorf("got %d deliveries handed on by the end, want 1", len(done))
	}
}
