package endpoint

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// dial connects to addr. The name localhost is not left to a resolver, which may
// be told to send it anywhere.
func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := dialPlain(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: conn}, nil
}

func dialPlain(ctx context.Context, network, addr string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	host, port, err := net.SplitHostPort(addr)
	if err != nil || !isLocalhost(host) {
		return dialer.DialContext(ctx, network, addr)
	}
	conn, errV4 := dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	if errV4 == nil {
		return conn, nil
	}
	conn, errV6 := dialer.DialContext(ctx, network, net.JoinHostPort("::1", port))
	if errV6 == nil {
		return conn, nil
	}
	return nil, errV4
}

// watchedConn remembers that the other side has ended the connection, and whether it
// began with a TLS alert. net/http does not always tell: half a header line is a
// malformed header to it, and an alert is half a line.
type watchedConn struct {
	net.Conn
	began, ended, alerted atomic.Bool
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.ended.Store(true)
	}
	if n > 0 && !c.began.Swap(true) && bytes.HasPrefix(p[:n], []byte(tlsAlert)) {
		c.alerted.Store(true)
	}
	return n, err
}

// tlsAlert is how an alert of any version of TLS begins (RFC 8446, section 5.1).
const tlsAlert = "\x15\x03"

// errSpeaksTLS is what a TLS port says to a request in plain HTTP.
var errSpeaksTLS = errors.New("it speaks TLS")

// usedConn finds out over which connection a request went.
type usedConn struct {
	trace httptrace.ClientTrace
	conn  *watchedConn
}

func (u *usedConn) got(info httptrace.GotConnInfo) { u.conn = watched(info.Conn) }

// watched returns the watchedConn that conn is or speaks TLS over, or nil.
func watched(conn net.Conn) *watchedConn {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	found, _ := conn.(*watchedConn)
	return found
}

// explain adds to the error of an exchange that the connection ended under it, or that
// TLS is spoken there.
func (c *watchedConn) explain(err error) error {
	switch {
	case c == nil:
		return err
	case c.alerted.Load():
		return errors.Join(err, errSpeaksTLS)
	case c.ended.Load():
		return errors.Join(err, io.ErrUnexpectedEOF)
	}
	return err
}
