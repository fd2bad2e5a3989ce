package listen_test

import (
	"net"
	"os"
	"strconv"
	"testing"

	"github.com/leapfinancial/m2m/internal/listen"
)

func TestReaches(t *testing.T) {
	t.Parallel()
	on := map[string][]net.Listener{
		"localhost": open(t, "localhost"),
		"127.0.0.1": open(t, "127.0.0.1"),
		"0.0.0.0":   open(t, "0.0.0.0"),
	}
	if hasIPv6(t) {
		on["::1"] = open(t, "::1")
		on["::"] = open(t, "::")
	}
	for _, c := range []struct {
		on, host string
		want     bool
	}{
		{"localhost", "localhost", true},
		{"localhost", "LocalHost", true},
		{"localhost", "127.0.0.1", true},
		{"localhost", "0.0.0.0", true},
		{"localhost", "::ffff:127.0.0.1", true},
		{"localhost", "127.0.0.2", false},
		{"localhost", "192.0.2.1", false},
		{"localhost", "m2m.invalid", false},
		{"127.0.0.1", "localhost", true},
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "::1", false},
		{"0.0.0.0", "localhost", true},
		{"0.0.0.0", "127.0.0.1", true},
		{"0.0.0.0", "127.8.9.10", true},
		{"0.0.0.0", "0.0.0.0", true},
		{"0.0.0.0", "192.0.2.1", false},
		{"::1", "localhost", true},
		{"::1", "::1", true},
		{"::1", "::", true},
		{"::1", "127.0.0.1", false},
		{"::", "::1", true},
		{"::", "localhost", true},
	} {
		listeners := on[c.on]
		if listeners == nil {
			continue // there is no IPv6 here
		}
		port := strconv.Itoa(listen.Port(listeners[0]))
		if got := listen.Reaches(t.Context(), c.host, port, listeners); got != c.want {
			t.Errorf("on %s, dialling %s: got %t, want %t", c.on, c.host, got, c.want)
		}
		if listen.Reaches(t.Context(), c.host, "1", listeners) {
			t.Errorf("on %s, dialling %s on another port: got true", c.on, c.host)
		}
	}
}

// TestReachesByAnyNameOfTheMachine dials what it asks about, where listening is on
// all addresses.
func TestReachesByAnyNameOfTheMachine(t *testing.T) {
	t.Parallel()
	listeners := open(t, "0.0.0.0")
	port := strconv.Itoa(listen.Port(listeners[0]))
	var names []string
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok {
			names = append(names, network.IP.String())
		}
	}
	for _, name := range names {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", net.JoinHostPort(name, port))
		if err != nil {
			continue // nobody comes in there
		}
		_ = conn.Close()
		if !listen.Reaches(t.Context(), name, port, listeners) {
			t.Errorf("%s leads here and does not reach", name)
		}
	}
}
