package cmd

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestDemoNeedsNoNames(t *testing.T) {
	t.Parallel()
	world := *testApp().env
	var out bytes.Buffer
	world.Out, world.Err = &out, &out
	world.Transport = &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if strings.HasPrefix(addr, "localhost:") {
			return nil, &net.DNSError{Err: "no such host", Name: "localhost", IsNotFound: true}
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}
	if code := run(t.Context(), &world, []string{"demo"}); code != exitDone {
		t.Errorf("exit code %d, want %d, where localhost is not known:\n%s", code, exitDone, &out)
	}
}
