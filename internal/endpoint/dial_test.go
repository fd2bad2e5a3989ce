package endpoint_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

// TestLocalhostOnIPv6Alone holds the same port on 127.0.0.1 with a connection that
// nobody listens behind, so that it is refused there.
func TestLocalhostOnIPv6Alone(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no ::1: %v", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	holder := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}}
	held, err := holder.DialContext(t.Context(), "tcp", listen(t, "127.0.0.1:0").Addr().String())
	if err != nil {
		_ = listener.Close()
		t.Skipf("port %d of 127.0.0.1 is in use: %v", port, err)
	}
	t.Cleanup(func() { _ = held.Close() })
	server := &httptest.Server{
		Listener: listener,
		Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Host)
		})},
	}
	server.Start()
	defer server.Close()
	for _, host := range []string{"localhost", "LOCALHOST"} {
		host = fmt.Sprintf("%s:%d", host, port)
		got, err := post(t, client(t, endpoint.ClientOptions{}), "http://"+host)
		if err != nil || string(got.Body) != host {
			t.Errorf("got %q and error %v, want an answer to %s", got.Body, err, host)
		}
	}
}

func TestLocalhostOnIPv4(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	got, err := post(t, client(t, endpoint.ClientOptions{}), "http://localhost:"+port)
	if err != nil || got.Status != 404 {
		t.Errorf("got %d and error %v, want 404", got.Status, err)
	}
}

// TestProxy: what goes to this machine goes past the proxy, in whatever way the
// address is spelled, or a key that may go to loopback alone would leave it.
func TestProxy(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "proxy: "+r.URL.String())
	}))
	defer proxy.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "server")
	}))
	defer server.Close()
	proxyURL, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.Proxy = http.ProxyURL(proxyURL)
	c := clientOn(t, base, endpoint.ClientOptions{})
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{
		"http://x.test/hooks":                     "proxy: http://x.test/hooks",
		"http://localhost.x.test/":                "proxy: http://localhost.x.test/",
		"http://localhost:" + port:                "server",
		"http://LocalHost:" + port:                "server",
		"http://127.0.0.1:" + port:                "server",
		"http://[::ffff:127.0.0.1]:" + port + "/": "server",
	} {
		got, err := post(t, c, target)
		if err != nil || string(got.Body) != want {
			t.Errorf("%s: got %q and error %v, want %q", target, got.Body, err, want)
		}
	}
}
