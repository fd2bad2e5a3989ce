package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
)

// Sender posts deliveries. Safe for concurrent use when its functions are.
type Sender struct {
	Client *endpoint.Client
	// Now is the clock of the records and of their latency.
	Now func() time.Time
	// NewID makes the records' ids.
	NewID func() string
	// BodyTime is how long a body takes to send, in pieces; zero is at once.
	BodyTime time.Duration
}

// Send makes one attempt to deliver the request and returns its record, with
// either the answer or why there was none. The error is the context's, when that
// ended first.
func (s *Sender) Send(ctx context.Context, request delivery.Request, attempt int) (delivery.Record, error) {
	return s.send(ctx, request, attempt, nil)
}

// Open is Send for who passes the answer on: what it holds beyond the record, which has
// its beginning, can be read from rest, which has to be closed; it is nil where there is
// no more.
func (s *Sender) Open(ctx context.Context, request delivery.Request) (record delivery.Record, rest io.ReadCloser, err error) {
	record, err = s.exchange(ctx, request, 0, nil, func(ctx context.Context, wire *http.Request) (answer endpoint.Answer, err error) {
		answer, rest, err = s.Client.Open(ctx, wire)
		return answer, err
	})
	return record, rest, err
}

// send sends the body when all that start with it have come to their places, or at once
// where it has none.
func (s *Sender) send(ctx context.Context, request delivery.Request, attempt int, start *place) (delivery.Record, error) {
	return s.exchange(ctx, request, attempt, start, s.Client.Do)
}

func (s *Sender) exchange(ctx context.Context, request delivery.Request, attempt int, start *place,
	do func(context.Context, *http.Request) (endpoint.Answer, error),
) (delivery.Record, error) {
	record := delivery.Record{
		ID:      s.NewID(),
		Time:    s.Now(),
		Event:   delivery.EventOf(request),
		Request: request,
		Attempt: attempt,
	}
	wire, err := wireRequest(ctx, request)
	if err != nil {
		return record, err
	}
	if s.BodyTime > 0 && len(request.Body) > 0 {
		wire.Body = newSlowBody(ctx, request.Body, s.BodyTime)
		wire.GetBody = nil
	}
	if start != nil && len(request.Body) > 0 {
		wire.Body = start.before(ctx, wire.Body)
		wire.GetBody = nil
	}
	answer, err := do(ctx, wire)
	if start != nil {
		// What waited for the others says nothing about the handler.
		record.Time = start.openedAt(record.Time)
	}
	record.Latency = s.Now().Sub(record.Time)
	var failure *endpoint.Error
	switch {
	case errors.As(err, &failure):
		record.Error = &delivery.Error{Kind: string(failure.Kind), Message: failure.Message, Hint: failure.Hint}
	case err != nil:
		return record, err
	default:
		record.Response = response(answer)
	}
	return record, nil
}

// wireRequest turns the record's request into net/http's.
func wireRequest(ctx context.Context, request delivery.Request) (*http.Request, error) {
	wire, err := http.NewRequestWithContext(ctx, request.Method, request.URL, bytes.NewReader(request.Body))
	if err != nil {
		return nil, fmt.Errorf("making the request: %w", err)
	}
	header, host := wireHeader(request.Headers)
	if wire.Header = header; host != "" {
		wire.Host = host
	}
	return wire, nil
}

// wireHeader turns headers into net/http's, and the host apart, empty where none is
// named. They go straight into the map, because Set would spell them X-M2m-Signature.
func wireHeader(headers delivery.Headers) (wire http.Header, host string) {
	const agent = "User-Agent"
	wire = make(http.Header, len(headers)+1)
	for _, header := range headers {
		name := header.Name
		switch {
		case strings.EqualFold(name, "Host"):
			host = header.Value
			continue
		case strings.EqualFold(name, agent):
			name = agent // or net/http adds its own beside it
		}
		wire[name] = append(wire[name], header.Value)
	}
	if _, ok := wire[agent]; !ok {
		wire[agent] = nil // left out, and not net/http's own
	}
	return wire, host
}

func response(answer endpoint.Answer) *delivery.Response {
	return &delivery.Response{
		Status:     answer.Status,
		StatusText: answer.StatusText,
		Headers:    delivery.HeadersOf(answer.Header),
		Body:       answer.Body,
		Truncated:  answer.Truncated,
	}
}
