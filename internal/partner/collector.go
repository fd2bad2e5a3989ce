package partner

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

// The deadlines of a Collector: for a request's headers, for all of it, and for what is
// still under way when it ends.
const (
	collectorHeader = 10 * time.Second
	collectorBody   = time.Minute
	collectorDrain  = 5 * time.Second
)

// Collector is a Mock at an address of its own, which takes no deliveries: what the
// replyEndpoint of a data request names. It answers 421 to a request whose Host is
// neither loopback nor Origin's, so that no web page reaches it.
type Collector struct {
	Mock *Mock
	// Origin is the scheme, host and port under which handlers reach it.
	Origin *url.URL
	// Stray is called with each request that is no reply to a data request, and the
	// status that it is answered with; nil is no one. Calls may overlap.
	Stray func(r *http.Request, status int)
}

// ReplyEndpoint returns where the data request of that id is answered.
func (c *Collector) ReplyEndpoint(dataRequestID string) string {
	return c.Origin.Scheme + "://" + c.Origin.Host + endpoint.ReplyPath(dataRequestID)
}

// ServeHTTP answers as the Mock does.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	stray := func(status int) {
		if c.Stray != nil {
			c.Stray(r, status)
		}
	}
	if !endpoint.IsLoopbackHostPort(r.Host) && !strings.EqualFold(hostOf(r.Host), c.Origin.Hostname()) {
		stray(http.StatusMisdirectedRequest)
		w.Header().Set("Connection", "close")
		http.Error(w, "Misdirected Request", http.StatusMisdirectedRequest)
		return
	}
	if _, isReply := ReplyID(r.URL); !isReply {
		stray(http.StatusNotFound)
	} else if r.Method != Method {
		stray(http.StatusMethodNotAllowed)
	}
	c.Mock.ServeHTTP(w, r)
}

// hostOf returns the host of a Host header, with or without a port.
func hostOf(hostPort string) string {
	u := url.URL{Host: hostPort}
	return u.Hostname()
}

// Serve answers on the listeners until ctx ends, then finishes what is in flight. It
// closes the listeners.
func (c *Collector) Serve(ctx context.Context, listeners []net.Listener) error {
	server := &http.Server{
		Handler:           c,
		ReadHeaderTimeout: collectorHeader,
		ReadTimeout:       collectorBody,
		MaxHeaderBytes:    64 << 10,
		// What net/http has to say of a handler's mistakes would come to the
		// terminal unescaped.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	failed := make(chan error, len(listeners))
	for _, listener := range listeners {
		go func() { failed <- server.Serve(listener) }()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), collectorDrain)
	defer cancel()
	if server.Shutdown(drain) != nil {
		_ = server.Close()
	}
	if err != nil {
		return fmt.Errorf("taking replies: %w", err)
	}
	return nil
}
