package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/leapfinancial/m2m/internal/conform"
	"github.com/leapfinancial/m2m/internal/report"
	"github.com/leapfinancial/m2m/internal/term"
)

// probeTimeout is how long a probe may take.
const probeTimeout = 10 * time.Second

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
	sum := t.view.summary
	for _, c := range t.cases[sum.Total():] {
		left := conform.Result{Case: c, Outcome: conform.Skip, Said: "not run: " + why, Why: c.Why, Fix: c.Fix, NotRun: true}
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

// probe runs the user's command, which prints how many effects there have been.
func (t *testRun) probe(ctx context.Context) (int, error) {
	bounded, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	command := shell(bounded, t.Probe)
	printed, said := &beginning{stop: cancel}, &beginning{}
	command.Stdout, command.Stderr = printed, said
	err := command.Run()
	switch {
	case printed.over:
		return 0, withHint(fmt.Errorf("--probe: the command printed more than %d bytes", maxProbe), probeHint)
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case bounded.Err() != nil:
		return 0, fmt.Errorf("--probe: the command had not ended within %s", probeTimeout)
	case errors.Is(err, exec.ErrWaitDelay):
		return 0, errors.New("--probe: the command has left something running that holds its output")
	case err != nil:
		line, _, _ := strings.Cut(strings.TrimSpace(string(said.text)), "\n")
		return 0, withHint(fmt.Errorf("--probe: %w", err), "%s", cmp.Or(line, "run the command by hand: it has to end with 0"))
	}
	text := strings.TrimSpace(string(printed.text))
	count, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, withHint(fmt.Errorf("--probe: the command printed %.200q", text), probeHint)
	}
	return int(count), nil
}

const (
	// maxProbe is the most that a probe may print, in bytes.
	maxProbe  = 4096
	probeHint = "it has to print a whole number, the count of effects, and nothing else"
)

// beginning keeps the beginning of what is written, and calls stop, if there is one, when
// there is more.
type beginning struct {
	text []byte
	over bool
	stop func()
}

func (b *beginning) Write(p []byte) (int, error) {
	room := maxProbe - len(b.text)
	b.text = append(b.text, p[:min(len(p), room)]...)
	if len(p) > room && !b.over {
		b.over = true
		if b.stop != nil {
			b.stop()
		}
	}
	return len(p), nil
}

// testView shows the results of a run, each group when it is over.
type testView struct {
	*testRun
	reports  *testReports
	progress *progress
	github   bool
	summary  conform.Summary
	group    []conform.Result
	// vacuous says that refusals prove little: nothing valid was accepted either.
	accepted, refused int

	mu    sync.Mutex
	count int
	now   string
}

func newTestView(t *testRun, reports *testReports) *testView {
	actions, _ := t.app.LookupEnv("GITHUB_ACTIONS")
	v := &testView{testRun: t, reports: reports, github: actions == "true"}
	if !t.app.Quiet {
		fmt.Fprintf(t.app.Err, "testing %s   secret %s   %s\n", term.Safe(t.Target.String()),
			t.options.Spec.Key.Fingerprint(), term.Count(len(t.cases), "case", "cases"))
	}
	v.progress = t.app.newProgress(v.text)
	return v
}

func (v *testView) started(c conform.Case) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = c.ID
	v.count++
}

// text is the line that shows while a case is run.
func (v *testView) text() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return fmt.Sprintf("%d of %d  %s", min(v.count, len(v.cases)), len(v.cases), v.now)
}

// done takes a result.
func (v *testView) done(r conform.Result) error {
	v.summary.Add(r)
	if r.Outcome == conform.Pass && r.Case.Group() == "accept" {
		v.accepted++
	}
	if r.Outcome == conform.Pass && r.Case.Group() == "reject" {
		v.refused++
	}
	v.reports.add(r)
	return v.progress.above(func() error {
		v.annotate(r)
		switch {
		case v.app.JSON:
			return v.writeRecord(newCaseRecord(r))
		case r.NotRun: // the score counts it, and the error says why
			return nil
		}
		var over error
		if len(v.group) > 0 && v.group[0].Case.Group() != r.Case.Group() {
			over = v.showGroup()
		}
		v.group = append(v.group, r)
		return over
	})
}

func (v *testView) showGroup() error {
	group := v.group
	v.group = nil
	if v.app.Quiet || len(group) == 0 {
		return nil
	}
	p := v.app.printer(v.app.Out)
	p.Group(group, v.app.Verbose)
	return p.Err()
}

// end shows the last group and the score.
func (v *testView) end(took time.Duration) error {
	v.progress.end()
	if v.app.JSON {
		return v.app.writeJSON(summaryRecord{"summary", v.summary.Passed, v.summary.Warned, v.summary.Failed, v.summary.Skipped})
	}
	if err := v.showGroup(); err != nil || v.app.Quiet {
		return err
	}
	p := v.app.printer(v.app.Out)
	p.Score(v.summary, took)
	v.remark()
	return p.Err()
}

// remark says what the score does not.
func (v *testView) remark() {
	if v.accepted == 0 && v.refused > 0 && v.summary.Failed > 0 {
		v.app.warn("the handler accepted nothing valid, so that it refuses what is not proves little: begin with the first failure")
	}
	for _, c := range v.cases {
		if v.Probe == "" && c.ID == "deliver.concurrent-duplicates" && v.summary.Skipped == 0 {
			v.app.notice("effects were not counted: --probe 'COMMAND' that prints their number shows whether a repeat pays twice")
		}
	}
}

// interrupted shows what there is when the run ends early.
func (v *testView) interrupted() error {
	v.progress.end()
	err := v.showGroup()
	if left := len(v.cases) - v.summary.Total(); left > 0 {
		v.app.notice("ended early: %s not run", term.Count(left, "case was", "cases were"))
	}
	return err
}
