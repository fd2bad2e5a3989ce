package term

import (
	"fmt"
	"strings"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/diagnose"
	"github.com/leapfinancial/m2m/internal/sign"
)

// Expectation is what an answer was expected to be.
type Expectation struct {
	Met bool
	// Status is told where it was not met, unless it is empty: what everybody expects.
	Status string
}

// Sent shows a delivery that was sent and what came back. Whole shows headers and
// bodies too; an answer that was not expected shows its start in any case.
func (p *Printer) Sent(record delivery.Record, expected Expectation, whole bool) {
	p.write([]byte(p.sent(record, expected, whole)))
}

func (p *Printer) sent(record delivery.Record, expected Expectation, whole bool) string {
	var b strings.Builder
	payload, _ := delivery.ReadPayload(record.Request.Body)
	what := record.Event
	if what == "" {
		what = fmt.Sprintf("%d bytes", len(record.Request.Body))
	}
	attempt := ""
	if record.Attempt > 1 {
		attempt = fmt.Sprintf("attempt %d", record.Attempt)
	}
	fmt.Fprintf(&b, "--> %s\n", join(p.styles.bold.Sprint(Safe(what)), Safe(payload.ID),
		Safe(record.Request.Method)+" "+Safe(record.Request.URL), attempt))
	if whole {
		b.WriteString(p.headers(record.Request.Headers) + p.payload(record.Request.Body))
	}
	switch {
	case record.Error != nil:
		fmt.Fprintf(&b, "<-- %s\n", p.styles.bad.Sprintf("no answer (%s): %s", Safe(record.Error.Kind), Safe(record.Error.Message)))
	case record.Response != nil:
		p.answer(&b, record, "", expected, whole)
	}
	return b.String()
}

func (p *Printer) answer(b *strings.Builder, record delivery.Record, from string, expected Expectation, whole bool) {
	response := record.Response
	fmt.Fprintf(b, "<-- %s\n", join(p.status(response.Status, response.Phrase()), Latency(record.Latency), from))
	if whole {
		b.WriteString(p.headers(response.Headers))
	}
	if !expected.Met && expected.Status != "" {
		fmt.Fprintf(b, "%sexpected %s\n", indent, Safe(expected.Status))
	}
	if location, ok := response.Headers.Get("Location"); ok && !expected.Met {
		fmt.Fprintf(b, "%sa redirect to %s, which is not followed\n", indent, Safe(location))
	}
	var known []string
	if p.redact {
		known = personal(record.Request.Body)
	}
	switch {
	case whole:
		b.WriteString(p.payload(response.Body, known...))
	case !expected.Met:
		b.WriteString(p.start(response.Body, known...))
	}
	if response.Truncated {
		rest := "was not read"
		if from != "" {
			rest = "is not kept"
		}
		fmt.Fprintf(b, "%sthe answer is longer than %d bytes; the rest %s\n", indent, len(response.Body), rest)
	}
}

func (p *Printer) status(status int, phrase string) string {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", status, Safe(phrase)))
	switch {
	case status >= 200 && status < 300:
		return p.styles.good.Sprint(text)
	case status >= 500:
		return p.styles.bad.Sprint(text)
	}
	return p.styles.warn.Sprint(text)
}

// Incoming is a delivery that came in, and what was found about it.
type Incoming struct {
	Record    delivery.Record
	Payload   delivery.Payload
	Verdict   sign.Verdict
	Diagnosis diagnose.Diagnosis
	// Handler is where the delivery was passed on to; empty where it was answered
	// here.
	Handler string
}

// Received shows a delivery that came in, why it is not valid, and what was answered.
// Bodies are left out unless bodies is set; whole adds the headers.
func (p *Printer) Received(in Incoming, bodies, whole bool) {
	record, payload, verdict := in.Record, in.Payload, in.Verdict
	var b strings.Builder
	event := record.Event
	if event == "" {
		event = "(no event)"
	}
	clock := record.Time.Local().Format("15:04:05")
	fmt.Fprintf(&b, "--> %s %s\n", p.styles.faint.Sprint(clock), join(p.styles.bold.Sprint(Safe(event)),
		Safe(payload.ID), Safe(payload.Reference), fmt.Sprintf("%d B", len(record.Request.Body)), p.verdict(verdict)))
	if named, ok := record.Request.Headers.Get(delivery.EventHeader); ok && named != record.Event {
		fmt.Fprintf(&b, "%sthe %s header says %s\n", indent, delivery.EventHeader, Safe(named))
	}
	b.WriteString(p.comparison(record.Request.Headers, verdict, indent))
	p.diagnosis(&b, in.Diagnosis, indent)
	if whole {
		b.WriteString(p.headers(record.Request.Headers))
	}
	if bodies {
		b.WriteString(p.payload(record.Request.Body))
	}
	switch {
	case record.Response == nil:
	case in.Handler == "":
		fmt.Fprintf(&b, "<-- %s  %s\n", p.status(record.Response.Status, record.Response.Phrase()), Latency(record.Latency))
	default:
		p.relayed(&b, in, whole)
	}
	p.write([]byte(b.String()))
}

// relayed shows the handler's answer, or why there was none.
func (p *Printer) relayed(b *strings.Builder, in Incoming, whole bool) {
	record := in.Record
	if record.Error == nil {
		status := record.Response.Status
		p.answer(b, record, Safe(in.Handler), Expectation{Met: status >= 200 && status < 300}, whole)
		return
	}
	fmt.Fprintf(b, "<-- %s  %s  %s: %s\n", p.status(record.Response.Status, record.Response.Phrase()), Latency(record.Latency),
		Safe(in.Handler), Safe(record.Error.Message))
}

// verdict says in a phrase what a delivery is worth.
func (p *Printer) verdict(v sign.Verdict) string {
	if v.Valid() {
		return p.styles.good.Sprint("valid") + ", signed " + Ago(v.Age)
	}
	return p.styles.bad.Sprint("INVALID") + ": " + reasonText(v)
}

// reasonText tells the reason, and the age wherever that is a finding too.
func reasonText(v sign.Verdict) string {
	text := v.Reason.Text()
	switch {
	case v.Freshness == "":
	case v.Authentic():
		text += ", signed " + Ago(v.Age)
	default:
		text += "; its timestamp is " + Ago(v.Age) + " as well"
	}
	return text
}

// comparison sets the received signature beside the beginning of the right one.
func (p *Printer) comparison(headers delivery.Headers, v sign.Verdict, prefix string) string {
	received, ok := headers.Get(delivery.SignatureHeader)
	if v.Computed == "" || !ok {
		return ""
	}
	return Comparison(received, v, prefix)
}

// Comparison returns a line that sets a received signature beside the beginning of
// the computed one, or nothing where none was computed.
func Comparison(received string, v sign.Verdict, prefix string) string {
	if v.Computed == "" {
		return ""
	}
	if _, wellFormed := sign.ParseSignature(received); wellFormed {
		received = sign.Shorten(received)
	} else if len(received) > 24 {
		// A right one, spelled wrongly, is a right one.
		start := received[:strings.IndexByte(received[:12], '=')+9]
		received = fmt.Sprintf("%s… (%d characters)", start, len(received))
	} else if received == "" {
		received = "(empty)"
	}
	return fmt.Sprintf("%sreceived  %s   computed  %s\n", prefix, Safe(received), v.Computed)
}
