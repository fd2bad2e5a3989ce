package endpoint

import (
	"net"
	"net/netip"
	"strings"
)

// IsLoopback says whether a host, without a port, is this machine and no other:
// the name "localhost", an address in 127.0.0.0/8, or ::1. A name that merely
// resolves to such an address is none, because it may resolve to another one the
// next time.
func IsLoopback(host string) bool {
	if isLocalhost(host) {
		return true
	}
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil && address.Zone() == "" && address.Unmap().IsLoopback()
}

func isLocalhost(host string) bool { return lower(host) == "localhost" }

// IsLoopbackHostPort is IsLoopback for a Host header or a network address, with
// or without a port.
func IsLoopbackHostPort(hostPort string) bool {
	if host, _, err := net.SplitHostPort(hostPort); err == nil {
		return IsLoopback(host)
	}
	return IsLoopback(hostPort)
}

// lower returns a host name in lower case, as DNS compares names: ASCII letters
// alone. Unicode's rules would make an İ or the Kelvin sign the letter of another
// name.
func lower(host string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, host)
}
