package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/term"
)

// sending is one run of send, once everything is ready.
type sending struct {
	*sendOptions
	maker  *maker
	spec   deliver.Spec
	sender *deliver.Sender
	tally  *sendTally
}

// run delivers every payload, one after the other.
func (s *sending) run(ctx context.Context, round [][]byte) error {
	err := s.maker.each(round, func(payload []byte) error {
		switch {
		case s.Duplicates > 0:
			return s.race(ctx, payload)
		case s.Schedule != nil:
			return s.retry(ctx, payload)
		}
		record, err := s.sender.Send(ctx, s.spec.Request(payload, s.timestamp()), 1)
		if err != nil {
			return err
		}
		return s.app.showSent(record, s.Expect, s.tally)
	})
	if err != nil {
		return err
	}
	return s.tally.end(s.app)
}

// race delivers a payload at one moment over several connections.
func (s *sending) race(ctx context.Context, payload []byte) error {
	records, err := s.sender.Race(ctx, s.spec.Request(payload, s.timestamp()), s.Duplicates+1)
	if err != nil {
		return err
	}
	for _, record := range records {
		if err := s.app.showSent(record, s.Expect, s.tally); err != nil {
			return err
		}
	}
	return nil
}

// retry delivers a payload as often as the schedule says.
func (s *sending) retry(ctx context.Context, payload []byte) error {
	schedule := s.schedule()
	attempts, err := s.sender.Deliver(ctx, deliver.Retry{
		Schedule: schedule,
		Request:  func() delivery.Request { return s.spec.Request(payload, s.timestamp()) },
		Done: func(record delivery.Record, last bool) error {
			if last {
				return s.app.showSent(record, s.Expect, s.tally)
			}
			return s.app.show(record, false)
		},
		Waiting: func(next int, until time.Time) func() { return s.waiting(next, len(schedule), until) },
	})
	if errors.Is(err, errInterrupted) {
		body, _ := delivery.ReadPayload(payload)
		s.app.notice("interrupted after attempt %d of %d: %s %s was not acknowledged", attempts, len(schedule), body.Event, body.ID)
	}
	return err
}

// schedule is the user's or M2M's own, run faster or slower.
func (s *sending) schedule() []time.Duration {
	schedule := make([]time.Duration, len(s.Schedule))
	for i, pause := range s.Schedule {
		schedule[i] = time.Duration(float64(pause) * s.TimeScale)
	}
	return schedule
}

// waiting says how long it is until the next attempt: on a terminal all the time,
// elsewhere once.
func (s *sending) waiting(next, most int, until time.Time) (over func()) {
	left := func() time.Duration { return until.Sub(s.app.Now()) }
	if !s.app.IsTerminal(s.app.Err) {
		if left() >= time.Second {
			s.app.notice("attempt %d of %d in %s", next, most, term.Wait(left()))
		}
		return func() {}
	}
	return s.app.newProgress(func() string {
		return fmt.Sprintf("attempt %d of %d in %s", next, most, term.Wait(left()))
	}).end
}
