package listen

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// forward passes a delivery on. What the handler does is recorded also when the
// sender does not wait for it.
func (s *Server) forward(ctx context.Context, got *Delivery, request delivery.Request) {
	// The sender was already told to continue.
	request.Headers = endToEnd(request.Headers, "Expect")
	response, failure := s.options.Forward(context.WithoutCancel(ctx), request)
	got.Forwarded = true
	if failure == nil && response.Status < http.StatusOK {
		message := fmt.Sprintf("the handler answered with the status %d, which ends nothing", response.Status)
		response, failure = nil, &delivery.Error{Kind: "protocol", Message: message}
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
