package verify

import (
	"runtime"
	"sync"

	"github.com/leapfinancial/m2m/internal/diagnose"
)

const (
	// together is how many deliveries are examined before it is decided anew how
	// thoroughly. It does not depend on the machine, so that every one gives the same
	// answers.
	together = 16
	// A batch in which nothing matches has the wrong secret, and that shows soon: the
	// first deliveries in vain are searched through, the next ones for what goes wrong
	// alone, many more at a glance, and then no more.
	thoroughly = 16
	quickly    = 128
	ataGlance  = 10_000
)

// examiner finds out why signatures do not match, on all cores.
type examiner struct {
	diagnoser *diagnose.Diagnoser
	// vain is how many deliveries were examined in vain.
	vain int
}

// examine gives each finding its diagnosis.
func (e *examiner) examine(findings []*finding) {
	for len(findings) > 0 {
		group := findings[:min(together, len(findings))]
		findings = findings[len(group):]
		e.group(group)
		for _, f := range group {
			if f.result.Diagnosis.Cause() == diagnose.Unknown {
				e.vain++
			}
		}
	}
}

func (e *examiner) group(group []*finding) {
	effort, ok := e.effort()
	if !ok {
		for _, f := range group {
			f.result.Diagnosis.Findings = notSearched()
		}
		return
	}
	next := make(chan *finding, len(group))
	for _, f := range group {
		next <- f
	}
	close(next)
	var working sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(group)) {
		working.Go(func() {
			for f := range next {
				f.result.Diagnosis = e.diagnoser.Diagnose(Broken(*f.broken), effort)
			}
		})
	}
	working.Wait()
}

// effort returns how thoroughly to look; it is not ok when there is no more use in it.
func (e *examiner) effort() (effort diagnose.Effort, ok bool) {
	switch {
	case e.vain < thoroughly:
		return diagnose.Thorough, true
	case e.vain < quickly:
		return diagnose.Quick, true
	case e.vain < ataGlance:
		return diagnose.Glance, true
	}
	return 0, false
}

func notSearched() []diagnose.Finding {
	return []diagnose.Finding{{
		Cause:   diagnose.Unknown,
		Message: "not looked into: nothing matches for thousands of deliveries before it",
		Fix:     "mend what is wrong with those first: the secret, most likely",
	}}
}
