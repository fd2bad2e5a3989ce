package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/term"
)

const (
	// maxPause is the longest pause between two attempts.
	maxPause = 30 * 24 * time.Hour
	// maxDuplicates is how many connections one race opens, less one.
	maxDuplicates = 1000
)

// sending is one run of send, once everything is ready.
type sending struct {
	*sendOptions
	maker  *maker
	spec   deliver.Spec
	sender *deliver.Sender
	tally  *sendTally
	await  *awaiter
}

// run delivers every payload, one after the other, and waits for the reply to each data
// request if it is to.
func (s *sending) run(ctx context.Context, round [][]byte) error {
	untried := len(round) * s.Count
	err := s.maker.each(round, func(payload []byte) error {
		untried--
		s.await.expect(payload)
		acknowledged, err := s.deliver(ctx, payload)
		if err != nil {
			return err
		}
		return s.await.await(ctx, payload, acknowledged)
	})
	if errors.Is(err, errInterrupted) && untried > 0 {
		s.app.notice("interrupted: %s not tried", term.Count(untried, "delivery was", "deliveries were"))
	}
	replies, showing := s.await.end()
	if err = cmp.Or(err, showing); err != nil {
		return err
	}
	s.tally.code = worse(s.tally.code, replies)
	return s.tally.end(s.app)
}

// deliver delivers a payload in the way that the flags ask for. It returns when that
// was first acknowledged with a 2xx, or the zero time.
func (s *sending) deliver(ctx context.Context, payload []byte) (acknowledged time.Time, err error) {
	switch {
	case s.Duplicates > 0:
		return s.race(ctx, payload)
	case s.Schedule != nil:
		return s.retry(ctx, payload)
	}
	record, err := s.sender.Send(ctx, s.spec.Request(payload, s.timestamp()), 1)
	if err != nil {
		return time.Time{}, err
	}
	return acknowledgedAt(record), s.app.showSent(record, s.Expect, s.tally)
}

// acknowledgedAt returns when the first 2xx came, or the zero time where none did.
func acknowledgedAt(records ...delivery.Record) (first time.Time) {
	for _, record := range records {
		if !deliver.Acknowledged(record) {
			continue
		}
		if at := record.Time.Add(record.Latency); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// race delivers a payload at one moment over several connections.
func (s *sending) race(ctx context.Context, payload []byte) (acknowledged time.Time, err error) {
	records, err := s.sender.Race(ctx, s.spec.Request(payload, s.timestamp()), s.Duplicates+1)
	if err != nil {
		return time.Time{}, err
	}
	for _, record := range records {
		if err := s.app.showSent(record, s.Expect, s.tally); err != nil {
			return time.Time{}, err
		}
	}
	return acknowledgedAt(records...), nil
}

// retry delivers a payload as often as the schedule says.
func (s *sending) retry(ctx context.Context, payload []byte) (acknowledged time.Time, err error) {
	schedule := s.scaledAll(s.Schedule)
	attempts, err := s.sender.Deliver(ctx, deliver.Retry{
		Schedule: schedule,
		Request:  func() delivery.Request { return s.spec.Request(payload, s.timestamp()) },
		Done: func(record delivery.Record, last bool) error {
			acknowledged = acknowledgedAt(record)
			if last {
				return s.app.showSent(record, s.Expect, s.tally)
			}
			return s.app.show(record, term.Expectation{})
		},
		Waiting: func(next int, until time.Time) func() {
			return s.app.countdown(fmt.Sprintf("attempt %d of %d in", next, len(schedule)), until.Sub(s.app.Now()))
		},
	})
	if errors.Is(err, errInterrupted) {
		body, _ := delivery.ReadPayload(payload)
		s.app.notice("interrupted: %s %s is not acknowledged after %s, %d not tried",
			body.Event, body.ID, term.Count(attempts, "attempt", "attempts"), len(schedule)-attempts)
	}
	return acknowledged, err
}

// waitsTooLong says whether the schedule has a pause that nobody means.
func (o *sendOptions) waitsTooLong() bool {
	return slices.ContainsFunc(o.Schedule, func(pause time.Duration) bool {
		return float64(pause)*o.TimeScale > float64(maxPause)
	})
}

// scaled is a pause, run faster or slower.
func (o *sendOptions) scaled(pause time.Duration) time.Duration {
	return time.Duration(float64(pause) * o.TimeScale)
}

func (o *sendOptions) scaledAll(schedule []time.Duration) []time.Duration {
	scaled := make([]time.Duration, len(schedule))
	for i, pause := range schedule {
		scaled[i] = o.scaled(pause)
	}
	return scaled
}
