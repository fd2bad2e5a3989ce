package endpoint

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// rawDial is how long a connection for SendRaw may take.
	rawDial = 10 * time.Second
	// rawPatience is how long SendRaw listens to what is said to its bytes.
	rawPatience = 100 * time.Millisecond
)

// SendRaw connects to the target, over TLS where its scheme says so, sends the bytes as
// they are, hears what is said to them for a moment, and closes. That the other side
// closes first is no error. The error is a *Error when there is no connection, or ctx's
// cause when that ended first. A target that is reached through a proxy cannot be sent
// to in this way.
func (c *Client) SendRaw(ctx context.Context, target Target, data []byte) error {
	host := net.JoinHostPort(target.URL.Hostname(), target.Port())
	if proxy := c.transport.Proxy; proxy != nil {
		via, err := proxy(&http.Request{URL: target.URL})
		if via != nil || err != nil {
			return &Error{Kind: Protocol, Message: host + " is reached through a proxy, which takes nothing but HTTP"}
		}
	}
	dialing, cancel := context.WithTimeout(ctx, rawDial)
	defer cancel()
	conn, err := c.dialRaw(dialing, target, host)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return classify(err, host, rawDial)
	}
	defer conn.Close()
	// Whatever becomes of it from here on is the other side's answer to such bytes.
	defer time.AfterFunc(rawPatience, func() { _ = conn.Close() }).Stop()
	_, _ = conn.Write(data)
	_, _ = io.Copy(io.Discard, io.LimitReader(conn, 64<<10))
	return nil
}

func (c *Client) dialRaw(ctx context.Context, target Target, host string) (net.Conn, error) {
	conn, err := dial(ctx, "tcp", host)
	if err != nil || target.URL.Scheme != "https" {
		return conn, err
	}
	config := c.transport.TLSClientConfig.Clone()
	config.ServerName = target.URL.Hostname()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}
