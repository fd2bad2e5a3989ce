package deliver

import (
	"context"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// Schedule returns M2M's own: the pause before each of the five attempts, as its
// documentation has it.
func Schedule() []time.Duration {
	return []time.Duration{0, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour}
}

// Retry is how a delivery is tried again.
type Retry struct {
	// Schedule holds the pause before each attempt. Its length is the number of
	// attempts at most; without one there is a single attempt, at once.
	Schedule []time.Duration
	// Request makes the request of an attempt: the same body, signed anew.
	Request func() delivery.Request
	// Done is told the record of each attempt, and whether it was the last.
	Done func(record delivery.Record, last bool) error
	// Waiting is told before each pause; nil is no one. What it returns is called when
	// the pause is over.
	Waiting func(next int, until time.Time) (over func())
}

// Acknowledged says whether a delivery was answered with a 2xx, which is what M2M takes
// for its end.
func Acknowledged(record delivery.Record) bool {
	return record.Response != nil && record.Response.Status >= 200 && record.Response.Status <= 299
}

// Deliver makes attempts until one is answered with a 2xx or the schedule ends, as M2M
// does on a non-2xx or a timeout. It returns how many were begun. The error is the
// context's, when that ended first, or Done's.
func (s *Sender) Deliver(ctx context.Context, retry Retry) (attempts int, err error) {
	schedule := retry.Schedule
	if len(schedule) == 0 {
		schedule = []time.Duration{0}
	}
	for i, pause := range schedule {
		if pause > 0 {
			if err := s.pause(ctx, retry, i+1, pause); err != nil {
				return i, err
			}
		}
		record, err := s.Send(ctx, retry.Request(), i+1)
		if err != nil {
			return i + 1, err
		}
		last := Acknowledged(record) || i == len(schedule)-1
		if err := retry.Done(record, last); err != nil || last {
			return i + 1, err
		}
	}
	return len(schedule), nil
}

func (s *Sender) pause(ctx context.Context, retry Retry, next int, pause time.Duration) error {
	if retry.Waiting != nil {
		defer retry.Waiting(next, s.Now().Add(pause))()
	}
	return Sleep(ctx, pause)
}

// Sleep waits that long, or until ctx ends, and then returns its cause.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
