package endpoint_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

// dialled is the error of a dial that was only looked at.
type dialled struct{ addr string }

func (d dialled) Error() string { return "dialling " + d.addr }

// where returns the address that net/http would connect to for a request to u.
func where(t *testing.T, u *url.URL) string {
	t.Helper()
	look := func(_ context.Context, _, addr string) (net.Conn, error) { return nil, dialled{addr} }
	transport := &http.Transport{DialContext: look}
	request := (&http.Request{Method: http.MethodPut, URL: u, Header: http.Header{}}).WithContext(t.Context())
	response, err := transport.RoundTrip(request)
	var place dialled
	switch {
	case err == nil:
		_ = response.Body.Close()
		t.Fatalf("%s was answered", u)
	case !errors.As(err, &place):
		return "" // no URL to connect to
	}
	return place.addr
}

// FuzzCheckPlace: where a key may go by the rules, net/http connects to M2M itself, by
// TLS, or to this machine.
func FuzzCheckPlace(f *testing.F) {
	for _, seed := range []string{
		"https://api.m2m.leapfinancial.com" + replyPath, "https://api.sandbox.m2m.leapfinancial.com:443" + replyPath,
		"http://localhost:3000/", "https://LOCALHOST", "http://127.0.0.1:1/x?y", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://2130706433/",
		"http://0/", "http://127.1/", "http://0.0.0.0/", "http://[::]/", "http://localhost.evil.test/", "https://api.m2m.leapfinancial.com.evil.test" + replyPath,
		"https://api.m2m.leapfinancial.com:444" + replyPath, "http://api.m2m.leapfinancial.com" + replyPath, "https://a@api.m2m.leapfinancial.com" + replyPath,
		"https://api.m2m.leapfinancial.com/partner/data-requests/../x", "https://api.m2m.leapfinancial.com" + replyPath + "?a", "https://\u212aocalhost/",
		"http://localhost\u3002/", "https://api.m2m.leapfinancial.com\\@evil.test" + replyPath, "http://localhost%2eevil.test", "//localhost/", "http:localhost",
		"http://[::1%25eth0]/", "http://loc\u0430lhost/", "http://\uff11\uff12\uff17.0.0.1/", "http://localhost:@evil.test", "https://api.m2m.leapfinanCial.com" + replyPath,
	} {
		f.Add(seed, requestID)
	}
	f.Add("https://api.m2m.leapfinancial.com/partner/data-requests/a%2Fb", "a/b")
	f.Fuzz(func(t *testing.T, text, id string) {
		u, err := url.Parse(text)
		if err != nil || (endpoint.KeyRules{}).CheckPlace(u, id) != nil {
			return
		}
		addr := where(t, u)
		if addr == "" {
			return
		}
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatalf("%q is dialled at %q: %v", text, addr, err)
		}
		host = strings.ToLower(host)
		ip, err := netip.ParseAddr(host)
		switch own := host == "api.m2m.leapfinancial.com" || host == "api.sandbox.m2m.leapfinancial.com"; {
		case err == nil && ip.Unmap().IsLoopback(), host == "localhost":
		case !own || port != "443" || u.Scheme != "https":
			t.Errorf("the key may go to %q, which is dialled at %q", text, addr)
		case u.EscapedPath() != "/partner/data-requests/"+url.PathEscape(id) || u.RequestURI() != u.EscapedPath():
			t.Errorf("the key may go to the path %q", u.RequestURI())
		case endpoint.CheckKind(u, endpoint.TestKey) == nil && endpoint.CheckKind(u, endpoint.LiveKey) == nil:
			t.Errorf("keys of both kinds may go to %q", text)
		}
	})
}
