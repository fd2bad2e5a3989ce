package term

import (
	"fmt"
	"strings"
	"time"

	"github.com/leapfinancial/m2m/internal/verify"
)

// Verified shows the verdict over one capture. Named puts its source on the line,
// for when there are several.
func (p *Printer) Verified(result verify.Result, named bool) {
	var b strings.Builder
	v := result.Verdict
	source, subject := "", join(Safe(result.Event), Safe(result.Payload.ID))
	if named {
		source = Safe(result.Source)
	}
	if v.Valid() {
		signed := "signed " + Ago(v.Age)
		if at := v.SignedAt(); !at.IsZero() {
			signed = "signed " + at.Format(time.RFC3339) + ", " + Ago(v.Age)
		}
		fmt.Fprintf(&b, "%s    %s\n", p.styles.good.Sprint("valid"),
			join(subject, signed, "secret "+v.Key.Fingerprint(), source))
	} else {
		fmt.Fprintf(&b, "%s  %s\n", p.styles.bad.Sprint("INVALID"),
			join(reasonText(v), subject, source))
		b.WriteString(Comparison(result.Received, v, "         "))
	}
	p.write([]byte(b.String()))
}
