package cmd

import (
	"fmt"
	"strconv"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/term"
)

// end shows what became of every step and returns the run's error.
func (s *storytelling) end() error {
	if !s.app.Quiet && !s.app.JSON {
		if err := s.table(); err != nil {
			return err
		}
	}
	code, asExpected := exitDone, 0
	var failure error
	for _, result := range s.results {
		switch {
		case result.expected:
			asExpected++
		case result.record.Error != nil:
			code = worse(code, exitUnreachable)
			e := result.record.Error
			failure = &endpoint.Error{Kind: endpoint.Kind(e.Kind), Message: e.Message, Hint: e.Hint}
		default:
			code = worse(code, exitNo)
		}
	}
	text := fmt.Sprintf("%s: %d as expected", term.Count(len(s.scenario.Steps), "step", "steps"), asExpected)
	if others := len(s.results) - asExpected; others > 0 {
		text += fmt.Sprintf(", %d not", others)
	}
	if rest := len(s.scenario.Steps) - len(s.results); rest > 0 {
		text += fmt.Sprintf(", %d not sent", rest)
	}
	if !s.app.Quiet {
		fmt.Fprintln(s.app.Err, text)
	}
	if failure != nil {
		return &exitError{code: code, err: failure}
	}
	return result(code)
}

// table shows the steps.
func (s *storytelling) table() error {
	p := s.app.printer(s.app.Out)
	rows := [][]string{{p.Bold("step"), p.Bold("event"), p.Bold("expected"), p.Bold("got"), p.Bold("latency"), p.Bold("result")}}
	for i, step := range s.scenario.Steps {
		event := step.Event.Name
		if step.Fault != "" {
			event += ", " + step.Fault
		}
		got, latency, verdict := "-", "-", "not sent"
		if i < len(s.results) {
			got, latency, verdict = s.results[i].cells()
		}
		rows = append(rows, []string{step.Name, event, step.Expect, got, latency, verdict})
	}
	p.Line("")
	p.Table(rows)
	return p.Err()
}

func (r stepResult) cells() (got, latency, verdict string) {
	got, latency = "-", term.Latency(r.record.Latency)
	switch {
	case r.record.Error != nil:
		verdict = "no answer (" + r.record.Error.Kind + ")"
	case r.expected:
		got, verdict = strconv.Itoa(r.record.Response.Status), "ok"
	default:
		got, verdict = strconv.Itoa(r.record.Response.Status), "not as expected"
	}
	if r.record.Attempt > 1 || r.attempts > 1 && !r.expected {
		verdict += fmt.Sprintf(", attempt %d of %d", r.record.Attempt, r.attempts)
	}
	return got, latency, verdict
}
