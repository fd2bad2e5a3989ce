package listen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// forward passes a delivery on. What the handler does is recorded also when the
// sender does not wait for it.
func (s *Server) forward(ctx context.Context, got *Delivery, request delivery.Request) (rest io.ReadCloser) {
	// The sender was already told to continue.
	request.Headers = endToEnd(request.Headers, "Expect")
	response, rest, failure := s.options.Forward(context.WithoutCancel(ctx), request)
	got.Forwarded = true
	if failure == nil && response.Status < http.StatusOK {
		message := fmt.Sprintf("the handler answered with the status %d, which ends nothing", response.Status)
		response, failure = nil, &delivery.Error{Kind: "protocol", Message: message}
	}
	if rest != nil && (failure != nil || !hasBody(response.Status)) {
		_ = rest.Close() // nobody is sent it
		rest = nil
	}
	switch {
	case failure == nil:
		response.Headers = endToEnd(response.Headers)
		if !hasBody(response.Status) {
			response.Body, response.Truncated = nil, false // an app may say one over HTTP/2
		}
		got.Record.Response = response
	case failure.Kind == "timeout":
		got.Record.Error = failure
		got.Record.Response = plain(http.StatusGatewayTimeout, "Gateway Timeout")
	default:
		got.Record.Error = failure
		got.Record.Response = plain(http.StatusBadGateway, "Bad Gateway")
	}
	return rest
}

// relaying is an answer on its way to a sender.
type relaying struct {
	w       http.ResponseWriter
	control *http.ResponseController
	// patience is how long a sender may take nothing of it: no longer than a request
	// may take, so that it does not keep the receiver from ending.
	patience time.Duration
}

// relay sends an answer but for its rest.
func (s *Server) relay(w http.ResponseWriter, response *delivery.Response) (*relaying, error) {
	// The handler's own length, or none.
	length, _ := response.Headers.Get("Content-Length")
	begin(w, response, length)
	r := &relaying{w, http.NewResponseController(w), s.options.Deadlines.orUsual().Body}
	return r, r.write(response.Body)
}

func (r *relaying) write(data []byte) error {
	_ = r.control.SetWriteDeadline(time.Now().Add(r.patience)) //nolint:forbidigo // a connection goes by the system's clock
	_, err := r.w.Write(data)
	return err
}

func (s *Server) relayRest(r *relaying, from io.Reader) {
	if err := r.rest(from); err != nil {
		if s.options.BrokenOff != nil {
			s.options.BrokenOff(err)
		}
		panic(http.ErrAbortHandler) // the sender has to see that there was more
	}
}

// rest sends the rest of an answer as it comes, and keeps none of it. The error is why
// it did not come.
func (r *relaying) rest(from io.Reader) error {
	defer func() { _ = r.control.SetWriteDeadline(time.Time{}) }() // the connection goes on
	const piece = 32 << 10
	for buf := make([]byte, piece); ; {
		n, err := from.Read(buf)
		if r.write(buf[:n]) != nil {
			return nil // the sender is gone; its delivery is on record
		}
		switch {
		case errors.Is(err, io.EOF):
			_ = r.control.Flush()
			return nil
		case err != nil:
			return err
		}
	}
}

// endToEnd leaves out the headers that speak of one connection (RFC 9110, section
// 7.6.1), and others of those names.
func endToEnd(headers delivery.Headers, others ...string) delivery.Headers {
	named, _ := headers.Get("Connection")
	hops := strings.Split(named, ",")
	for i := range hops {
		hops[i] = strings.TrimSpace(hops[i])
	}
	hops = append(append(hops, others...), "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade")
	return slices.DeleteFunc(slices.Clone(headers), func(header delivery.Header) bool {
		return slices.ContainsFunc(hops, func(hop string) bool { return strings.EqualFold(hop, header.Name) })
	})
}

// queues let one request of a connection at a time go on, in the order of their
// coming. The zero value is ready.
type queues struct {
	mu sync.Mutex
	// last holds, by connection, the end of the request that came last.
	last map[string]chan struct{}
}

// wait returns when no earlier request of the connection is left. The function that
// it returns lets the next one go on.
func (q *queues) wait(conn string) (end func()) {
	mine := make(chan struct{})
	q.mu.Lock()
	if q.last == nil {
		q.last = map[string]chan struct{}{}
	}
	before := q.last[conn]
	q.last[conn] = mine
	q.mu.Unlock()
	if before != nil {
		<-before
	}
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.last[conn] == mine {
			delete(q.last, conn)
		}
		close(mine)
	}
}
