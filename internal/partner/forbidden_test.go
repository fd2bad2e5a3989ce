package partner_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/partner"
)

func TestReplySendsNothingWhereTheKeyMayNotGo(t *testing.T) {
	t.Parallel()
	const (
		live    = "https://api.m2m.leapfinancial.com"
		sandbox = "https://api.sandbox.m2m.leapfinancial.com"
		path    = "/partner/data-requests/" + sampleID
	)
	cases := []struct {
		name, endpoint, key string
		allowed             []string
	}{
		{"another host", "https://evil.test" + path, otherKeyText, nil},
		{"a host that ends alike", "https://evil-api.m2m.leapfinancial.com" + path, otherKeyText, nil},
		{"a host that begins alike", "https://api.m2m.leapfinancial.com.evil.test" + path, otherKeyText, nil},
		{"a host below M2M's", "https://x.api.m2m.leapfinancial.com" + path, otherKeyText, nil},
		{"a host above M2M's", "https://m2m.leapfinancial.com" + path, otherKeyText, nil},
		{"a hyphen for a full stop", "https://api-m2m.leapfinancial.com" + path, otherKeyText, nil},
		{"a full stop behind the host", "https://api.m2m.leapfinancial.com." + path, otherKeyText, nil},
		{"a Cyrillic letter", "https://api.m2m.leаpfinancial.com" + path, otherKeyText, nil},
		{"a letter that lower case makes an i", "https://api.m2m.leapfİnancial.com" + path, otherKeyText, nil},
		{"the same, percent-encoded", "https://api.m2m.leapf%C4%B0nancial.com" + path, otherKeyText, nil},
		{"full-width letters", "https://ａpi.m2m.leapfinancial.com" + path, otherKeyText, nil},
		{"an ideographic full stop", "https://api。m2m.leapfinancial.com" + path, otherKeyText, nil},
		{"M2M's host as the user name", "https://api.m2m.leapfinancial.com@evil.test" + path, otherKeyText, nil},
		{"a user name", "https://user@api.m2m.leapfinancial.com" + path, otherKeyText, nil},
		{"a user name and a password", "https://user:pass@api.m2m.leapfinancial.com" + path, otherKeyText, nil},
		{"a user name on loopback", "http://user@localhost:3000" + path, otherKeyText, nil},
		{"another port", live + ":8443" + path, otherKeyText, nil},
		{"an empty port", live + ":" + path, otherKeyText, nil},
		{"plain http", "http://api.m2m.leapfinancial.com" + path, otherKeyText, nil},
		{"plain http on 443", "http://api.m2m.leapfinancial.com:443" + path, otherKeyText, nil},
		{"another scheme", "ftp://api.m2m.leapfinancial.com" + path, otherKeyText, nil},
		{"no scheme", "//api.m2m.leapfinancial.com" + path, otherKeyText, nil},
		{"no host", "https://" + path, otherKeyText, nil},
		{"an opaque URL", "https:api.m2m.leapfinancial.com" + path, otherKeyText, nil},
		{"another path", live + "/partner/links/" + sampleID, otherKeyText, nil},
		{"another data request", live + "/partner/data-requests/dr_other", otherKeyText, nil},
		{"no path", live, otherKeyText, nil},
		{"a slash behind", live + path + "/", otherKeyText, nil},
		{"two slashes", live + "/" + path, otherKeyText, nil},
		{"a step up", live + "/x/.." + path, otherKeyText, nil},
		{"a step up, percent-encoded", live + path + "/%2e%2e/" + sampleID, otherKeyText, nil},
		{"a slash, percent-encoded", live + "/partner%2Fdata-requests/" + sampleID, otherKeyText, nil},
		{"an id, percent-encoded", live + "/partner/data-requests/%64r_acme_x9y8z7w6v5u4", otherKeyText, nil},
		{"a query", live + path + "?x=1", otherKeyText, nil},
		{"an empty query", live + path + "?", otherKeyText, nil},
		{"a fragment", live + path + "#x", otherKeyText, nil},
		{"a name that may mean this machine", "http://localhost.evil.test" + path, otherKeyText, nil},
		{"this machine's name with a full stop", "http://localhost.:3000" + path, otherKeyText, nil},
		{"an address that is loopback to some", "http://127.1" + path, otherKeyText, nil},
		{"an address as one number", "http://2130706433" + path, otherKeyText, nil},
		{"every address", "http://0.0.0.0" + path, otherKeyText, nil},
		{"an address of the local network", "http://192.168.0.1" + path, otherKeyText, nil},
		{"an IPv6 address with a zone", "http://[::1%25eth0]" + path, otherKeyText, nil},
		{"an allowed host by plain http", "http://proxy.test" + path, otherKeyText, []string{"proxy.test"}},
		{"another port than the allowed one", "https://proxy.test:2" + path, otherKeyText, []string{"proxy.test:1"}},
		{"a host below the allowed one", "https://x.proxy.test" + path, otherKeyText, []string{"proxy.test"}},
		{"M2M's host on another port, allowed", live + ":8443" + path, otherKeyText, []string{"api.m2m.leapfinancial.com:8443"}},
		{"a test key to production", live + path, testKeyText, nil},
		{"a test key to production in capitals", "https://API.M2M.LEAPFINANCIAL.COM" + path, testKeyText, nil},
		{"a test key to production, allowed", live + path, testKeyText, []string{"api.m2m.leapfinancial.com"}},
		{"a live key to the sandbox", sandbox + path, liveKeyText, nil},
		{"a live key to localhost", "http://localhost:3000" + path, liveKeyText, nil},
		{"a live key to 127.0.0.1", "https://127.0.0.1:3000" + path, liveKeyText, nil},
		{"a live key to ::1", "http://[::1]:3000" + path, liveKeyText, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := newUndialledClient(t)
			client.Rules.AllowedHosts = c.allowed
			_, err := client.Reply(t.Context(), partner.Answer{
				Endpoint:      parseURL(t, c.endpoint),
				DataRequestID: sampleID,
				Body:          []byte("{}"),
				Key:           newKey(t, c.key),
			})
			var forbidden *partner.ForbiddenError
			if !errors.As(err, &forbidden) {
				t.Fatalf("%s: error %v, want a *ForbiddenError", c.endpoint, err)
			}
			if strings.Contains(err.Error(), c.key) || strings.Contains(err.Error(), "pass@") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func TestReplySendsNothingForAnIDThatIsNone(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", ".", "..", "a/b", `a\b`, "a\nb", "a\xff"} {
		client := newUndialledClient(t)
		u := parseURL(t, "https://api.m2m.leapfinancial.com")
		u.Path = "/partner/data-requests/" + id
		_, err := client.Reply(t.Context(), partner.Answer{Endpoint: u, DataRequestID: id, Key: newKey(t, liveKeyText)})
		var forbidden *partner.ForbiddenError
		if !errors.As(err, &forbidden) {
			t.Errorf("%q: error %v, want a *ForbiddenError", id, err)
		}
	}
}

func TestReplySendsNothingWithoutAKeyOrAnEndpoint(t *testing.T) {
	t.Parallel()
	client := newUndialledClient(t)
	answer := sampleAnswer(t, "http://localhost:3000")
	answer.Key = partner.Key{}
	var noKey *partner.KeyError
	if _, err := client.Reply(t.Context(), answer); !errors.As(err, &noKey) {
		t.Errorf("without a key: %v, want a *KeyError", err)
	}
	answer = sampleAnswer(t, "http://localhost:3000")
	answer.Endpoint = nil
	var forbidden *partner.ForbiddenError
	if _, err := client.Reply(t.Context(), answer); !errors.As(err, &forbidden) {
		t.Errorf("without an endpoint: %v, want a *ForbiddenError", err)
	}
}

func TestForbiddenErrorTellsAHostThatTheUserMayAllow(t *testing.T) {
	t.Parallel()
	answer := sampleAnswer(t, "https://proxy.test:8443")
	var other *endpoint.OtherHostError
	if err := answer.Check(endpoint.KeyRules{}); !errors.As(err, &other) || other.Host != "proxy.test:8443" {
		t.Errorf("got %v, want an *endpoint.OtherHostError for proxy.test:8443", err)
	}
	if err := answer.Check(endpoint.KeyRules{AllowedHosts: []string{"proxy.test:8443"}}); err != nil {
		t.Errorf("allowed: %v", err)
	}
}

func TestReplySendsWhereTheKeyMayGo(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, origin, key string }{
		{"a live key to production", endpoint.Live.Origin(), liveKeyText},
		{"a test key to the sandbox", endpoint.Sandbox.Origin(), testKeyText},
		{"a key of no kind to production", endpoint.Live.Origin(), otherKeyText},
		{"production with its port", endpoint.Live.Origin() + ":443", liveKeyText},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, _ := newClient()
			var asked string
			client.HTTP = endpoint.NewClient(&http.Transport{
				// Stands in for the network: the request goes no further.
				Proxy: func(r *http.Request) (*url.URL, error) {
					asked = r.URL.String()
					return nil, errors.New("not in this test")
				},
			}, endpoint.ClientOptions{})
			answer := sampleAnswer(t, c.origin)
			answer.Key = newKey(t, c.key)
			if _, err := client.Reply(t.Context(), answer); err == nil {
				t.Fatal("got no error from a transport that always fails")
			}
			if want := c.origin + endpoint.ReplyPath(sampleID); asked != want {
				t.Errorf("asked for %q, want %q", asked, want)
			}
		})
	}
}

func TestReplyFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	elsewhere := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the redirect was followed, with the key %q", r.Header.Get("X-API-Key"))
	}))
	for _, status := range []int{301, 302, 303, 307, 308} {
		origin := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere+endpoint.ReplyPath(sampleID))
			w.WriteHeader(status)
		}))
		client, pauses := newClient()
		outcome, err := client.Reply(t.Context(), sampleAnswer(t, origin))
		if err != nil || outcome.Fulfilled || outcome.Status != status || len(*pauses) != 0 {
			t.Errorf("%d: got %+v, %v; want a refusal", status, outcome, err)
		}
		if !strings.Contains(outcome.Advice(), "redirects are not followed") {
			t.Errorf("%d: advice %q", status, outcome.Advice())
		}
	}
}

func TestReplyChecksCertificates(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request reached a server with a certificate that nobody trusts")
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of the failed handshake
	server.StartTLS()
	t.Cleanup(server.Close)
	client, _ := newClient()
	_, err := client.Reply(t.Context(), sampleAnswer(t, server.URL))
	var failure *endpoint.Error
	if !errors.As(err, &failure) || failure.Kind != endpoint.TLS {
		t.Errorf("got %v, want a TLS failure", err)
	}
}
