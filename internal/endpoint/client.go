package endpoint

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"
)

// MaxAnswer is how much of an answer's body is read, in bytes.
const MaxAnswer = 1 << 20

// maxAnswerHeaders is the most that an answer's headers may take, in bytes.
const maxAnswerHeaders = 1 << 20

// ClientOptions is what a user can say about how to connect. The zero value
// connects as the system does, without a timeout.
type ClientOptions struct {
	// Timeout bounds a whole exchange, from dialling to the last byte of the
	// answer. Zero is no bound.
	Timeout time.Duration
	// Insecure accepts any certificate. Checked says that nothing can make it so, and no
	// hint names the flag that would.
	Insecure, Checked bool
	// Roots replaces the system's certificate authorities when not nil.
	Roots *x509.CertPool
	// Unbuffered sends each piece of a request as soon as it is there.
	Unbuffered bool
	// Kept is how many connections to a host are kept open for the next request; 0 is
	// net/http's own choice, which is few.
	Kept int
	// Discard reads answers to the same length, but keeps nothing of their bodies.
	Discard bool
}

// Client sends requests: through the proxy of the transport it is made of, over
// HTTP/2 where the server offers it, following no redirect. Loopback is reached
// past any proxy, and "localhost" is dialled as 127.0.0.1 or ::1 whatever a
// resolver says. Safe for concurrent use.
type Client struct {
	transport *http.Transport
	timeout   time.Duration
	discard   bool
	checked   bool
}

// NewClient returns a client on a clone of base.
func NewClient(base *http.Transport, options ClientOptions) *Client {
	transport := base.Clone()
	transport.DialContext = dial
	if proxy := base.Proxy; proxy != nil {
		transport.Proxy = func(request *http.Request) (*url.URL, error) {
			// http.ProxyFromEnvironment spares "localhost", but not "LOCALHOST".
			if IsLoopback(request.URL.Hostname()) {
				return nil, nil
			}
			return proxy(request)
		}
	}
	transport.OnProxyConnectResponse = checkTunnel
	// An answer is shown and recorded as it came, so nothing may unpack it.
	transport.DisableCompression = true
	transport.MaxResponseHeaderBytes = maxAnswerHeaders
	if options.Unbuffered {
		transport.WriteBufferSize = 1 // 0 would be net/http's own choice
	}
	if options.Kept > 0 {
		transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, options.Kept
	}
	transport.TLSClientConfig = &tls.Config{
		RootCAs: options.Roots,
		// The user asked for it with --insecure, which no configuration file can do.
		InsecureSkipVerify: options.Insecure,
	}
	return &Client{transport, options.Timeout, options.Discard, options.Checked}
}

// Separate returns a client like c that shares no connection with it.
func (c *Client) Separate() *Client {
	return &Client{c.transport.Clone(), c.timeout, c.discard, c.checked}
}

// CloseIdle closes the connections that are kept open for the next request.
func (c *Client) CloseIdle() { c.transport.CloseIdleConnections() }

// Answer is an HTTP answer, read to its end or to MaxAnswer.
type Answer struct {
	Status int
	// StatusText is the server's own phrase, or the registered one. It comes from
	// outside: a terminal must not see it raw.
	StatusText string
	Header     http.Header
	// Body is what was read, unless the client discards it; Length is how much that is.
	Body   []byte
	Length int
	// Truncated says that there was more than MaxAnswer of the body.
	Truncated bool
}

// Do sends the request. When there is no whole answer the error is a *Error that
// says why, unless ctx ended: then it is ctx's cause.
func (c *Client) Do(ctx context.Context, request *http.Request) (Answer, error) {
	answer, rest, err := c.Open(ctx, request)
	if rest != nil {
		_ = rest.Close() // what is not read cannot go wrong
	}
	return answer, err
}

func (c *Client) exchange(ctx context.Context, request *http.Request) (Answer, *rest, error) {
	var used usedConn
	used.trace.GotConn = used.got
	ctx = httptrace.WithClientTrace(ctx, &used.trace)
	// An http.Client would follow redirects, which carries the X-API-Key header to
	// another host. To a transport a redirect is an answer like any other.
	response, err := c.transport.RoundTrip(request.WithContext(ctx))
	if err != nil {
		return Answer{}, nil, used.conn.explain(err)
	}
	answer := Answer{Status: response.StatusCode, StatusText: statusText(response), Header: response.Header}
	more, err := c.read(&answer, response.Body)
	if err != nil || len(more) == 0 {
		_ = response.Body.Close()
	}
	switch {
	case err != nil:
		return Answer{}, nil, used.conn.explain(err)
	case len(more) == 0:
		return answer, nil, nil
	}
	answer.Truncated = true
	return answer, &rest{Reader: io.MultiReader(bytes.NewReader(more), response.Body), body: response.Body, conn: used.conn}, nil
}

// read reads a body to its end or to MaxAnswer, and returns the byte that comes then.
func (c *Client) read(answer *Answer, body io.Reader) (more []byte, err error) {
	first := io.LimitReader(body, MaxAnswer)
	if c.discard {
		var length int64
		length, err = io.Copy(io.Discard, first)
		answer.Length = int(length)
	} else {
		answer.Body, err = io.ReadAll(first)
		answer.Length = len(answer.Body)
	}
	if err != nil || answer.Length < MaxAnswer {
		return nil, err
	}
	more = make([]byte, 1)
	if _, err = io.ReadFull(body, more); errors.Is(err, io.EOF) {
		return nil, nil
	}
	return more, err
}

func statusText(response *http.Response) string {
	if _, phrase, found := strings.Cut(response.Status, " "); found && phrase != "" {
		return phrase
	}
	return http.StatusText(response.StatusCode)
}

// RootsFromPEM returns a pool of the certificates in a PEM file's content.
func RootsFromPEM(pem []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("it holds no PEM certificate")
	}
	return pool, nil
}
