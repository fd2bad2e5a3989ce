package cmd

import (
	"fmt"
	"sync"
	"time"

	"github.com/leapfinancial/m2m/internal/conform"
	"github.com/leapfinancial/m2m/internal/term"
)

// testView shows the results of a run, each group when it is over.
type testView struct {
	*testRun
	reports  *testReports
	progress *progress
	github   bool
	summary  conform.Summary
	group    []conform.Result
	// accepted and refused are how many accept and reject cases passed: where nothing valid
	// is accepted, refusals prove little.
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
	for _, text := range []*string{&r.Said, &r.Sent, &r.Received, &r.Fix} {
		*text = v.app.hide(*text)
	}
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
			return v.app.writeJSON(newCaseRecord(r))
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
