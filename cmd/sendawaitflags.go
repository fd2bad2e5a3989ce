package cmd

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/endpoint"
)

// awaitFlags are the flags of --await-reply.
type awaitFlags struct {
	// Reply is how long a reply is waited for; zero is not at all.
	Reply time.Duration
	// Addr is where it is waited for; nil is a free port of this machine.
	Addr *replyAddr
	// URL is where handlers reach that; nil is the address itself.
	URL *url.URL
}

type replyAddr struct {
	host string
	port int
}

func (f *awaitFlags) add(flags *pflag.FlagSet) {
	flags.Var(spanValue{&f.Reply}, "await-reply", "serve the replyEndpoint of data requests, and wait `DURATION` for each reply")
	flags.Var(replyAddrValue{&f.Addr}, "reply-addr", "serve it on `HOST:PORT`, not on a free port of this machine")
	flags.Var(replyURLValue{&f.URL}, "reply-url", "name it by `URL`, for a handler in a container: http://host.docker.internal:9000")
}

// check refuses what means nothing.
func (f *awaitFlags) check(o *sendOptions, flags *pflag.FlagSet) error {
	fault, broken := deliver.FindFault(o.Fault)
	switch {
	case f.Reply == 0 && flags.Changed("await-reply"):
		return errors.New("--await-reply 0s: it has to be more than 0")
	case f.Reply == 0 && (f.Addr != nil || f.URL != nil):
		return withHint(errors.New("--reply-addr and --reply-url belong to --await-reply"), "pass --await-reply 10s")
	case f.Reply == 0:
		return nil
	case o.Print != "":
		return withHint(errors.New("--await-reply and --print exclude each other"), "nothing is sent, so no reply can come")
	case broken && (!fault.Accepted || fault.Name == "unknown-event"):
		return withHint(fmt.Errorf("--await-reply and --fault %s exclude each other", fault.Name), "a good handler does not answer such a data request")
	case f.URL != nil && f.Addr == nil && f.URL.Scheme == "https" && f.URL.Port() == "":
		return withHint(errors.New("--reply-url: nobody knows the port that it leads to"), "name that with --reply-addr localhost:PORT")
	}
	for _, set := range append(append([]string{}, o.Sets...), o.SetStrings...) {
		if path, _, _ := strings.Cut(set, "="); path == replyEndpointPath {
			return withHint(errors.New("--await-reply and --set "+replyEndpointPath+" exclude each other"), "--reply-url names the place under another host")
		}
	}
	return nil
}

// place returns where to listen, and a function that returns what payloads name when
// that has become a port.
func (f *awaitFlags) place() (host string, port int, origin func(port int) *url.URL) {
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
	case err != nil || parseErr != nil || !strings.Contains(text, "://"):
		return fmt.Errorf("%q is not a URL such as http://host.docker.internal:9000", text)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%q has more than scheme, host and port", text)
	}
	*v.value = &url.URL{Scheme: target.URL.Scheme, Host: target.URL.Host}
	return nil
}
