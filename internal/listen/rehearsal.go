package listen

import (
	"context"
	"net/http"
	"time"
)

// Rehearsal lets a receiver fail on purpose, to see what the sender makes of it.
// Deliveries are judged, recorded and saved all the same.
type Rehearsal struct {
	// Status answers what would have been accepted; 0 is no other answer.
	Status int
	// FailFirst is how many deliveries get another answer; 0 means all, when there is
	// a Status. Without a Status, it is a 500.
	FailFirst int
	// Delay is how long each delivery waits for its answer.
	Delay time.Duration
}

// status returns the answer to the delivery of that number, counted from 1, or 0 for
// the usual one.
func (r Rehearsal) status(number int64) int {
	switch {
	case r.FailFirst > 0 && number > int64(r.FailFirst):
		return 0
	case r.FailFirst > 0 && r.Status == 0:
		return http.StatusInternalServerError
	}
	return r.Status
}

func (r Rehearsal) wait(ctx context.Context) {
	if r.Delay <= 0 {
		return
	}
	timer := time.NewTimer(r.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done(): // the sender gave up
	}
}
