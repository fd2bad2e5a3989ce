package endpoint_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

const (
	requestID = "dr_acme_x9y8z7w6v5u4"
	replyPath = "/partner/data-requests/" + requestID
)

func parseURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestCheckPlaceAllows(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, url string
		allowed   []string
	}{
		{"production", "https://api.m2m.leapfinancial.com" + replyPath, nil},
		{"the sandbox", "https://api.sandbox.m2m.leapfinancial.com" + replyPath, nil},
		{"the default port, written", "https://api.m2m.leapfinancial.com:443" + replyPath, nil},
		{"M2M's host in capitals", "HTTPS://API.M2M.LeapFinancial.com" + replyPath, nil},
		{"localhost", "http://localhost:3000" + replyPath, nil},
		{"localhost in capitals", "http://LOCALHOST:3000" + replyPath, nil},
		{"localhost by https", "https://localhost" + replyPath, nil},
		{"loopback with any path", "http://127.0.0.1:8080/x?y=1", nil},
		{"another address of loopback", "http://127.9.9.9" + replyPath, nil},
		{"loopback of IPv6", "http://[::1]:3000" + replyPath, nil},
		{"an allowed host on any port and path", "https://proxy.test:8443/x?y=1", []string{"other.test", "proxy.test"}},
		{"an allowed host with its port", "https://proxy.test:8443" + replyPath, []string{"proxy.test:8443"}},
		{"an allowed host in capitals", "https://proxy.test" + replyPath, []string{"PROXY.test"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rules := endpoint.KeyRules{AllowedHosts: c.allowed}
			if err := rules.CheckPlace(parseURL(t, c.url), requestID); err != nil {
				t.Errorf("%s: %v", c.url, err)
			}
		})
	}
}

func TestCheckPlaceForbids(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, url string
		allowed   []string
	}{
		{"another host", "https://evil.test" + replyPath, nil},
		{"M2M's host at the beginning", "https://api.m2m.leapfinancial.com.evil.test" + replyPath, nil},
		{"M2M's host at the end", "https://evil-api.m2m.leapfinancial.com" + replyPath, nil},
		{"M2M's host as the user name", "https://api.m2m.leapfinancial.com@evil.test" + replyPath, nil},
		{"a user name", "https://u@api.m2m.leapfinancial.com" + replyPath, nil},
		{"an empty user name", "https://@api.m2m.leapfinancial.com" + replyPath, nil},
		{"a user name on an allowed host", "https://u@proxy.test" + replyPath, []string{"proxy.test"}},
		{"a user name on loopback", "http://u@localhost" + replyPath, nil},
		{"a full stop behind the host", "https://api.m2m.leapfinancial.com." + replyPath, nil},
		{"a Cyrillic letter", "https://аpi.m2m.leapfinancial.com" + replyPath, nil},
		{"a dotless i", "https://api.m2m.leapfınancial.com" + replyPath, nil},
		// Its lower case is a plain i, but it is dialled as api.m2m.xn--leapfinancial-8nh.com.
		{"an i with a dot, in capitals", "https://api.m2m.leapfİnancial.com" + replyPath, nil},
		{"the same, percent-encoded", "https://api.m2m.leapf%C4%B0nancial.com" + replyPath, nil},
		{"a long s in localhost", "https://localhoſt" + replyPath, nil},
		{"a full-width full stop", "https://api．m2m.leapfinancial.com" + replyPath, nil},
		{"a Kelvin sign that folds into an allowed host's k", "https://%E2%84%AAelvin.test" + replyPath, []string{"kelvin.test"}},
		{"plain http", "http://api.m2m.leapfinancial.com" + replyPath, nil},
		{"plain http to an allowed host", "http://proxy.test" + replyPath, []string{"proxy.test"}},
		{"another scheme to loopback", "ftp://localhost" + replyPath, nil},
		{"no scheme", "//api.m2m.leapfinancial.com" + replyPath, nil},
		{"no host", replyPath, nil},
		{"another port", "https://api.m2m.leapfinancial.com:8443" + replyPath, nil},
		{"an empty port", "https://api.m2m.leapfinancial.com:" + replyPath, nil},
		{"a port that is 443 with a zero", "https://api.m2m.leapfinancial.com:0443" + replyPath, nil},
		{"another path", "https://api.m2m.leapfinancial.com/partner/links", nil},
		{"another data request", "https://api.m2m.leapfinancial.com" + replyPath + "x", nil},
		{"a slash behind", "https://api.m2m.leapfinancial.com" + replyPath + "/", nil},
		{"a step up", "https://api.m2m.leapfinancial.com/x/.." + replyPath, nil},
		{"a step up, percent-encoded", "https://api.m2m.leapfinancial.com/x/%2e%2e" + replyPath, nil},
		{"a letter, percent-encoded", "https://api.m2m.leapfinancial.com/%70artner/data-requests/" + requestID, nil},
		{"a slash, percent-encoded", "https://api.m2m.leapfinancial.com/partner%2Fdata-requests/" + requestID, nil},
		{"a query", "https://api.m2m.leapfinancial.com" + replyPath + "?a", nil},
		{"an empty query", "https://api.m2m.leapfinancial.com" + replyPath + "?", nil},
		{"a fragment", "https://api.m2m.leapfinancial.com" + replyPath + "#a", nil},
		{"M2M's host on a port that was allowed", "https://api.m2m.leapfinancial.com:1" + replyPath, []string{"api.m2m.leapfinancial.com:1"}},
		{"M2M's host with a path, though allowed", "https://api.m2m.leapfinancial.com/x", []string{"api.m2m.leapfinancial.com"}},
		{"another port than the allowed one", "https://proxy.test:2" + replyPath, []string{"proxy.test:1"}},
		{"a host below the allowed one", "https://x.proxy.test" + replyPath, []string{"proxy.test"}},
		{"a name that may mean this machine", "http://localhost.test" + replyPath, nil},
		{"a name below localhost", "http://x.localhost" + replyPath, nil},
		{"an address that only some read as loopback", "http://127.1" + replyPath, nil},
		{"a hexadecimal address", "http://0x7f000001" + replyPath, nil},
		{"every address", "http://0.0.0.0" + replyPath, nil},
		{"an IPv6 address with a zone", "http://[::1%25lo]" + replyPath, nil},
		{"an address of the local network", "http://10.0.0.1" + replyPath, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rules := endpoint.KeyRules{AllowedHosts: c.allowed}
			err := rules.CheckPlace(parseURL(t, c.url), requestID)
			if err == nil {
				t.Fatalf("%s was allowed", c.url)
			}
			if err.Error() == "" {
				t.Error("an error without words")
			}
		})
	}
}

