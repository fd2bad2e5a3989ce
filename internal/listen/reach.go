package listen

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// lookupTimeout bounds the look-up of a name.
const lookupTimeout = 3 * time.Second

// Reaches says whether whoever dials the host and port reaches one of the listeners,
// whatever name or address of this machine the host is. A name that does not resolve
// reaches none.
func Reaches(ctx context.Context, host, port string, listeners []net.Listener) bool {
	addresses := resolve(ctx, host)
	for _, listener := range listeners {
		listening, err := netip.ParseAddrPort(listener.Addr().String())
		if err != nil || strconv.Itoa(int(listening.Port())) != port {
			continue
		}
		for _, address := range addresses {
			own := listening.Addr().Unmap().IsUnspecified() && isOwn(address)
			if own || address.WithZone("") == listening.Addr().Unmap().WithZone("") {
				return true
			}
		}
	}
	return false
}

func resolve(ctx context.Context, host string) []netip.Addr {
	if strings.EqualFold(host, "localhost") {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	for i, address := range found {
		// Dialling 0.0.0.0 or :: reaches this machine.
		if found[i] = address.Unmap(); found[i].IsUnspecified() {
			found = append(found, netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback())
		}
	}
	return found
}

// isOwn says whether an address is one of this machine's.
func isOwn(address netip.Addr) bool {
	if address.IsLoopback() || address.IsUnspecified() {
		return true
	}
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, one := range interfaces {
		prefix, err := netip.ParsePrefix(one.String())
		if err == nil && prefix.Addr().Unmap().WithZone("") == address.WithZone("") {
			return true
		}
	}
	return false
}
