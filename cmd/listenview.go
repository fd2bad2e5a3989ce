package cmd

import (
	"context"
	"fmt"
	"sync"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/listen"
	"github.com/leapfinancial/m2m/internal/partner"
	"github.com/leapfinancial/m2m/internal/term"
	"github.com/leapfinancial/m2m/internal/verify"
)

// listenView shows what the receiver and the mock tell it, each from goroutines of
// its own.
type listenView struct {
	mu        sync.Mutex
	options   *listenOptions
	wanted    *expectations
	explainer *explainer
	stop      context.CancelFunc
	// unsaved, refused and unexplained are what was said already.
	unsaved, refused, unexplained bool
	// line is the memory of the record written last.
	line []byte
	err  error
}

func (v *listenView) delivery(d listen.Delivery) {
	v.mu.Lock()
	defer v.mu.Unlock()
	o := v.options
	if d.SaveError != nil && !v.unsaved {
		v.unsaved = true
		tellError(o.app.Err, withHint(fmt.Errorf("--save: %w", d.SaveError), "deliveries are answered 500 until it can be written again"))
	}
	if d.SaveError == nil {
		v.unsaved = false
	}
	if d.Shown && v.err == nil {
		v.err = v.show(d)
	}
	// Where a command drives the run, its end is the run's.
	if met := v.wanted.add(d); met && v.options.Exec == "" || v.err != nil {
		v.stop()
	}
}

func (v *listenView) show(d listen.Delivery) error {
	a := v.options.app
	if a.Quiet && v.options.Format != "json" {
		return nil
	}
	diagnosis, ok := v.explainer.explain(d.Record.Request, d.Verdict)
	if !ok && !v.unexplained {
		v.unexplained = true
		a.warn("too many invalid deliveries to explain each one; m2m verify explains those in a --save file")
	}
	if v.options.Format == "json" {
		if d.Line != nil && len(diagnosis.Findings) == 0 && !a.Redact {
			_, err := a.Out.Write(d.Line)
			return err
		}
		d.Record.Verification.Diagnosis = verify.Recorded(diagnosis)
		return v.record(d.Record)
	}
	p := a.printer(a.Out)
	in := term.Incoming{Record: d.Record, Payload: d.Payload, Verdict: d.Verdict, Diagnosis: diagnosis}
	if d.Forwarded {
		in.Handler = v.options.ForwardTo.String()
	}
	p.Received(in, v.options.Format == "pretty", a.Verbose)
	return p.Err()
}

// record writes one record in one write.
func (v *listenView) record(record delivery.Record) error {
	const keep = 64 << 10
	if v.options.app.Redact {
		record = term.RedactRecord(record)
	}
	line, err := record.AppendLine(v.line[:0])
	if v.line = line; cap(line) > keep {
		v.line = nil
	}
	if err == nil {
		_, err = v.options.app.Out.Write(line)
	}
	return err
}

func (v *listenView) reply(received partner.Received) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a := v.options.app
	switch {
	case v.options.Format == "json":
		// A closed pipe shows at the next delivery.
		_ = a.writeJSON(replyRecord(received))
	case !a.Quiet:
		a.printer(a.Out).Reply(received)
	}
}

func replyRecord(r partner.Received) any {
	missing := []string{}
	for _, field := range r.Fields {
		if !field.Present {
			missing = append(missing, field.Path)
		}
	}
	return struct {
		Type          string   `json:"type"`
		DataRequestID string   `json:"dataRequestId"`
		ReferenceID   string   `json:"referenceId,omitempty"`
		Status        int      `json:"status"`
		Code          string   `json:"code,omitempty"`
		Missing       []string `json:"missing"`
		Extra         []string `json:"extra,omitempty"`
		Key           string   `json:"key"`
		KeyKind       string   `json:"keyKind"`
	}{"data_request_reply", r.DataRequestID, r.ReferenceID, r.Status, string(r.Code), missing, r.Extra, r.Key, r.KeyKind}
}

// misdirected tells of the first request for another host; a web page could send
// any number of them.
func (v *listenView) misdirected(host string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.refused {
		v.refused = true
		v.options.app.warn("answered 421 to a request for the host %q, which is not loopback", host)
	}
}

func (v *listenView) summary() {
	if !v.options.app.Quiet {
		fmt.Fprintln(v.options.app.Err, v.wanted.summary())
	}
}

// expectations are what a run of listen waits for, and what has come of it.
type expectations struct {
	acceptAll  bool
	count      int
	events     []string
	came       map[string]bool
	got, valid int
}

func newExpectations(o *listenOptions) *expectations {
	return &expectations{
		acceptAll: o.NoVerify, count: o.Count, events: o.Expect, came: map[string]bool{},
	}
}

// add counts a delivery and says whether everything has come now.
func (e *expectations) add(d listen.Delivery) bool {
	e.got++
	if d.Verdict.Valid() {
		e.valid++
	}
	// A forgery meets nobody's expectation.
	if d.Verdict.Valid() || e.acceptAll {
		e.came[d.Record.Event] = true
	}
	return (e.count > 0 || len(e.events) > 0) && e.unmet() == nil
}

// unmet says what is still missing, or nil.
func (e *expectations) unmet() error {
	if e.got < e.count {
		return fmt.Errorf("%d of %s came", e.got, term.Count(e.count, "delivery", "deliveries"))
	}
	for _, event := range e.events {
		if !e.came[event] {
			return fmt.Errorf("no valid %s came", event)
		}
	}
	return nil
}

// result returns how the run ends. Without an end of its own, a run that the user
// ends has done its work.
func (e *expectations) result(interrupted bool) error {
	unmet := e.unmet()
	switch {
	case unmet != nil && interrupted:
		return &exitError{code: exitInterrupted, err: unmet}
	case unmet != nil:
		return &exitError{code: exitNo, err: unmet}
	case interrupted:
		return nil
	case e.got > e.valid:
		return result(exitNo)
	}
	return nil
}

// resultWith returns how a run ends that a command drives: as the command did, unless
// that was well and something has not come.
func (e *expectations) resultWith(command error, interrupted bool) error {
	unmet := e.unmet()
	switch {
	case interrupted:
		return errInterrupted
	case command != nil:
		return command
	case unmet != nil:
		return &exitError{code: exitNo, err: unmet}
	}
	return nil
}

func (e *expectations) summary() string {
	text := fmt.Sprintf("%d received: %d valid", e.got, e.valid)
	if invalid := e.got - e.valid; invalid > 0 {
		text += fmt.Sprintf(", %d INVALID", invalid)
	}
	return text
}
