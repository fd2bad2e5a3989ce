package conform

import (
	"context"
	"time"

	"github.com/leapfinancial/m2m/internal/deliver"
)

const (
	// probePatience is how long the first effect is waited for: a handler may work after
	// it has answered.
	probePatience = 5 * time.Second
	// probeSettle is how long after that a second one is watched for, at least: a queue
	// that took long for the first takes as long for the next.
	probeSettle = 1500 * time.Millisecond
	probeEvery  = 50 * time.Millisecond
	// probeQuiet is how long the count has to stand still before a case begins: what
	// earlier deliveries have set off may still be at work.
	probeQuiet = time.Second
)

// countEffects notes how many effects there were and returns a function that says how
// many have been added; nil without a probe.
func (t *trial) countEffects(ctx context.Context) (func(context.Context) (int, error), error) {
	if t.Probe == nil {
		return nil, nil
	}
	before, err := t.quiet(ctx)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (int, error) {
		began := t.Now()
		patience := began.Add(probePatience)
		settled := false
		for {
			now, err := t.Probe(ctx)
			switch {
			case err != nil || now-before > 1:
				return now - before, err
			case t.Now().After(patience):
				return now - before, nil
			case now > before && !settled:
				first := t.Now()
				settled, patience = true, first.Add(max(probeSettle, 2*first.Sub(began)))
			}
			if err := deliver.Sleep(ctx, probeEvery); err != nil {
				return 0, err
			}
		}
	}, nil
}

// quiet returns the count of effects when it has stood still, or after the patience.
func (t *trial) quiet(ctx context.Context) (int, error) {
	patience := t.Now().Add(probePatience)
	count, err := t.Probe(ctx)
	for still := t.Now(); err == nil; {
		now := t.Now()
		if now.Sub(still) >= probeQuiet || now.After(patience) {
			return count, nil
		}
		if err := deliver.Sleep(ctx, probeEvery); err != nil {
			return 0, err
		}
		before := count
		if count, err = t.Probe(ctx); count != before {
			still = t.Now()
		}
	}
	return 0, err
}
