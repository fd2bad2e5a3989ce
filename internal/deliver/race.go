package deliver

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// Race delivers a request several times at one moment: over as many connections,
// which are all open before the first body goes out. It returns a record for each.
// The error is the context's, when that ended first.
func (s *Sender) Race(ctx context.Context, request delivery.Request, copies int) ([]delivery.Record, error) {
	start := &barrier{missing: copies, open: make(chan struct{}), now: s.Now}
	records, errs := make([]delivery.Record, copies), make([]error, copies)
	var racing sync.WaitGroup
	for i := range copies {
		// One that gets no connection, or has no body, must not keep the others
		// waiting.
		mine := &place{barrier: start}
		racing.Go(func() {
			defer mine.arrive()
			one := *s
			one.Client = s.Client.Separate()
			defer one.Client.CloseIdle()
			records[i], errs[i] = one.send(ctx, request, 1, mine)
		})
	}
	racing.Wait()
	for _, err := range errs {
		if err != nil {
			return records, err
		}
	}
	return records, nil
}

// barrier opens when all have arrived.
type barrier struct {
	mu      sync.Mutex
	missing int
	open    chan struct{}
	now     func() time.Time
	opened  time.Time
}

func (b *barrier) arrive() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.missing--; b.missing == 0 {
		b.opened = b.now()
		close(b.open)
	}
}

// place is one delivery's at the barrier.
type place struct {
	barrier *barrier
	once    sync.Once
}

func (p *place) arrive() { p.once.Do(p.barrier.arrive) }

// before returns a body whose first byte is not to be had before the barrier opens.
// net/http asks for it when the connection is there.
func (p *place) before(ctx context.Context, body io.ReadCloser) io.ReadCloser {
	return &heldBody{ReadCloser: body, ctx: ctx, place: p}
}

// openedAt returns when the barrier opened, or the other moment where it has not.
func (p *place) openedAt(otherwise time.Time) time.Time {
	select {
	case <-p.barrier.open:
		return p.barrier.opened
	default:
		return otherwise
	}
}

type heldBody struct {
	io.ReadCloser
	ctx   context.Context
	place *place
}

func (b *heldBody) Read(p []byte) (int, error) {
	b.place.arrive()
	select {
	case <-b.place.barrier.open:
		return b.ReadCloser.Read(p)
	case <-b.ctx.Done():
		return 0, context.Cause(b.ctx)
	}
}
