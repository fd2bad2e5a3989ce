package endpoint_test

import (
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

func TestParseTargetCompletes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		// A loopback host, or a port, alone.
		"localhost":   "http://localhost:3000/webhooks/m2m",
		":3000":       "http://localhost:3000/webhooks/m2m",
		"3000":        "http://localhost:3000/webhooks/m2m",
		"8080":        "http://localhost:8080/webhooks/m2m",
		"65535":       "http://localhost:65535/webhooks/m2m",
		"LOCALHOST":   "http://localhost:3000/webhooks/m2m",
		"127.0.0.1":   "http://127.0.0.1:3000/webhooks/m2m",
		"127.0.0.53":  "http://127.0.0.53:3000/webhooks/m2m",
		"::1":         "http://[::1]:3000/webhooks/m2m",
		"[::1]":       "http://[::1]:3000/webhooks/m2m",
		"[::1]:8080":  "http://[::1]:8080/webhooks/m2m",
		"localhost:1": "http://localhost:1/webhooks/m2m",

		// With a path or a query.
		"localhost:8080/hooks":             "http://localhost:8080/hooks",
		"localhost/hooks":                  "http://localhost:3000/hooks",
		"localhost/":                       "http://localhost:3000/",
		"3000/hooks":                       "http://localhost:3000/hooks",
		":3000/":                           "http://localhost:3000/",
		"::1/hooks":                        "http://[::1]:3000/hooks",
		"localhost?a=b":                    "http://localhost:3000/webhooks/m2m?a=b",
		"3000?a=b&c=%20":                   "http://localhost:3000/webhooks/m2m?a=b&c=%20",
		"localhost/Hooks?A=B":              "http://localhost:3000/Hooks?A=B",
		"localhost/a%2Fb":                  "http://localhost:3000/a%2Fb",
		"localhost/é":                      "http://localhost:3000/%C3%A9",
		"localhost//x":                     "http://localhost:3000//x",
		"localhost:3000/?u=http://x.test/": "http://localhost:3000/?u=http://x.test/",
		"x.test/http://y.test":             "https://x.test/http://y.test",
		"localhost/a%23b#":                 "http://localhost:3000/a%23b",

		// With a scheme: the port is the scheme's.
		"http://localhost":         "http://localhost/webhooks/m2m",
		"https://localhost":        "https://localhost/webhooks/m2m",
		"https://localhost:8443":   "https://localhost:8443/webhooks/m2m",
		"http://localhost:3000":    "http://localhost:3000/webhooks/m2m",
		"HTTP://LocalHost:3000/A":  "http://localhost:3000/A",
		"http://[::1]:8080/hooks":  "http://[::1]:8080/hooks",
		"http://127.0.0.1/":        "http://127.0.0.1/",
		"http://x.test":            "http://x.test/webhooks/m2m",
		"https://x.test":           "https://x.test/webhooks/m2m",
		"https://x.test/":          "https://x.test/",
		"https://x.test?a=b":       "https://x.test/webhooks/m2m?a=b",
		"https://x.test:8443/a/b/": "https://x.test:8443/a/b/",
		"https://X.Test/A":         "https://x.test/A",

		// Another machine: https, and never port 3000.
		"x.test":                   "https://x.test/webhooks/m2m",
		"x.test:8443":              "https://x.test:8443/webhooks/m2m",
		"x.test/hooks":             "https://x.test/hooks",
		"10.0.0.1":                 "https://10.0.0.1/webhooks/m2m",
		"0.0.0.0":                  "https://0.0.0.0/webhooks/m2m",
		"127.1":                    "https://127.1/webhooks/m2m",
		"127.0.0.1.nip.io":         "https://127.0.0.1.nip.io/webhooks/m2m",
		"localhost.":               "https://localhost./webhooks/m2m",
		"localhost.x.test:3000":    "https://localhost.x.test:3000/webhooks/m2m",
		"2001:db8::1":              "https://[2001:db8::1]/webhooks/m2m",
		"[2001:db8::1]:8443/hooks": "https://[2001:db8::1]:8443/hooks",
	} {
		got, err := endpoint.ParseTarget(text)
		if err != nil {
			t.Errorf("%q: got error %v, want %s", text, err, want)
			continue
		}
		if got.String() != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestParseTargetRefuses(t *testing.T) {
	t.Parallel()
	const space = "white space or control characters"
	for text, want := range map[string]string{
		"":                          "it is empty",
		" ":                         space,
		" localhost":                space,
		"localhost ":                space,
		"local host":                space,
		"localhost\n":               space,
		"localhost/\x00":            space,
		"localhost/\x1b[2J":         space,
		"localhost/\x7f":            space,
		"localhost/\u009b2J":        space,
		"x.test\u00a0":              space,
		"x.test\u3000/hooks":        space,
		"0":                         "port \"0\" is not in 1 to 65535",
		":0":                        "port \"0\"",
		"65536":                     "port \"65536\"",
		"70000":                     "port \"70000\"",
		"99999999999999999999999":   "port \"99999999999999999999999\"",
		"localhost:70000":           "port \"70000\"",
		"https://x.test:70000/":     "port \"70000\"",
		"https://[::1]:0":           "port \"0\"",
		"localhost:":                "port \"\"",
		":":                         "port \"\"",
		"http://x.test:":            "port \"\"",
		"localhost:abc":             "invalid port",
		"localhost:-1":              "invalid port",
		"localhost:3000x/hooks":     "invalid port",
		"http://localhost:3000:80/": "invalid port",
		"ftp://x.test/":             "the scheme is \"ftp\", not http or https",
		"file:///etc/passwd":        "the scheme is \"file\"",
		"javascript://x.test/":      "the scheme is \"javascript\"",
		"ws://localhost":            "the scheme is \"ws\"",
		"://x.test":                 "missing protocol scheme",
		"http://":                   "it has no host",
		"https://":                  "it has no host",
		"http:///p":                 "it has no host",
		"http://:3000":              "it has no host",
		"http://?a=b":               "it has no host",
		"/hooks":                    "it has no host",
		"//x.test/hooks":            "it has no host",
		"?a=b":                      "it has no host",
		"#part":                     "it has no host",
		"localhost#part":            "it has a fragment, which is never sent",
		"https://x.test/a?b=c#part": "it has a fragment, which is never sent",
		"http://user@x.test/":       "user name",
		"https://user:pass@x.test/": "user name",
		"user@localhost":            "user name",
		"http://@localhost/":        "user name",
		"http:localhost":            "invalid port",
		"localhost/%zz":             "invalid URL escape",
		"[::1":                      "missing ']'",
		"http://[::1":               "missing ']'",
		"http://x.test%41/":         "invalid URL escape",
	} {
		got, err := endpoint.ParseTarget(text)
		if err == nil {
			t.Errorf("%q: got %s, want an error", text, got)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "target \"") {
			t.Errorf("%q: got error %q, want %q in it", text, err, want)
		}
	}
}

func TestTargetKnowsItsPlace(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		loopback, plainRemote bool
		origin                string
	}{
		"localhost":             {true, false, "http://localhost:3000"},
		"http://localhost/x?y":  {true, false, "http://localhost"},
		"https://127.0.0.1:8/":  {true, false, "https://127.0.0.1:8"},
		"::1":                   {true, false, "http://[::1]:3000"},
		"http://x.test/a":       {false, true, "http://x.test"},
		"http://0.0.0.0:3000/a": {false, true, "http://0.0.0.0:3000"},
		"x.test:8443":           {false, false, "https://x.test:8443"},
	}
	for text, c := range cases {
		target, err := endpoint.ParseTarget(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := target.Loopback(); got != c.loopback {
			t.Errorf("%q: got loopback %t, want %t", text, got, c.loopback)
		}
		if got := target.PlainRemote(); got != c.plainRemote {
			t.Errorf("%q: got plain and remote %t, want %t", text, got, c.plainRemote)
		}
		if got := target.Origin(); got != c.origin {
			t.Errorf("%q: got origin %s, want %s", text, got, c.origin)
		}
	}
}

// FuzzParseTarget: nothing makes it panic, and a target is complete: it has a
// scheme, a host and a path, and parses to itself.
func FuzzParseTarget(f *testing.F) {
	for _, seed := range []string{
		"localhost", ":3000", "3000", "localhost:8080/hooks", "https://x.test/", "::1", "[::1]:8080",
		"http://[fe80::1%25lo]:80/a%2Fb?c=%zz#d", "x.test/http://y.test", "https://%41.test", "user@x.test",
		"http://", "//", "1:2:3:4:5:6:7:8/é", "\xff", "http://\u212a.test", "localhost?", "http://x.test/*", "::%25\x95",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := endpoint.ParseTarget(text)
		if err != nil {
			return
		}
		if u := target.URL; u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Path == "" {
			t.Errorf("%q: got %s, want a whole URL", text, target)
		}
		again, err := endpoint.ParseTarget(target.String())
		if err != nil {
			t.Fatalf("%q: got %s, which is no target: %v", text, target, err)
		}
		if again.String() != target.String() || again.Loopback() != target.Loopback() {
			t.Errorf("%q: got %s, which parses to %s", text, target, again)
		}
	})
}
