package endpoint

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Env is an environment of M2M's Partner API.
type Env string

// The environments. Sandbox is the default everywhere.
const (
	Sandbox Env = "sandbox"
	Live    Env = "live"
)

// Envs returns the environments' names.
func Envs() []string { return []string{string(Sandbox), string(Live)} }

// Hosts of the Partner API, as documented: production on the event-types page,
// the sandbox in the API introduction.
const (
	liveHost    = "api.m2m.leapfinancial.com"
	sandboxHost = "api.sandbox.m2m.leapfinancial.com"
)

// Origin returns the environment's base URL, without a path.
func (e Env) Origin() string {
	if e == Live {
		return "https://" + liveHost
	}
	return "https://" + sandboxHost
}

// IsProduction says whether a host, without a port, is M2M's own and does not belong to
// its sandbox.
func IsProduction(host string) bool {
	const domain, sandbox = ".m2m.leapfinancial.com", ".sandbox.m2m.leapfinancial.com"
	name := "." + strings.TrimSuffix(lower(host), ".")
	return strings.HasSuffix(name, domain) && !strings.HasSuffix(name, sandbox)
}

// ReplyPath returns the path at which the data request of that id is answered.
func ReplyPath(dataRequestID string) string {
	return "/partner/data-requests/" + url.PathEscape(dataRequestID)
}

// KeyKind is what an API key's prefix says that the key is for.
type KeyKind string

// The kinds of API key. Other prefixes are not documented, so a key of another
// form is an Unknown one and may go wherever a key may go.
const (
	TestKey    KeyKind = "test"
	LiveKey    KeyKind = "live"
	UnknownKey KeyKind = "unknown"
)

// KindOfKey returns an API key's kind.
func KindOfKey(key string) KeyKind {
	switch {
	case strings.HasPrefix(key, "m2m_test_"):
		return TestKey
	case strings.HasPrefix(key, "m2m_live_"):
		return LiveKey
	}
	return UnknownKey
}

// KeyRules decides where an API key may be sent. The zero value allows M2M's own
// two hosts and loopback.
type KeyRules struct {
	// AllowedHosts are further hosts, "host" or "host:port", that the user named
	// on the command line.
	AllowedHosts []string
}

// CheckPlace returns why no API key may go to u in answer to that data request, or
// nil. Which names u gives its host is decided on the name alone; that localhost
// is dialled as such is the Client's affair.
func (r KeyRules) CheckPlace(u *url.URL, dataRequestID string) error {
	host := lower(u.Hostname())
	switch {
	case host == "":
		return errors.New("the URL has no host")
	case u.User != nil:
		return errors.New("the URL has a user name in it")
	case IsLoopback(host) && (u.Scheme == "http" || u.Scheme == "https"):
		return nil
	case u.Scheme != "https":
		return fmt.Errorf("the scheme is %q, and the key goes over https alone", u.Scheme)
	case host == liveHost || host == sandboxHost:
		return checkOwnHost(u, dataRequestID)
	case slices.ContainsFunc(r.AllowedHosts, func(allowed string) bool {
		return lower(allowed) == lower(u.Host) || lower(allowed) == host
	}):
		return nil
	}
	return &OtherHostError{Host: u.Host}
}

// OtherHostError is a host that is neither M2M's nor loopback nor allowed.
type OtherHostError struct{ Host string }

func (e *OtherHostError) Error() string {
	return fmt.Sprintf("%q is not a host of M2M's Partner API", e.Host)
}

func checkOwnHost(u *url.URL, dataRequestID string) error {
	if port := u.Port(); port != "" && port != "443" || strings.HasSuffix(u.Host, ":") {
		return fmt.Errorf("the port is not the default one in %q", u.Host)
	}
	want := ReplyPath(dataRequestID)
	plain := u.RawQuery == "" && !u.ForceQuery && u.Fragment == ""
	if u.EscapedPath() != want || !plain {
		return fmt.Errorf("the path is %q, not %q", u.RequestURI(), want)
	}
	return nil
}

// CheckKind returns why a key of that kind may not go to u, or nil.
func CheckKind(u *url.URL, kind KeyKind) error {
	host := lower(u.Hostname())
	switch {
	case kind == TestKey && host == liveHost:
		return errors.New("the API key is a test key (m2m_test_), and this is production")
	case kind == LiveKey && host == sandboxHost:
		return errors.New("the API key is a live key (m2m_live_), and this is the sandbox")
	case kind == LiveKey && IsLoopback(host):
		return errors.New("the API key is a live key (m2m_live_), and this is loopback")
	}
	return nil
}
