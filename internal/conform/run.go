package conform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/endpoint"
)

// StopError is why a run ended before all cases were run.
type StopError struct {
	// Said is what happened, in a phrase, and Fix how to mend it. Both may quote what
	// came from outside.
	Said, Fix string
	// Unreachable says that the target does not answer, or not any more.
	Unreachable bool
}

// Error returns what happened.
func (s *StopError) Error() string { return s.Said }

// Hint returns how to mend it.
func (s *StopError) Hint() string { return s.Fix }

// Watcher is told how a run goes, one call at a time.
type Watcher struct {
	// Started is told of each case before it is run.
	Started func(c Case)
	// Done is told what became of each case, in their order. Its error ends the run.
	Done func(r Result) error
}

// Run runs the cases. Where no delivery can get to the handler at all, one finding says
// so, asked for or not, and the rest are skipped; where the target stops answering on the
// way, the case that it died of fails and the rest are skipped. Both come back as a
// *StopError. Another error is the context's, the probe's or the watcher's.
func Run(ctx context.Context, cases []Case, o Options, watch Watcher) error {
	o.Patience = cmp.Or(o.Patience, replyPatience)
	r := &runner{Options: o, watch: watch, left: cases}
	if err := r.run(ctx); err != nil {
		return errors.Join(err, r.flush())
	}
	return r.flush()
}

// settle is the pause after each case.
const settle = 50 * time.Millisecond

type runner struct {
	Options
	watch Watcher
	// left are the cases that no result is there for.
	left []Case
	// held are the results of cases since which the target has not been seen alive: it
	// may have died of the first of them.
	held []Result
	// stop ends the run.
	stop *StopError
}

func (r *runner) run(ctx context.Context) error {
	if err := r.scout(ctx); err != nil {
		return err
	}
	if r.stop != nil {
		return r.skipRest()
	}
	for len(r.left) > 0 {
		next := r.left[0]
		r.watch.Started(next)
		result, err := r.try(ctx, next)
		if err != nil {
			return err
		}
		if err := r.add(ctx, result); err != nil {
			return err
		}
		if r.stop != nil {
			return r.skipRest()
		}
		// What a handler does after it has answered may end it, and the next case must
		// not be taken for the cause.
		if err := deliver.Sleep(ctx, settle); err != nil {
			return err
		}
	}
	return r.lastLook(ctx)
}

// tried is a result, and whether the target took a connection for it.
type tried struct {
	Result
	contact bool
}

func (r *runner) try(ctx context.Context, c Case) (tried, error) {
	// A connection that an earlier case has left may be closed by the target at any
	// moment, for its age, and that must not be taken for this case's doing.
	r.Sender.Client.CloseIdle()
	t, began := r.trial(), r.Now()
	v, err := c.run(ctx, t)
	if err != nil {
		return tried{}, err
	}
	return tried{t.result(c, v, r.Now().Sub(began)), t.contact}, nil
}

// add takes the result of the next case, unless the target died of an earlier one.
func (r *runner) add(ctx context.Context, result tried) error {
	lost := false
	for _, record := range result.Records {
		lost = lost || record.Error != nil
	}
	if lost {
		alive, err := r.alive(ctx)
		if err != nil {
			return err
		}
		if !alive && !result.contact && len(r.held) > 0 {
			r.died(&r.held[0], "after")
			return nil
		}
		if !alive {
			r.died(&result.Result, "in")
		}
	}
	if result.contact {
		if err := r.flush(); err != nil {
			return err
		}
	}
	r.left = r.left[1:]
	r.held = append(r.held, result.Result)
	return nil
}

// died makes a result that of the case that the target died of.
func (r *runner) died(result *Result, when string) {
	result.Outcome = Fail
	result.Said = fmt.Sprintf("the target stopped answering %s it", when)
	result.Why = "A target that does not answer takes no deliveries at all."
	result.Fix = "Look into its log for what ended or blocked it, and catch that where it happens."
	r.stop = &StopError{
		Said: fmt.Sprintf("the target stopped answering in %s", result.Case.ID),
		Fix:  "start it again and run m2m test --to " + r.Spec.Target.String() + " --only " + result.Case.ID, Unreachable: true,
	}
}

// alive says whether the target answers a valid delivery. What restarts it is given a
// moment.
func (r *runner) alive(ctx context.Context) (bool, error) {
	const (
		patience = 10 * time.Second
		restart  = time.Second
		every    = 100 * time.Millisecond
	)
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errNoAnswer)
	defer cancel()
	for began := r.Now(); ; {
		t := r.trial()
		request, err := build(t, linkCreated)
		if err != nil {
			return false, err
		}
		record, err := t.send(ctx, request)
		switch {
		case errors.Is(err, errNoAnswer):
			return false, nil
		case err != nil:
			return false, err
		case record.Error == nil:
			return true, nil
		case r.Now().Sub(began) > restart:
			return false, nil
		}
		if err := deliver.Sleep(ctx, every); err != nil {
			return false, err
		}
	}
}

var errNoAnswer = errors.New("no answer")

// lastLook sees whether the target has survived the last case.
func (r *runner) lastLook(ctx context.Context) error {
	err := r.Sender.Client.SendRaw(ctx, r.Spec.Target, nil)
	var failure *endpoint.Error
	switch {
	case errors.As(err, &failure) && failure.Kind == endpoint.Refused && len(r.held) > 0:
		r.died(&r.held[0], "after")
		return r.stop
	case errors.As(err, &failure):
		return nil // it cannot be told
	}
	return err
}

// skipRest gives every case that is left a result, and returns why.
func (r *runner) skipRest() error {
	for _, c := range r.left {
		r.held = append(r.held, c.NotRun(r.stop.Said))
	}
	r.left = nil
	return r.stop
}

// flush tells of the results that are held.
func (r *runner) flush() error {
	held := r.held
	r.held = nil
	for _, result := range held {
		if err := r.watch.Done(result); err != nil {
			return err
		}
	}
	return nil
}
