package conform

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leapfinancial/m2m/internal/partner"
)

// Replies is the stand-in for the Partner API that data requests name, and keeps what
// handlers put there: of an API key no more than its fingerprint. Safe for concurrent
// use.
type Replies struct {
	collector *partner.Collector

	mu   sync.Mutex
	came []arrival
	// news is closed when something comes, and then another one takes its place.
	news chan struct{}
}

// arrival is a request to a replyEndpoint.
type arrival struct {
	id, method string
	// hasKey says that an API key came along.
	hasKey bool
	// reply is what the Partner API would have made of it; nil for another method.
	reply *partner.Received
}

// NewReplies returns a stand-in that handlers reach at the origin: scheme, host, port.
func NewReplies(origin *url.URL, now func() time.Time) *Replies {
	r := &Replies{news: make(chan struct{})}
	r.collector = &partner.Collector{
		Mock:   partner.NewMock(partner.MockOptions{Now: now, OnReply: r.take}),
		Origin: origin, Stray: r.stray,
	}
	return r
}

// Origin returns the scheme, host and port of the replyEndpoints.
func (r *Replies) Origin() string { return r.collector.Origin.Scheme + "://" + r.collector.Origin.Host }

// Serve takes replies until ctx ends. It closes the listeners.
func (r *Replies) Serve(ctx context.Context, listeners []net.Listener) error {
	return r.collector.Serve(ctx, listeners)
}

// expect lets the data request in a payload be answered. Other payloads are passed
// over.
func (r *Replies) expect(payload []byte) { _ = r.collector.Mock.Remember(payload) }

func (r *Replies) take(received partner.Received) {
	r.add(arrival{id: received.DataRequestID, method: partner.Method, hasKey: received.KeyKind != "none", reply: &received})
}

// stray is told of what is no reply: the wrong method, path or host.
func (r *Replies) stray(request *http.Request, _ int) {
	path := strings.TrimRight(request.URL.Path, "/")
	r.add(arrival{
		id: path[strings.LastIndexByte(path, '/')+1:], method: request.Method,
		hasKey: request.Header.Get(partner.KeyHeader) != "",
	})
}

func (r *Replies) add(one arrival) {
	const most = 10_000
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.came) < most {
		r.came = append(r.came, one)
	}
	close(r.news)
	r.news = make(chan struct{})
}

// wait returns the first arrival for one of the ids that is wanted, or, after the
// patience, whatever else has come for them last; nil when nothing has.
func (r *Replies) wait(ctx context.Context, patience time.Duration, wanted func(arrival) bool, ids ...string) (*arrival, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	late := false
	for {
		r.mu.Lock()
		news := r.news
		var last *arrival
		for _, one := range r.came {
			if !slices.Contains(ids, one.id) {
				continue
			}
			last = &one
			if wanted(one) {
				break
			}
		}
		r.mu.Unlock()
		if late || last != nil && wanted(*last) {
			return last, nil
		}
		select {
		case <-news:
		case <-timer.C:
			late = true
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
