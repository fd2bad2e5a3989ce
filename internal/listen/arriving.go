package listen

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// arriving are the requests that have not wholly arrived, as far as anybody waits for
// their rest. From the end on nobody does: what is there already can still be read,
// and what is not breaks off.
type arriving struct {
	mu       sync.Mutex
	arrivals map[sender]*arrival
	// ended is closed when the end begins.
	ended chan struct{}
}

// arrival is one request's.
type arrival struct {
	arriving *arriving
	from     sender
	// isConn is false for a stream of HTTP/2.
	isConn bool

	mu   sync.Mutex
	done bool
}

// sender is where a body is read from: a connection, or a stream of HTTP/2.
type sender interface {
	SetReadDeadline(deadline time.Time) error
}

// connKey is that of a connection in the contexts of its requests.
type connKey struct{}

func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

func newArriving() *arriving {
	return &arriving{arrivals: map[sender]*arrival{}, ended: make(chan struct{})}
}

// begin has the body of a request break off when the end begins, or at once where that
// has begun.
func (a *arriving) begin(w http.ResponseWriter, r *http.Request) *arrival {
	one := &arrival{arriving: a}
	one.from, _ = w.(sender)
	if conn, ok := r.Context().Value(connKey{}).(sender); ok && r.ProtoMajor == 1 {
		one.from, one.isConn = conn, true
	}
	if one.from == nil {
		return one
	}
	a.mu.Lock()
	a.arrivals[one.from] = one
	over := a.over()
	a.mu.Unlock()
	if over {
		one.breakOff()
	}
	return one
}

// arrived is called when the body is there.
func (a *arrival) arrived() {
	if a.from == nil {
		return
	}
	a.arriving.mu.Lock()
	delete(a.arriving.arrivals, a.from)
	a.arriving.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done = true
}

// left is called when the handler is through. What it has not read of a connection
// net/http reads now, until that is idle or closed.
func (a *arrival) left() {
	if !a.isConn {
		a.arrived()
	}
}

// breakOff ends the wait for what the sender has not sent.
func (a *arrival) breakOff() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.done { // or it may be another request's by now
		// An error means that it is gone already.
		_ = a.from.SetReadDeadline(time.Unix(1, 0))
	}
}

// track forgets the connections on which nothing arrives any more.
func (a *arriving) track(conn net.Conn, state http.ConnState) {
	if state != http.StateIdle && state != http.StateClosed {
		return
	}
	a.mu.Lock()
	one := a.arrivals[conn]
	a.mu.Unlock()
	if one != nil {
		one.arrived()
	}
}

// end breaks off all that has not arrived. It is to be called once.
func (a *arriving) end() {
	a.mu.Lock()
	close(a.ended)
	all := slices.Collect(maps.Values(a.arrivals))
	a.mu.Unlock()
	// Without the lock: a connection of HTTP/2 may wait for it in track, and breaking
	// off for the connection.
	for _, one := range all {
		one.breakOff()
	}
}

// over says whether the end has begun.
func (a *arriving) over() bool {
	select {
	case <-a.ended:
		return true
	default:
		return false
	}
}

// arrivingBody is the body of a request for another handler, which is not to see that
// the end broke it off.
type arrivingBody struct {
	io.ReadCloser
	arrival *arrival
}

func (b arrivingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		b.arrival.arrived()
	case err != nil && b.arrival.arriving.over():
		panic(http.ErrAbortHandler)
	}
	return n, err
}
