package endpoint

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// Open is like Do, but does not let go of what an answer holds beyond MaxAnswer: rest
// reads it, and has to be closed; it is nil where there is no more. The timeout is for
// all of the exchange. Reading fails as Do does.
func (c *Client) Open(ctx context.Context, request *http.Request) (answer Answer, rest io.ReadCloser, err error) {
	bounded, cancel := ctx, func() {}
	if c.timeout > 0 {
		bounded, cancel = context.WithTimeout(ctx, c.timeout)
	}
	answer, more, err := c.exchange(bounded, request)
	if err != nil {
		cancel()
		return Answer{}, nil, c.explain(ctx, err, request)
	}
	if more == nil {
		cancel()
		return answer, nil, nil
	}
	more.explain = func(err error) error { return c.explain(ctx, err, request) }
	more.cancel = cancel
	return answer, more, nil
}

// explain returns the error of an exchange: ctx's cause where that ended.
func (c *Client) explain(ctx context.Context, err error, request *http.Request) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return c.failure(err, request)
}

// rest is what an answer holds beyond MaxAnswer.
type rest struct {
	io.Reader
	body    io.Closer
	conn    *watchedConn
	explain func(error) error
	cancel  func()
}

func (r *rest) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = r.explain(r.conn.explain(err))
	}
	return n, err
}

func (r *rest) Close() error {
	defer r.cancel()
	return r.body.Close()
}
