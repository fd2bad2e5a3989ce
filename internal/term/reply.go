package term

import (
	"fmt"
	"strings"

	"github.com/leapfinancial/m2m/internal/partner"
)

// Reply shows an answer to a data request that the mock of the Partner API took or
// refused, field by field.
func (p *Printer) Reply(r partner.Received) {
	var b strings.Builder
	fmt.Fprintf(&b, "--> %s %s\n", p.styles.faint.Sprint(r.At.Local().Format("15:04:05")),
		join(p.styles.bold.Sprint("PUT"), Safe(r.DataRequestID), Safe(r.ReferenceID), p.key(r)))
	width := 0
	for _, field := range r.Fields {
		width = max(width, len([]rune(Safe(field.Path))))
	}
	for _, field := range r.Fields {
		value := p.styles.bad.Sprint("MISSING")
		if field.Present {
			value = Safe(string(field.Value))
			if p.redact {
				value = mask
			}
		}
		fmt.Fprintf(&b, "%s%-*s  %s\n", indent, width, Safe(field.Path), value)
	}
	if len(r.Extra) > 0 {
		fmt.Fprintf(&b, "%snot asked for: %s\n", indent, Safe(strings.Join(r.Extra, ", ")))
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(&b, "%swarning: %s\n", indent, Safe(warning))
	}
	answer := p.status(r.Status, r.StatusText())
	if r.Code != "" {
		answer += "  " + Safe(string(r.Code)) + ": " + Safe(r.Message)
	}
	if r.After > 0 {
		answer += "  " + Latency(r.After) + " after the data request"
	}
	fmt.Fprintf(&b, "<-- %s\n", answer)
	p.write([]byte(b.String()))
}

func (p *Printer) key(r partner.Received) string {
	if r.KeyKind == "none" {
		return "no API key"
	}
	return fmt.Sprintf("API key %s (%s)", Safe(r.Key), Safe(r.KeyKind))
}
