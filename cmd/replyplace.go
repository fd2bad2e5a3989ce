package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/listen"
)

// replyPlace is where the replyEndpoint of data requests is served by this tool itself.
type replyPlace struct {
	// Addr is where replies are waited for; nil is a free port of this machine.
	Addr *replyAddr
	// URL is where handlers reach that; nil is the address itself.
	URL *url.URL
}

type replyAddr struct {
	host string
	port int
}

func (f *replyPlace) add(flags *pflag.FlagSet) {
	flags.Var(replyAddrValue{&f.Addr}, "reply-addr", "serve the replyEndpoint on `HOST:PORT`, not on a free port of this machine")
	flags.Var(replyURLValue{&f.URL}, "reply-url", "name it by `URL`, for a handler in a container: http://host.docker.internal:9000")
}

// check refuses what means nothing.
func (f *replyPlace) check() error {
	if f.URL != nil && f.Addr == nil && f.URL.Scheme == "https" && f.URL.Port() == "" {
		return withHint(errors.New("--reply-url: nobody knows the port that it leads to"), "name that with --reply-addr localhost:PORT")
	}
	return nil
}

// open opens the port, and returns where handlers reach it.
func (f *replyPlace) open(ctx context.Context) ([]net.Listener, *url.URL, error) {
	host, port, origin := f.place()
	listeners, err := listen.Listen(ctx, host, port)
	if err != nil {
		return nil, nil, withHint(listenError("listening for replies", err), "choose another address with --reply-addr, or leave it out for a free port")
	}
	return listeners, origin(listen.Port(listeners[0])), nil
}

// onThisMachineAlone says whether handlers elsewhere cannot reach it by that name.
func onThisMachineAlone(origin *url.URL, target endpoint.Target) bool {
	return !target.Loopback() && endpoint.IsLoopback(origin.Hostname())
}

// place returns where to listen, and a function that returns what payloads name when
// that has become a port.
func (f *replyPlace) place() (host string, port int, origin func(port int) *url.URL) {
	host = "localhost"
	switch {
	case f.Addr != nil:
		host, port = f.Addr.host, f.Addr.port
	case f.URL != nil && f.URL.Port() != "":
		port, _ = strconv.Atoi(f.URL.Port()) // its flag checked it
	}
	name := host
	if address := net.ParseIP(host); address != nil && address.IsUnspecified() {
		name = "localhost"
	}
	return host, port, func(chosen int) *url.URL {
		withPort := func(name string) string { return net.JoinHostPort(name, strconv.Itoa(chosen)) }
		switch {
		case f.URL == nil:
			return &url.URL{Scheme: "http", Host: withPort(name)}
		case f.URL.Port() == "" && f.Addr == nil:
			return &url.URL{Scheme: f.URL.Scheme, Host: withPort(f.URL.Hostname())}
		}
		return f.URL
	}
}

// replyAddrValue is a host and a port.
type replyAddrValue struct{ value **replyAddr }

func (v replyAddrValue) String() string { return "" }

func (v replyAddrValue) Type() string { return "address" }

func (v replyAddrValue) Set(text string) error {
	host, port, err := net.SplitHostPort(text)
	number, notNumber := strconv.ParseUint(port, 10, 16)
	if err != nil || notNumber != nil {
		return fmt.Errorf("%q is not an address such as localhost:9000", text)
	}
	if host == "" {
		host = "localhost"
	}
	*v.value = &replyAddr{host, int(number)}
	return nil
}

// replyURLValue is a URL without a path: that of a reply is not the user's to choose.
type replyURLValue struct{ value **url.URL }

func (v replyURLValue) String() string { return "" }

func (v replyURLValue) Type() string { return "URL" }

func (v replyURLValue) Set(text string) error {
	target, err := endpoint.ParseTarget(text)
	u, parseErr := url.Parse(text)
	switch {
	case err != nil && !errors.Is(err, endpoint.ErrFragment) || parseErr != nil || !strings.Contains(text, "://"):
		return fmt.Errorf("%q is not a URL such as http://host.docker.internal:9000", text)
	case err != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%q has more than scheme, host and port", text)
	}
	*v.value = &url.URL{Scheme: target.URL.Scheme, Host: target.URL.Host}
	return nil
}
