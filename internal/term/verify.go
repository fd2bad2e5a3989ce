package term

import (
	"fmt"
	"strings"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/diagnose"
	"github.com/leapfinancial/m2m/internal/verify"
)

// milliseconds is where seconds would be in the year 5138.
const milliseconds = 1e11

// Verified shows the verdict over one capture. Named puts its source on the line,
// for when there are several.
func (p *Printer) Verified(result verify.Result, named bool) {
	var b strings.Builder
	v := result.Verdict
	source, subject := "", join(Safe(result.Event), Safe(result.Payload.ID))
	if named {
		source = Safe(result.Source)
	}
	text := reasonText(v)
	if result.Foreign != "" {
		text += "; " + Safe(result.Foreign)
	}
	if v.Valid() {
		signed := "signed " + Ago(v.Age)
		if at := v.SignedAt(); !at.IsZero() {
			signed = "signed " + at.Format(time.RFC3339) + ", " + Ago(v.Age)
		}
		fmt.Fprintf(&b, "%s    %s\n", p.styles.good.Sprint("valid"),
			join(subject, signed, "secret "+v.Key.Fingerprint(), source))
		if v.Seconds >= milliseconds {
			b.WriteString("         the timestamp is in milliseconds, it seems; M2M's is in seconds\n")
		}
	} else {
		fmt.Fprintf(&b, "%s  %s\n", p.styles.bad.Sprint("INVALID"),
			join(text, subject, source))
		b.WriteString(Comparison(result.Received, v, "         "))
		p.diagnosis(&b, result.Diagnosis, "      ")
	}
	if named := result.NamedEvent; named != "" && named != result.Event {
		fmt.Fprintf(&b, "         the %s header, which is not signed, says %s\n", delivery.EventHeader, Safe(named))
	}
	for _, fault := range result.SchemaErrors {
		fmt.Fprintf(&b, "  %s  %s\n", p.styles.warn.Sprint("schema"), Safe(fault.Path+": "+fault.Message))
	}
	p.write([]byte(b.String()))
}

// diagnosis shows what is wrong, and how to mend it, each on a line of its own.
func (p *Printer) diagnosis(b *strings.Builder, d diagnose.Diagnosis, prefix string) {
	line := func(label, text string) {
		fmt.Fprintf(b, "%s%s  %s\n", prefix, p.styles.bold.Sprintf("%5s", label), Safe(text))
	}
	for i, finding := range d.Findings {
		line([]string{"cause", "and"}[min(i, 1)], finding.Message)
	}
	for i, finding := range d.Findings {
		line([]string{"fix", "and"}[min(i, 1)], finding.Fix)
	}
}
