package partner_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/partner"
)

func collector(t *testing.T, origin string) (c *partner.Collector, strays *[]string) {
	t.Helper()
	u, err := url.Parse(origin)
	if err != nil {
		t.Fatal(err)
	}
	strays = &[]string{}
	return &partner.Collector{
		Mock:   partner.NewMock(partner.MockOptions{Now: time.Now}),
		Origin: u,
		Stray: func(r *http.Request, status int) {
			*strays = append(*strays, fmt.Sprint(r.Method, " ", r.Host, r.URL.Path, " ", status))
		},
	}, strays
}

func TestCollectorTakesRepliesUnderItsOwnNamesAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, host, method, path string
		want                     int
		stray                    bool
	}{
		{"loopback by name", "localhost:4000", "PUT", "/partner/data-requests/dr_1", 401, false},
		{"loopback by number", "127.0.0.1:4000", "PUT", "/partner/data-requests/dr_1", 401, false},
		{"loopback without a port", "[::1]", "PUT", "/partner/data-requests/dr_1", 401, false},
		{"the name of its origin", "Host.Docker.Internal:9000", "PUT", "/partner/data-requests/dr_1", 401, false},
		{"the same behind another port", "host.docker.internal", "PUT", "/partner/data-requests/dr_1", 401, false},
		{"another name", "evil.test:9000", "PUT", "/partner/data-requests/dr_1", 421, true},
		{"a name that begins like it", "host.docker.internal.evil.test", "PUT", "/partner/data-requests/dr_1", 421, true},
		{"no name", "", "PUT", "/partner/data-requests/dr_1", 421, true},
		{"another path", "localhost", "PUT", "/webhooks/m2m", 404, true},
		{"another method", "localhost", "POST", "/partner/data-requests/dr_1", 405, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			taker, strays := collector(t, "http://host.docker.internal:9000")
			r := httptest.NewRequest(c.method, c.path, strings.NewReader("{}"))
			r.Host = c.host
			w := httptest.NewRecorder()
			taker.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("got %d, want %d", w.Code, c.want)
			}
			var want []string
			if c.stray {
				want = []string{fmt.Sprint(c.method, " ", c.host, c.path, " ", c.want)}
			}
			if !slices.Equal(*strays, want) {
				t.Errorf("got strays %q, want %q", *strays, want)
			}
		})
	}
}

func TestCollectorNamesItsReplyEndpoint(t *testing.T) {
	t.Parallel()
	c, _ := collector(t, "https://tunnel.test:8443")
	if got, want := c.ReplyEndpoint("dr 1"), "https://tunnel.test:8443/partner/data-requests/dr%201"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCollectorServesUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	origin := "http://" + listener.Addr().String()
	c, _ := collector(t, origin)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(ctx, []net.Listener{listener}) }()
	put, err := http.NewRequestWithContext(t.Context(), http.MethodPut, c.ReplyEndpoint("dr_1"), strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	response, err := client.Do(put)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("got %d, want 401", response.StatusCode)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("got error %v", err)
	}
	if response, err := client.Do(put.Clone(t.Context())); err == nil {
		response.Body.Close()
		t.Error("it still answers")
	}
}
