package endpoint_test

import (
	"testing"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

func TestIsLoopback(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost":            true,
		"LocalHost":            true,
		"127.0.0.1":            true,
		"127.0.0.53":           true,
		"127.255.255.255":      true,
		"::1":                  true,
		"[::1]":                true,
		"0:0:0:0:0:0:0:1":      true,
		"::ffff:127.0.0.1":     true, // dialled as 127.0.0.1
		"":                     false,
		"[]":                   false,
		"localhost.":           false,
		"localhost.test":       false,
		"x.localhost":          false,
		"localhost.x.test":     false,
		"127.0.0.1.nip.io":     false,
		"localho\u017ft":       false, // the long s, which Unicode folds to an s
		" localhost":           false,
		"localhost\x00":        false,
		"127.1":                false,
		"127.0.0.1.":           false,
		"2130706433":           false,
		"0x7f000001":           false,
		"0177.0.0.1":           false,
		"127.0.0.01":           false,
		"126.255.255.255":      false,
		"128.0.0.0":            false,
		"0.0.0.0":              false,
		"::":                   false,
		"::2":                  false,
		"::1%lo":               false,
		"fe80::1%lo":           false,
		"::127.0.0.1":          false,
		"::ffff:128.0.0.1":     false,
		"64:ff9b::127.0.0.1":   false,
		"10.0.0.1":             false,
		"192.168.0.1":          false,
		"ip6-localhost":        false,
		"host.docker.internal": false,
		"x.test":               false,
		"127.0.0.1:3000":       false, // a port is no part of a host
		"localhost:3000":       false,
	} {
		if got := endpoint.IsLoopback(host); got != want {
			t.Errorf("%q: got %t, want %t", host, got, want)
		}
	}
}

func TestIsLoopbackHostPort(t *testing.T) {
	t.Parallel()
	for hostPort, want := range map[string]bool{
		"localhost":             true,
		"localhost:3000":        true,
		"LOCALHOST:3000":        true,
		"127.0.0.1:51234":       true,
		"[::1]:3000":            true,
		"[::1]":                 true,
		"::1":                   true,
		"":                      false,
		":3000":                 false,
		"x.test:3000":           false,
		"x.test":                false,
		"localhost.x.test:3000": false,
		"localhost:3000:3000":   false,
		"localhost@x.test:3000": false,
		"x.test@localhost":      false,
		"x.test#localhost:3000": false,
		"0.0.0.0:3000":          false,
		"[::]:3000":             false,
		"[fe80::1%lo]:3000":     false,
		"127.0.0.1.nip.io:3000": false,
	} {
		if got := endpoint.IsLoopbackHostPort(hostPort); got != want {
			t.Errorf("%q: got %t, want %t", hostPort, got, want)
		}
	}
}
