// Package endpoint knows where things may go: it completes what a user typed into
// a target, decides what is loopback, holds the rules for where the API key may be
// sent, and makes the one kind of HTTP client that every command uses.
//
// It sends nothing by itself, follows no redirect, and resolves no name to decide
// whether something is allowed.
package endpoint

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// DefaultPort and DefaultPath complete a target that names neither. The path is
// the one that M2M's documentation uses for its handler.
const (
	DefaultPort = "3000"
	DefaultPath = "/webhooks/m2m"
)

// ErrFragment is the error of a target with a fragment, which no client sends.
var ErrFragment = errors.New("it has a fragment, which is never sent")

// Target is the place that deliveries are sent to.
type Target struct {
	// URL is complete: scheme, host, path.
	URL *url.URL
}

// String returns the target's URL.
func (t Target) String() string { return t.URL.String() }

// Loopback says whether the target is on this machine.
func (t Target) Loopback() bool { return IsLoopback(t.URL.Hostname()) }

// PlainRemote says whether deliveries to the target would cross a network without
// TLS, which M2M's never do.
func (t Target) PlainRemote() bool { return t.URL.Scheme == "http" && !t.Loopback() }

// Origin returns scheme, host and port: "http://localhost:3000".
func (t Target) Origin() string { return t.URL.Scheme + "://" + t.URL.Host }

// Port returns the port that is dialled, the scheme's own where the URL names none.
func (t Target) Port() string {
	if port := t.URL.Port(); port != "" {
		return port
	}
	if t.URL.Scheme == "https" {
		return "443"
	}
	return "80"
}

// ParseTarget completes what a user typed: the scheme (http for loopback, else
// https), port 3000 for a loopback host that stands there without scheme and port,
// and the path /webhooks/m2m where there is none at all. A port alone means this
// machine.
func ParseTarget(text string) (Target, error) {
	u, err := parseTarget(text)
	if err != nil {
		return Target{}, fmt.Errorf("target %q: %w", withoutUser(text), err)
	}
	return Target{URL: u}, nil
}

func parseTarget(text string) (*url.URL, error) {
	if text == "" {
		return nil, errors.New("it is empty")
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return nil, errors.New("it has white space or control characters in it")
	}
	full := text
	// A URL may also stand in the path or the query of one without a scheme.
	if scheme, _, found := strings.Cut(text, "://"); !found || strings.ContainsAny(scheme, "/?#") {
		full = withScheme(text)
	}
	u, err := url.Parse(full)
	if err != nil {
		var parse *url.Error
		if errors.As(err, &parse) {
			err = parse.Err
		}
		return nil, err
	}
	if u.Scheme = strings.ToLower(u.Scheme); u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the scheme is %q, not http or https", u.Scheme)
	}
	if u.Hostname() == "" {
		return nil, errors.New("it has no host")
	}
	if u.User != nil {
		return nil, errors.New("it has a user name in it; give that as a header, -H 'Authorization: …'")
	}
	if u.Fragment != "" {
		return nil, ErrFragment
	}
	if err := checkPort(u); err != nil {
		return nil, err
	}
	u.Host = lower(u.Host)
	if u.Path == "" {
		u.Path = DefaultPath
	}
	// url.Parse takes zones of IPv6 addresses that String then spells in a way
	// that nobody can read.
	return url.Parse(u.String())
}

// withScheme completes a target that was typed without a scheme.
func withScheme(text string) string {
	end := strings.IndexAny(text, "/?#")
	if end < 0 {
		end = len(text)
	}
	host, rest := text[:end], text[end:]
	if host != "" && strings.Trim(host, "0123456789") == "" {
		host = ":" + host
	}
	if strings.HasPrefix(host, ":") && !strings.HasPrefix(host, "::") {
		return "http://localhost" + host + rest
	}
	if strings.Count(host, ":") > 1 && !strings.HasPrefix(host, "[") {
		host = "[" + host + "]" // an IPv6 address without its brackets
	}
	switch {
	case IsLoopback(host):
		return "http://" + host + ":" + DefaultPort + rest
	case IsLoopbackHostPort(host):
		return "http://" + host + rest
	}
	return "https://" + host + rest
}

func checkPort(u *url.URL) error {
	port := u.Port()
	if port == "" && !strings.HasSuffix(u.Host, ":") {
		return nil
	}
	if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
		return fmt.Errorf("port %q is not in 1 to 65535", port)
	}
	return nil
}

// withoutUser hides a user name and password, which an error may not show.
func withoutUser(text string) string {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return text
	}
	start := 0
	if scheme := strings.Index(text, "://"); scheme >= 0 && scheme < at {
		start = scheme + len("://")
	}
	return text[:start] + "…" + text[at:]
}
