package cmd

import (
	"strings"

	"github.com/leapfinancial/m2m/internal/report"
	"github.com/leapfinancial/m2m/internal/term"
	"github.com/leapfinancial/m2m/internal/verify"
)

// verifyReports are the reports of a run of verify.
type verifyReports struct {
	junits
	// safe makes text from outside fit for a report, which may be read on a terminal, too.
	safe func(text string) string
}

func (a *app) openVerifyReports(files []reportFile) (verifyReports, error) {
	all, err := openJUnits(files, report.Suite{Name: "m2m verify", Started: a.Now()})
	return verifyReports{all, a.safe}, err
}

func (r verifyReports) add(result verify.Result) {
	if len(r.junits) == 0 {
		return
	}
	event := result.Event
	if event == "" {
		event = "(no event)"
	}
	one := report.JUnitCase{
		Class: r.safe(event),
		Name:  r.safe(strings.TrimSpace(result.Source + " " + result.Payload.ID)),
	}
	if !result.Good() {
		one.Failure = r.failureOf(result)
	}
	r.junits.add(one)
}

// fault adds what could not be read, so that a report does not look better than the
// exit code.
func (r verifyReports) fault(err error) {
	text := r.safe(err.Error())
	r.junits.add(report.JUnitCase{
		Class: "(not a capture)", Name: text, Failure: &report.JUnitFailure{Type: "not_tried", Message: text},
	})
}

func (r verifyReports) failureOf(result verify.Result) *report.JUnitFailure {
	failure := &report.JUnitFailure{Type: string(result.Verdict.Reason)}
	var lines []string
	if !result.Verdict.Valid() {
		failure.Message = r.safe(result.Text())
		if result.Verdict.Computed != "" {
			lines = append(lines, r.safe(strings.TrimSpace(term.Comparison(result.Received, result.Verdict, ""))))
		}
		for _, finding := range result.Diagnosis.Findings {
			lines = append(lines, "cause: "+r.safe(finding.Message), "fix: "+r.safe(finding.Fix))
		}
	} else {
		failure.Type, failure.Message = "schema", "the payload does not fit its schema"
	}
	for _, fault := range result.SchemaErrors {
		lines = append(lines, r.safe(fault.Path+": "+fault.Message))
	}
	failure.Text = strings.Join(lines, "\n")
	return failure
}

// schemaCheck returns the function that checks payloads against their schemas.
func (a *app) schemaCheck() (func([]byte) []verify.SchemaError, error) {
	catalogue, err := a.catalogue()
	if err != nil {
		return nil, err
	}
	schemas, err := catalogue.Schemas()
	if err != nil {
		return nil, err
	}
	return func(payload []byte) []verify.SchemaError {
		var found []verify.SchemaError
		for _, fault := range schemas.Check(payload) {
			found = append(found, verify.SchemaError(fault))
		}
		return found
	}, nil
}
