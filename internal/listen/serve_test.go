package listen_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/listen"
)

// running is a receiver on ports of its own that ends when stop is called.
type running struct {
	listeners []net.Listener
	stop      context.CancelFunc
	ended     chan error
}

func run(tb testing.TB, options listen.Options, certificate *tls.Certificate) running {
	tb.Helper()
	listeners, err := listen.Listen(tb.Context(), "localhost", 0)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(tb.Context()))
	tb.Cleanup(stop)
	r := running{listeners, stop, make(chan error, 1)}
	go func() { r.ended <- listen.NewServer(options).Serve(ctx, listeners, certificate) }()
	return r
}

func (r running) url() string { return "http://" + r.listeners[0].Addr().String() }

// newClient returns a client that keeps its connections until the test ends.
func newClient(tb testing.TB) *http.Client {
	tb.Helper()
	transport := &http.Transport{}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestServeReceivesOnEveryListener(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	receiver := run(t, options, nil)
	for _, listener := range receiver.listeners {
		got := do(t, newClient(t), post(t, "http://"+listener.Addr().String(), opened))
		if got.status != http.StatusOK {
			t.Errorf("%s: got %d, want 200", listener.Addr(), got.status)
		}
		receive(t, done, "the delivery")
	}
	receiver.stop()
	if err := receive(t, receiver.ended, "the end"); err != nil {
		t.Error(err)
	}
}

func TestServeFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	saving, release := make(chan struct{}), make(chan struct{})
	options.Save = func([]byte) error {
		close(saving)
		<-release
		return nil
	}
	receiver := run(t, options, nil)
	client, request := newClient(t), post(t, receiver.url(), opened)
	answered := make(chan answer, 1)
	go func() {
		got, err := try(client, request)
		if err != nil {
			t.Error(err)
		}
		answered <- got
	}()
	receive(t, saving, "Save")
	receiver.stop()
	for _, listener := range receiver.listeners {
		waitClosed(t, listener)
	}
	select {
	case err := <-receiver.ended:
		t.Fatalf("ended with %v, a delivery in flight", err)
	default:
	}
	close(release)
	if got := receive(t, answered, "the answer"); got.status != http.StatusOK {
		t.Errorf("got %d, want 200", got.status)
	}
	if err := receive(t, receiver.ended, "the end"); err != nil {
		t.Error(err)
	}
	if len(done) != 1 {
		t.Errorf("got %d deliveries handed on by the end, want 1", len(done))
	}
}

// waitClosed waits until nobody listens there.
func waitClosed(tb testing.TB, listener net.Listener) {
	tb.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		var dialer net.Dialer
		conn, err := dialer.DialContext(tb.Context(), "tcp", listener.Addr().String())
		if err != nil {
			return
		}
		_ = conn.Close()
		if time.Now().After(deadline) {
			tb.Fatalf("%s still takes connections", listener.Addr())
		}
		runtime.Gosched()
	}
}

func TestIdleConnectionsDoNotHoldTheEnd(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	options.Deadlines.Drain = time.Hour
	receiver := run(t, options, nil)
	do(t, newClient(t), post(t, receiver.url(), opened)) // and keeps its connection
	receive(t, done, "the delivery")
	receiver.stop()
	if err := receive(t, receiver.ended, "the end"); err != nil {
		t.Error(err)
	}
}

// TestServeLeavesNothingBehind is not parallel: it looks at all goroutines there are.
func TestServeLeavesNothingBehind(t *testing.T) { //nolint:paralleltest // it counts goroutines
	before := serving()
	options, done := newOptions(t)
	for range 3 {
		receiver := run(t, options, nil)
		do(t, newClient(t), post(t, receiver.url(), opened))
		receive(t, done, "the delivery")
		receiver.stop()
		if err := receive(t, receiver.ended, "the end"); err != nil {
			t.Error(err)
		}
		for _, listener := range receiver.listeners {
			if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s was left open: %v", listener.Addr(), err)
			}
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for serving() > before {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left", serving()-before)
		}
		runtime.Gosched()
	}
}

