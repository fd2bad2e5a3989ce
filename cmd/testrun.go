package cmd

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/leapfinancial/m2m/internal/conform"
	"github.com/leapfinancial/m2m/internal/report"
	"github.com/leapfinancial/m2m/internal/term"
)

// testRun is one run of test, once everything is ready.
type testRun struct {
	*testOptions
	cases   []conform.Case
	options conform.Options
	view    *testView
}

func (t *testRun) run(ctx context.Context) error {
	listeners, origin, err := t.Place.open(ctx)
	if err != nil {
		return err
	}
	t.options.Replies = conform.NewReplies(origin, t.app.Now)
	if onThisMachineAlone(origin, t.Target) {
		t.options.Unreachable = "the handler cannot reach this machine's replyEndpoint: --reply-url names it as " + t.Target.URL.Hostname() + " reaches it"
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	var server sync.WaitGroup
	server.Go(func() { _ = t.options.Replies.Serve(serving, listeners) }) // no reply then comes, and that is told
	defer server.Wait()
	defer stop()
	if t.Probe != "" {
		t.options.Probe = t.probe
		if _, err := t.probe(ctx); err != nil {
			return err
		}
	}
	reports, err := openTestReports(t)
	if err != nil {
		return err
	}
	defer reports.discard()
	t.view = newTestView(t, reports)
	began := t.app.Now()
	err = conform.Run(ctx, t.cases, t.options, conform.Watcher{Started: t.view.started, Done: t.view.done})
	var stopped *conform.StopError
	why := ""
	switch {
	case errors.As(err, &stopped):
		why = stopped.Said
	case errors.Is(err, errInterrupted):
		// A report that an earlier run has left would speak for this one.
		return errors.Join(err, t.view.interrupted(), t.report(began, "it was interrupted"))
	case err != nil:
		return errors.Join(err, t.view.interrupted())
	}
	if err := t.view.end(t.app.Now().Sub(began)); err != nil {
		return err
	}
	if err := t.report(began, why); err != nil {
		return err
	}
	return t.result(stopped)
}

// report writes the reports. Why says why the run ended early; empty when it did not.
func (t *testRun) report(began time.Time, why string) error {
	why = t.app.hide(why)
	sum := t.view.summary
	for _, c := range t.cases[min(sum.Total(), len(t.cases)):] { // a wall is one finding more
		left := c.NotRun(why)
		sum.Add(left)
		t.view.reports.add(left)
	}
	return t.view.reports.close(report.Conformance{
		Target: term.Safe(t.Target.String()), Secret: t.options.Spec.Key.Fingerprint(), Began: began, Took: t.app.Now().Sub(began),
		Summary: sum, Strict: t.Strict, Counted: t.Probe != "", Stopped: term.Safe(why),
	}, "m2m "+buildVersion())
}

// result returns how the run ends.
func (t *testRun) result(stopped *conform.StopError) error {
	code := exitDone
	if t.view.summary.Failed > 0 || t.Strict && t.view.summary.Warned > 0 {
		code = exitNo
	}
	switch {
	case stopped == nil:
		return result(code)
	case stopped.Unreachable:
		code = exitUnreachable
	default:
		code = exitNo
	}
	return &exitError{code: code, err: stopped}
}
