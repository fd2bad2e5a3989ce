package cmd

import (
	"context"
	"fmt"
	"net/http"
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
	// strays counts the requests that were no deliveries.
	strays int
	// line is the memory of the record written last.
	line []byte
	err  error
}

func (v *listenView) delivery(d listen.Delivery) {
	v.mu.Lock()
	defer v.mu.Unlock()
	o := v.options
	if d.SaveError != nil {
		v.wanted.lost++
	}
	if d.SaveError != nil && !v.unsaved {
		v.unsaved = true
		o.app.tellError(withHint(fmt.Errorf("--save: %w", fileError(o.Save, d.SaveError)), "deliveries are answered 500 until it can be written again"))
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
		_ = a.writeJSON(newReplyRecord(received))
	case !a.Quiet:
		a.printer(a.Out).Reply(received)
	}
}

// replyRecord is a reply that the mock of the Partner API took or refused.
type replyRecord struct {
	Type          string   `json:"type"`
	DataRequestID string   `json:"dataRequestId"`
	ReferenceID   string   `json:"referenceId,omitempty"`
	Status        int      `json:"status"`
	Code          string   `json:"code,omitempty"`
	Missing       []string `json:"missing"`
	Extra         []string `json:"extra,omitempty"`
	Key           string   `json:"key"`
	KeyKind       string   `json:"keyKind"`
	// LatencyMs is how long after the acknowledgement it came, less than 0 before it;
	// nil where that is not known.
	LatencyMs *float64 `json:"latencyMs,omitempty"`
}

func newReplyRecord(r partner.Received) replyRecord {
	missing := []string{}
	for _, field := range r.Fields {
		if !field.Present {
			missing = append(missing, field.Path)
		}
	}
	return replyRecord{
		Type: "data_request_reply", DataRequestID: r.DataRequestID, ReferenceID: r.ReferenceID,
		Status: r.Status, Code: string(r.Code), Missing: missing, Extra: r.Extra,
		Key: r.Key, KeyKind: r.KeyKind,
	}
}

// refusedRequest tells of a request that is no delivery, as long as they are few.
func (v *listenView) refusedRequest(method, path string, status int) {
	const most = 20
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.strays++; v.strays > most {
		return
	}
	v.options.app.notice("answered %d to %s %s%s", status, method, path, refusalHint(method, status))
	if v.strays == most {
		v.options.app.notice("and says no more about requests that are no deliveries")
	}
}

// refusalHint says what was probably meant.
func refusalHint(method string, status int) string {
	switch {
	case status == http.StatusMethodNotAllowed && method == partner.Method:
		return ": a reply to a data request goes to /partner/data-requests/ID"
	case status == http.StatusMethodNotAllowed:
		return ": a delivery is a POST"
	case status == http.StatusRequestEntityTooLarge:
		return ": its body is larger than --max-body"
	}
	return ""
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

// brokenOff tells that a handler's answer broke off on its way to the sender.
func (v *listenView) brokenOff(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.options.app.warn("the answer of %s broke off after its beginning was passed on, and so did the sender's: %s",
		v.options.ForwardTo, err)
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
	// lost counts those that could not be saved.
	lost int
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
	case e.lost > 0:
		return e.errLost()
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
	case e.lost > 0:
		return e.errLost()
	}
	return nil
}

func (e *expectations) errLost() error {
	return &exitError{code: exitNo, err: fmt.Errorf("%s could not be saved", term.Count(e.lost, "delivery", "deliveries"))}
}

func (e *expectations) summary() string {
	text := fmt.Sprintf("%d received: %d valid", e.got, e.valid)
	if invalid := e.got - e.valid; invalid > 0 {
		text += fmt.Sprintf(", %d INVALID", invalid)
	}
	return text
}