// serving counts the goroutines of HTTP servers.
func serving() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	count := 0
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "net/http.(*conn)") || strings.Contains(stack, "net/http.(*Server)") ||
			strings.Contains(stack, "listen.(*Server)") {
			count++
		}
	}
	return count
}

func TestServeTellsThatAListenerBroke(t *testing.T) {
	t.Parallel()
	options, _ := newOptions(t)
	receiver := run(t, options, nil)
	if err := receiver.listeners[0].Close(); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, receiver.ended, "the end"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got error %v, want %v", err, net.ErrClosed)
	}
}

func TestServeTLS(t *testing.T) {
	t.Parallel()
	donor := httptest.NewTLSServer(nil)
	donor.Close()
	options, done := newOptions(t)
	options.Scheme = "https"
	receiver := run(t, options, &donor.TLS.Certificates[0])
	t.Cleanup(donor.Client().CloseIdleConnections)
	url := "https://" + receiver.listeners[0].Addr().String() + "/hooks"
	if got := do(t, donor.Client(), post(t, url, opened)); got.status != http.StatusOK {
		t.Errorf("got %d, want 200", got.status)
	}
	if got := receive(t, done, "the delivery").Record.Request.URL; got != url {
		t.Errorf("got %s, want %s", got, url)
	}
	plain := exchange(t, receiver.listeners[0].Addr().String(), "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if strings.Contains(plain, "200 OK") || len(done) != 0 {
		t.Errorf("plain HTTP was answered %q", plain)
	}
}

func TestListenOnLocalhostIsBothAddresses(t *testing.T) {
	t.Parallel()
	listeners := open(t, "LOCALHOST")
	var got []string
	for _, listener := range listeners {
		host, _, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, host)
		if port := listen.Port(listener); port == 0 || port != listen.Port(listeners[0]) {
			t.Errorf("%s has port %d", listener.Addr(), port)
		}
	}
	want := "127.0.0.1 ::1"
	if !hasIPv6(t) {
		want = "127.0.0.1"
	}
	if strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestListenOnOneAddress(t *testing.T) {
	t.Parallel()
	listeners := open(t, "127.0.0.1")
	if len(listeners) != 1 || listen.Port(listeners[0]) == 0 {
		t.Errorf("got %v", listeners)
	}
}

func TestListenOnAPortInUse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ taken, host string }{
		"the same address": {"127.0.0.1", "127.0.0.1"},
		"its IPv4 alone":   {"127.0.0.1", "localhost"},
		"its IPv6 alone":   {"::1", "localhost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.taken == "::1" && !hasIPv6(t) {
				t.Skip("there is no IPv6 here")
			}
			port := listen.Port(open(t, c.taken)[0])
			listeners, err := listen.Listen(t.Context(), c.host, port)
			if err == nil {
				t.Fatalf("got %v, want an error", listeners)
			}
			if !strings.Contains(err.Error(), strconv.Itoa(port)) {
				t.Errorf("got error %q, want one that names the port", err)
			}
		})
	}
}

func open(tb testing.TB, host string) []net.Listener {
	tb.Helper()
	listeners, err := listen.Listen(tb.Context(), host, 0)
	if err != nil {
		tb.Fatal(err)
	}
	for _, listener := range listeners {
		tb.Cleanup(func() { _ = listener.Close() })
	}
	return listeners
}

func hasIPv6(tb testing.TB) bool {
	tb.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(tb.Context(), "tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	return listener.Close() == nil
}

func TestASilentConnectionDoesNotHoldTheEnd(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	options.Deadlines.Drain = time.Hour
	receiver := run(t, options, nil)
	silent, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", receiver.listeners[0].Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	// Connections are taken in their order, so once this one was answered the
	// silent one is known.
	do(t, newClient(t), post(t, receiver.url(), opened))
	receive(t, done, "the delivery")
	receiver.stop()
	if err := receive(t, receiver.ended, "the end"); err != nil {
		t.Error(err)
	}
}
