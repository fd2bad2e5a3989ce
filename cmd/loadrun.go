package cmd

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/fixtures"
	"github.com/leapfinancial/m2m/internal/load"
	"github.com/leapfinancial/m2m/internal/term"
)

func runLoad(ctx context.Context, o *loadOptions) error {
	if err := o.app.settings.fill("timeout"); err != nil {
		return err
	}
	if err := o.app.target(&o.Target, o.Secrets, false); err != nil {
		return err
	}
	if err := o.checkTarget(); err != nil {
		return err
	}
	press, err := o.press()
	if err != nil {
		return err
	}
	ring, err := o.app.keysFor(o.Secrets, o.Target.Loopback())
	if err != nil {
		return err
	}
	connection, err := o.Connection.options(o.app)
	if err != nil {
		return err
	}
	// Nobody sees the answers, and thousands may come at once.
	connection.Kept, connection.Discard = o.Connections, true
	client := endpoint.NewClient(o.app.Transport, connection)
	defer client.CloseIdle()
	pages, err := openPages(o.Reports)
	if err != nil {
		return err
	}
	defer pages.discard()
	began := o.app.Now()
	tally := load.NewTally(began, o.Expect.Holds)
	progress := o.app.newProgress(func() string { return o.progress(tally, o.app.Now().Sub(began)) })
	run := deliver.Load{
		Client: client, Press: press, Now: o.app.Now,
		Spec: deliver.Spec{Target: o.Target, Key: ring.keys[0], UserAgent: userAgent(), Edits: o.Headers},
		Rate: o.Rate.Rate, Duration: o.Duration, Connections: o.Connections,
	}
	// Each delivery leaves garbage, and next to nothing stays: to collect it less often
	// costs a few MB and saves a tenth of the work.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	bytes, ended := run.Run(ctx, tally.Add)
	progress.end()
	report := tally.Report(load.Plan{
		URL: o.Target.String(), Events: press.Events(),
		Rate: o.Rate.PerSecond(), RateText: o.Rate.text, Duration: o.Duration,
	})
	for i := range report.Failures {
		report.Failures[i].Message = o.app.hide(report.Failures[i].Message)
	}
	report.Bytes = bytes
	report.Interrupted, report.Hopeless = errors.Is(ended, errInterrupted), errors.Is(ended, deliver.ErrHopeless)
	if ended != nil && !report.Interrupted && !report.Hopeless {
		return ended
	}
	if err := o.show(report); err != nil {
		return err
	}
	if err := pages.load(report, "m2m "+buildVersion()); err != nil {
		return err
	}
	return loadResult(report)
}

// press makes what is delivered: the payloads that send would make.
func (o *loadOptions) press() (*fixtures.Press, error) {
	maker, err := newMaker(&sendOptions{
		app: o.app, Events: o.Events, All: o.All, Sets: o.Sets, SetStrings: o.SetStrings, Add: o.Add, Seed: o.Seed,
	})
	if err != nil {
		return nil, err
	}
	return fixtures.NewPress(fixtures.PressOptions{
		Events: maker.events, Whole: o.All, Rand: maker.rand, Edit: maker.edit,
		// Wherever the handler runs: what it replies to a load must not reach M2M.
		ReplyOrigin: o.Target.Origin(),
	})
}

// progress is the line on a terminal while the load lasts.
func (o *loadOptions) progress(tally *load.Tally, elapsed time.Duration) string {
	text := fmt.Sprintf("%s of %s  %s", term.Wait(min(elapsed, o.Duration)), term.Wait(o.Duration), term.Outcomes(tally.Counts()))
	if elapsed > o.Duration {
		return text + "  waiting for the last answers"
	}
	return text
}

func (o *loadOptions) show(report load.Report) error {
	if o.app.JSON {
		return o.app.writeJSON(report.Record())
	}
	if o.app.Quiet {
		return nil
	}
	p := o.app.printer(o.app.Out)
	p.Load(report)
	return p.Err()
}

// loadResult is how a run of load ends.
func loadResult(r load.Report) error {
	switch {
	case r.Interrupted:
		return errInterrupted
	case r.Unanswered > 0:
		first := r.Failures[0]
		failure := &endpoint.Error{Kind: endpoint.Kind(first.Kind), Message: first.Message, Hint: first.Hint}
		if r.Answered() > 0 || len(r.Failures) > 1 {
			failure.Message = fmt.Sprintf("%d of %d got no answer: %s", r.Unanswered, r.Sent(), first.Message)
		}
		return failure
	case r.Refused > 0:
		return result(exitNo)
	case r.Sent() == 0:
		return withHint(errors.New("nothing was sent: the time was over before the first delivery was made"), "this machine is too busy, or --duration too short")
	}
	return nil
}
