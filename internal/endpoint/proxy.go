package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// tunnelError is a proxy that does not let the connection through.
type tunnelError struct{ status string }

func (e *tunnelError) Error() string { return "it answered " + e.status }

// checkTunnel has the answer of a proxy known as the proxy's: net/http leaves nothing of
// it but the words behind its status.
func checkTunnel(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode != http.StatusOK {
		return &tunnelError{answer.Status}
	}
	return nil
}

// failure names why there was no answer to the request, and where: at its host, or at
// the proxy on the way there.
func (c *Client) failure(err error, request *http.Request) *Error {
	host := request.URL.Host
	at := func(proxy *Error) *Error {
		proxy.Message = fmt.Sprintf("no way to %s through the proxy: %s", host, proxy.Message)
		proxy.Hint = fmt.Sprintf("check HTTP_PROXY and HTTPS_PROXY, or set NO_PROXY=%s to go past the proxy", request.URL.Hostname())
		return proxy
	}
	var op *net.OpError
	var tunnel *tunnelError
	switch {
	case errors.As(err, &tunnel):
		return at(&Error{Kind: Refused, Message: c.proxyOf(request) + " answers " + tunnel.status})
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return at(classify(op.Err, c.proxyOf(request), c.timeout))
	}
	failure := classify(err, host, c.timeout)
	if c.checked {
		failure.Hint = strings.TrimSuffix(failure.Hint, orInsecure)
	}
	return failure
}

// proxyOf returns the host and port of the proxy that the request goes through, without
// the password that its URL may hold.
func (c *Client) proxyOf(request *http.Request) string {
	if c.transport.Proxy != nil {
		if proxy, err := c.transport.Proxy(request); err == nil && proxy != nil {
			return proxy.Host
		}
	}
	return "the proxy"
}