func TestCheckPlaceComparesThePathWithTheEscapedID(t *testing.T) {
	t.Parallel()
	const origin = "https://api.m2m.leapfinancial.com/partner/data-requests/"
	var rules endpoint.KeyRules
	if err := rules.CheckPlace(parseURL(t, origin+"a%20b%3F"), "a b?"); err != nil {
		t.Errorf("the escaped id: %v", err)
	}
	for _, path := range []string{"a b?", "a%20b?", "a+b%3F"} {
		if rules.CheckPlace(parseURL(t, origin+path), "a b?") == nil {
			t.Errorf("%s was allowed for the id %q", path, "a b?")
		}
	}
}

func TestCheckPlaceTellsAHostThatTheUserMayAllow(t *testing.T) {
	t.Parallel()
	var rules endpoint.KeyRules
	var other *endpoint.OtherHostError
	if err := rules.CheckPlace(parseURL(t, "https://proxy.test:8443/"), requestID); !errors.As(err, &other) || other.Host != "proxy.test:8443" {
		t.Errorf("got %v, want an *OtherHostError for proxy.test:8443", err)
	}
	// To allow this host would not help.
	if err := rules.CheckPlace(parseURL(t, "http://proxy.test/"), requestID); errors.As(err, &other) {
		t.Errorf("plain http: got %v", err)
	}
}

func TestCheckKind(t *testing.T) {
	t.Parallel()
	const (
		live      = "https://api.m2m.leapfinancial.com/"
		sandbox   = "https://api.sandbox.m2m.leapfinancial.com/"
		loopback  = "http://localhost:3000/"
		elsewhere = "https://proxy.test/"
	)
	cases := []struct {
		url     string
		kind    endpoint.KeyKind
		allowed bool
	}{
		{live, endpoint.LiveKey, true},
		{live, endpoint.TestKey, false},
		{live, endpoint.UnknownKey, true},
		{"https://API.M2M.LEAPFINANCIAL.COM:443/", endpoint.TestKey, false},
		{sandbox, endpoint.LiveKey, false},
		{sandbox, endpoint.TestKey, true},
		{sandbox, endpoint.UnknownKey, true},
		{"https://API.sandbox.M2M.leapfinancial.com/", endpoint.LiveKey, false},
		{loopback, endpoint.LiveKey, false},
		{"https://127.0.0.1/", endpoint.LiveKey, false},
		{"http://[::1]/", endpoint.LiveKey, false},
		{loopback, endpoint.TestKey, true},
		{loopback, endpoint.UnknownKey, true},
		{elsewhere, endpoint.LiveKey, true},
		{elsewhere, endpoint.TestKey, true},
		{elsewhere, endpoint.UnknownKey, true},
	}
	for _, c := range cases {
		err := endpoint.CheckKind(parseURL(t, c.url), c.kind)
		if (err == nil) != c.allowed {
			t.Errorf("a %s key to %s: %v, want it allowed: %v", c.kind, c.url, err, c.allowed)
		}
	}
}

func TestKindOfKey(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]endpoint.KeyKind{
		"m2m_test_x": endpoint.TestKey, "m2m_live_x": endpoint.LiveKey, "m2m_test_": endpoint.TestKey,
		"": endpoint.UnknownKey, "M2M_TEST_x": endpoint.UnknownKey, " m2m_live_x": endpoint.UnknownKey, "m2m_": endpoint.UnknownKey,
	} {
		if got := endpoint.KindOfKey(key); got != want {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	for env, want := range map[endpoint.Env]string{
		endpoint.Live:    "https://api.m2m.leapfinancial.com",
		endpoint.Sandbox: "https://api.sandbox.m2m.leapfinancial.com",
		"":               "https://api.sandbox.m2m.leapfinancial.com",
	} {
		if got := env.Origin(); got != want {
			t.Errorf("%q: got %s, want %s", env, got, want)
		}
	}
	for id, want := range map[string]string{requestID: replyPath, "a/b?c#d%": "/partner/data-requests/a%2Fb%3Fc%23d%25"} {
		if got := endpoint.ReplyPath(id); got != want {
			t.Errorf("%q: got %s, want %s", id, got, want)
		}
	}
}

func TestIsProduction(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"api.m2m.leapfinancial.com": true, "send.m2m.leapfinancial.com": true, "m2m.leapfinancial.com": true,
		"API.M2M.LeapFinancial.com": true, "api.m2m.leapfinancial.com.": true,
		"api.sandbox.m2m.leapfinancial.com": false, "sandbox.m2m.leapfinancial.com": false,
		"notm2m.leapfinancial.com": false, "leapfinancial.com": false, "api.m2m.leapfinancial.com.evil.test": false,
		"notsandbox.m2m.leapfinancial.com": true, "localhost": false, "": false,
	} {
		if got := endpoint.IsProduction(host); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}
