// Package conform plays M2M, and an attacker, against a running webhook handler, and
// judges each answer: what a partner would otherwise learn in production.
//
// A case is data and one small function. Cases are independent: each makes ids of its
// own, and none depends on what another has left behind. The package prints nothing,
// and never looks at the API key that a handler sends it, beyond its fingerprint. It
// fails a handler only for what loses money or lets an attacker in; all else that is
// wrong is a warning.
package conform

import (
	"context"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// Outcome is what a case came to.
type Outcome string

// The outcomes.
const (
	Pass Outcome = "pass"
	Warn Outcome = "warn"
	Fail Outcome = "fail"
	Skip Outcome = "skip" // not tried, or it could not be told
)

// Case is one thing that a handler has to do right.
type Case struct {
	// ID is the group, a full stop and the name, "reject.stale" for instance.
	ID string
	// Title says in a phrase what is tried.
	Title string
	// Why says in one sentence what a handler that gets it wrong costs.
	Why string
	// Sends says what goes over the wire, as a phrase.
	Sends string
	// Fix says how to mend a handler that gets it wrong.
	Fix string
	// Worst is the outcome for the handler that gets it most wrong.
	Worst Outcome

	run func(context.Context, *trial) (verdict, error)
}

// Group returns the part of the id before the first full stop.
func (c Case) Group() string {
	for i := range len(c.ID) {
		if c.ID[i] == '.' {
			return c.ID[:i]
		}
	}
	return c.ID
}

// Cases returns all cases, in the order in which they are run: a handler that gets
// several wrong is named by its first cause.
func Cases() []Case {
	var all []Case
	for _, group := range [][]Case{acceptCases(), rejectCases(), surviveCases(), deliverCases(), dataRequestCases()} {
		all = append(all, group...)
	}
	return all
}

// Result is what became of a case.
type Result struct {
	Case    Case
	Outcome Outcome
	// Said is what was found, in a phrase that goes on from the case's title: "accepted".
	// It may quote what came from outside.
	Said string
	// NotRun says that the run ended before this case.
	NotRun bool
	// Sent is what went out, Received what came back; empty where nothing did. Received
	// comes from outside.
	Sent, Received string
	// Why and Fix are the case's, or such as fit better what was found.
	Why, Fix string
	// Took is how long the case ran.
	Took time.Duration
	// Records are its deliveries, with their answers.
	Records []delivery.Record
}

// NotRun is the result of a case before which the run ended, for that reason.
func (c Case) NotRun(why string) Result {
	return Result{Case: c, Outcome: Skip, Said: "not run: " + why, Why: c.Why, Fix: c.Fix, NotRun: true}
}

// Summary counts outcomes.
type Summary struct {
	Passed, Warned, Failed, Skipped int
}

// Add counts a result.
func (s *Summary) Add(r Result) {
	switch r.Outcome {
	case Pass:
		s.Passed++
	case Warn:
		s.Warned++
	case Fail:
		s.Failed++
	case Skip:
		s.Skipped++
	}
}

// Total returns how many were counted.
func (s Summary) Total() int { return s.Passed + s.Warned + s.Failed + s.Skipped }

// verdict is what a case's function found.
type verdict struct {
	outcome Outcome
	said    string
	// why and fix replace the case's where they are not empty.
	why, fix string
}

func passed(said string) verdict { return verdict{outcome: Pass, said: said} }
