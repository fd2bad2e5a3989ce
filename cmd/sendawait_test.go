package cmd

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// TestWhereRepliesAreAwaited says where it listens, and what payloads then name when the
// port that was chosen is 4321.
func TestWhereRepliesAreAwaited(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, flags, want string }{
		{"a free port of this machine", "", "localhost:0 http://localhost:4321"},
		{"an address", "--reply-addr 127.0.0.1:9000", "127.0.0.1:9000 http://127.0.0.1:4321"},
		{"a port alone", "--reply-addr :9000", "localhost:9000 http://localhost:4321"},
		{"every address of this machine", "--reply-addr 0.0.0.0:9000", "0.0.0.0:9000 http://localhost:4321"},
		{"IPv6", "--reply-addr [::1]:9000", "::1:9000 http://[::1]:4321"},
		{"a URL with a port listens there", "--reply-url http://host.docker.internal:9000", "localhost:9000 http://host.docker.internal:9000"},
		{"a URL without gets the free port", "--reply-url http://host.docker.internal/", "localhost:0 http://host.docker.internal:4321"},
		{"a URL beside an address stays as it is", "--reply-addr :9000 --reply-url https://tunnel.test", "localhost:9000 https://tunnel.test"},
		{"both with ports", "--reply-addr 0.0.0.0:9000 --reply-url HTTP://Tunnel.test:80", "0.0.0.0:9000 http://tunnel.test:80"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got sendOptions
			command := newSendCmd(testApp(), func(_ context.Context, o *sendOptions) error { got = *o; return nil })
			args := strings.Fields("user.data_request --await-reply 5s " + c.flags)
			if err := parse(t, command, args); err != nil {
				t.Fatal(err)
			}
			host, port, origin := got.Await.Place.place()
			if text := fmt.Sprintf("%s:%d %s", host, port, origin(4321)); text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
		})
	}
}
