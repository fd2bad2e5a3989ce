package endpoint_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

// TestProxyInTheWay: what goes wrong at the proxy is not blamed on the target, and the
// proxy's password is not told.
func TestProxyInTheWay(t *testing.T) {
	t.Parallel()
	unused := unusedAddress(t)
	closed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	t.Cleanup(closed.Close)
	for name, c := range map[string]struct {
		proxy, target string
		kind          endpoint.Kind
		want          string
	}{
		"nothing listens": {
			"http://u:hunter2@" + unused, "http://x.test/hooks", endpoint.Refused,
			"no way to x.test through the proxy: connection refused: nothing listens on " + unused,
		},
		"nothing listens, on the way to TLS": {
			"http://u:hunter2@" + unused, "https://x.test/hooks", endpoint.Refused,
			"no way to x.test through the proxy: connection refused: nothing listens on " + unused,
		},
		"a proxy without an address": {
			"http://u:hunter2@a..b:8080", "https://x.test/hooks", endpoint.DNS,
			`no way to x.test through the proxy: no address for the host "a..b"`,
		},
		"a proxy that does not let it through": {
			strings.Replace(closed.URL, "//", "//u:hunter2@", 1), "https://x.test/hooks", endpoint.Refused,
			"no way to x.test through the proxy: " + strings.TrimPrefix(closed.URL, "http://") + " answers 407 Proxy Authentication Required",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy, err := url.Parse(c.proxy)
			if err != nil {
				t.Fatal(err)
			}
			base := http.DefaultTransport.(*http.Transport).Clone()
			base.Proxy = http.ProxyURL(proxy)
			_, err = post(t, clientOn(t, base, endpoint.ClientOptions{}), c.target)
			failure := wantKind(t, err, c.kind)
			if failure.Message != c.want || !strings.Contains(failure.Hint, "NO_PROXY=x.test") {
				t.Errorf("got %q with hint %q, want %q", failure.Message, failure.Hint, c.want)
			}
		})
	}
}
