package cmd

import (
	"strings"

	"github.com/leapfinancial/m2m/internal/conform"
	"github.com/leapfinancial/m2m/internal/report"
	"github.com/leapfinancial/m2m/internal/term"
)

// caseInfo is what --list and --explain say of a case.
type caseInfo struct {
	Type  string `json:"type"`
	ID    string `json:"id"`
	Title string `json:"title"`
	Why   string `json:"why"`
	Sends string `json:"sends"`
	Worst string `json:"worst"`
	Fix   string `json:"fix"`
}

func newCaseInfo(c conform.Case) caseInfo {
	return caseInfo{"case", c.ID, c.Title, c.Why, c.Sends, string(c.Worst), c.Fix}
}

// caseRecord is a result. Fix is there where something is to be mended.
type caseRecord struct {
	Type     string  `json:"type"`
	ID       string  `json:"id"`
	Outcome  string  `json:"outcome"`
	Title    string  `json:"title"`
	Message  string  `json:"message"`
	Why      string  `json:"why"`
	Sent     string  `json:"sent,omitempty"`
	Received string  `json:"received,omitempty"`
	Fix      string  `json:"fix,omitempty"`
	TookMs   float64 `json:"tookMs,omitempty"`
}

func newCaseRecord(r conform.Result) caseRecord {
	record := caseRecord{
		Type: "case", ID: r.Case.ID, Outcome: string(r.Outcome), Title: r.Case.Title, Message: r.Said, Why: r.Why,
		Sent: r.Sent, Received: r.Received, TookMs: float64(r.Took.Microseconds()) / 1000,
	}
	if r.Outcome == conform.Warn || r.Outcome == conform.Fail {
		record.Fix = r.Fix
	}
	return record
}

type summaryRecord struct {
	Type    string `json:"type"`
	Passed  int    `json:"passed"`
	Warned  int    `json:"warned"`
	Failed  int    `json:"failed"`
	Skipped int    `json:"skipped"`
}

// annotate tells GitHub of what is wrong, on stderr.
func (v *testView) annotate(r conform.Result) {
	if !v.github || r.Outcome != conform.Warn && r.Outcome != conform.Fail {
		return
	}
	level := report.Warning
	if r.Outcome == conform.Fail || v.Strict {
		level = report.Failure
	}
	lines := []string{r.Case.Title + ": " + term.Safe(r.Said)}
	if r.Received != "" {
		lines = append(lines, "received: "+term.Safe(r.Received))
	}
	lines = append(lines, "fix: "+term.Safe(r.Fix))
	report.Annotate(v.app.Err, report.Annotation{Level: level, Title: r.Case.ID, Text: strings.Join(lines, "\n")})
}

// testReports are the reports of a run of test.
type testReports struct {
	strict  bool
	junit   junits
	pages   pages
	results []conform.Result
	// wrong says that the JUnit reports hold something that is.
	wrong bool
}

func openTestReports(t *testRun) (*testReports, error) {
	reports := &testReports{strict: t.Strict}
	var err error
	if reports.pages, err = openPages(t.Reports); err != nil {
		return nil, err
	}
	if reports.junit, err = openJUnits(t.Reports, report.Suite{Name: "m2m test", Started: t.app.Now()}); err != nil {
		reports.discard()
		return nil, err
	}
	return reports, nil
}

// add adds a result. A report may be read on a terminal, too.
func (r *testReports) add(result conform.Result) {
	result.Said, result.Sent = term.Safe(result.Said), term.Safe(result.Sent)
	result.Received, result.Fix = term.Safe(result.Received), term.Safe(result.Fix)
	if len(r.pages) > 0 {
		r.results = append(r.results, result)
	}
	one := report.JUnitCase{Class: "m2m." + result.Case.Group(), Name: result.Case.ID, Time: result.Took}
	message := result.Case.Title + ": " + result.Said
	text := strings.Join([]string{"why: " + result.Why, "sent: " + result.Sent, "received: " + result.Received, "fix: " + result.Fix}, "\n")
	switch {
	case result.NotRun && !r.wrong:
		// Who reads nothing but the report has to see that the run came to nothing.
		one.Error = result.Said
	case result.Outcome == conform.Skip:
		one.Skipped = result.Said
	case result.Outcome == conform.Fail || r.strict && result.Outcome == conform.Warn:
		one.Failure = &report.JUnitFailure{Type: string(result.Outcome), Message: message, Text: text}
	case result.Outcome == conform.Warn:
		one.Output = "warning: " + message + "\n" + text
	}
	r.wrong = r.wrong || one.Failure != nil || one.Error != ""
	r.junit.add(one)
}

// close writes them all.
func (r *testReports) close(run report.Conformance, by string) error {
	if err := r.junit.close(); err != nil {
		return err
	}
	run.Results = r.results
	for _, page := range r.pages {
		if err := page.Conformance(run, by); err != nil {
			return err
		}
	}
	return nil
}

func (r *testReports) discard() {
	r.junit.discard()
	r.pages.discard()
}
