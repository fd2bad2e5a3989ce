package cmd

import (
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/diagnose"
	"github.com/leapfinancial/m2m/internal/sign"
	"github.com/leapfinancial/m2m/internal/verify"
)

const (
	// explainAtOnce is the most time that a receiver spends on explaining at once, and
	// explainShare which part of the time after that: whoever floods it with forgeries
	// must not keep it busy, however slow the machine is.
	explainAtOnce = 2 * time.Second
	explainShare  = 0.2
)

// diagnoser returns what says why a signature under one of the keys does not match.
func (a *app) diagnoser(keys []sign.Key) (*diagnose.Diagnoser, error) {
	catalogue, err := a.catalogue()
	if err != nil {
		return nil, err
	}
	var samples [][]byte
	for _, event := range catalogue.Events() {
		samples = append(samples, event.Sample)
	}
	return diagnose.New(keys, a.otherSecrets(), samples...), nil
}

// explainer says why deliveries that come in are not valid, as long as they are not
// too many. It is not safe for concurrent use.
type explainer struct {
	diagnoser *diagnose.Diagnoser
	now       func() time.Time
	left      time.Duration
	last      time.Time
}

func newExplainer(diagnoser *diagnose.Diagnoser, now func() time.Time) *explainer {
	return &explainer{diagnoser: diagnoser, now: now, left: explainAtOnce, last: now()}
}

// explain returns the diagnosis of a delivery, without findings where there is
// nothing to explain. It is not ok where there is, and no work may be spent on it.
func (e *explainer) explain(request delivery.Request, verdict sign.Verdict) (d diagnose.Diagnosis, ok bool) {
	if !verify.Explicable(verdict) {
		return diagnose.Diagnosis{}, true
	}
	now := e.now()
	e.left = min(e.left+time.Duration(float64(now.Sub(e.last))*explainShare), explainAtOnce)
	e.last = now
	if e.left <= 0 {
		return diagnose.Diagnosis{}, false
	}
	d = e.diagnoser.Diagnose(verify.Broken(request), diagnose.Thorough)
	e.left -= e.now().Sub(now)
	return d, true
}
