package cmd

import (
	"fmt"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/term"
)

// sendTally counts what became of the deliveries.
type sendTally struct {
	sent, delivered, refused, unexpected, unanswered int
	code                                             exitCode
	failure                                          *delivery.Error
}

// add counts a delivery and says whether its answer was the expected one.
func (t *sendTally) add(record delivery.Record, expect deliver.Expectation) bool {
	t.sent++
	switch {
	case record.Error != nil:
		t.unanswered++
		t.code = worse(t.code, exitUnreachable)
		t.failure = record.Error
		return false
	case !expect.Holds(record.Response.Status):
		if deliver.Acknowledged(record) {
			t.unexpected++
		} else {
			t.refused++
		}
		t.code = worse(t.code, exitNo)
		return false
	}
	t.delivered++
	return true
}

// showSent counts a delivery and shows it.
func (a *app) showSent(record delivery.Record, expect deliver.Expectation, tally *sendTally) error {
	return a.show(record, answered(tally.add(record, expect), expect.String()))
}

// defaultExpect is what counts as delivered where nothing else is said.
const defaultExpect = "2xx"

// answered is whether an answer was as expected, and what that was: a 2xx goes
// without saying.
func answered(met bool, status string) term.Expectation {
	if status == defaultExpect {
		status = ""
	}
	return term.Expectation{Met: met, Status: status}
}

// show shows a delivery that was sent.
func (a *app) show(record delivery.Record, expected term.Expectation) error {
	if a.JSON {
		return a.writeRecord(record)
	}
	if a.Quiet {
		return nil
	}
	p := a.printer(a.Out)
	p.Sent(record, expected, a.Verbose)
	return p.Err()
}

// end tells the sum of several deliveries and returns the run's error.
func (t *sendTally) end(a *app) error {
	if t.sent > 1 {
		if !a.Quiet {
			fmt.Fprintln(a.Err, term.Outcomes(t.delivered, t.refused, t.unexpected, t.unanswered))
		}
	}
	if t.failure != nil {
		failure := &endpoint.Error{Kind: endpoint.Kind(t.failure.Kind), Message: t.failure.Message, Hint: t.failure.Hint}
		return &exitError{code: t.code, err: failure}
	}
	return result(t.code)
}
