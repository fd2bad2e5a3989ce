package term

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leapfinancial/m2m/internal/conform"
	"github.com/leapfinancial/m2m/internal/delivery"
)

// textWidth is how wide sentences run, in characters, label and indent included.
const textWidth = 100

// Group shows the results of one group of conformance cases: a line when nothing is
// wrong, and below it what is. Whole shows what passed, too.
func (p *Printer) Group(results []conform.Result, whole bool) {
	var sum conform.Summary
	for _, r := range results {
		sum.Add(r)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s\n", p.styles.bold.Sprintf("%-14s", results[0].Case.Group()), p.counts(sum))
	var skipped []conform.Result
	told := map[string]string{}
	for _, r := range results {
		switch {
		case r.Outcome == conform.Skip:
			skipped = append(skipped, r)
		case r.Outcome != conform.Pass:
			p.finding(&b, r, told)
		case whole:
			fmt.Fprintf(&b, "  %s  %s  %s: %s  %s\n", p.outcome(r.Outcome), r.Case.ID, r.Case.Title, Safe(r.Said), Latency(r.Took))
			p.labelled(&b, "sent", Safe(r.Sent))
			p.labelled(&b, "received", Safe(r.Received))
		}
		if whole {
			p.exchanges(&b, r.Records)
		}
	}
	p.skipped(&b, skipped)
	p.write([]byte(b.String()))
}

// finding unfolds what is wrong. Told holds what was said already, and of which case: a
// reason and a remedy are said once.
func (p *Printer) finding(b *strings.Builder, r conform.Result, told map[string]string) {
	fmt.Fprintf(b, "  %s  %s  %s: %s\n", p.outcome(r.Outcome), p.styles.bold.Sprint(r.Case.ID), r.Case.Title, Safe(r.Said))
	why, fix, fixLabel := r.Why, r.Fix, "fix"
	if id := told[why]; id != "" {
		why = "as for " + id
	}
	if id := told[fix]; id != "" {
		fix = "as for " + id
	}
	if why != "" && why == fix { // as for the same case
		why, fixLabel = "", "why, fix"
	}
	for _, text := range []string{r.Why, r.Fix} {
		if text != "" && told[text] == "" {
			told[text] = r.Case.ID
		}
	}
	p.labelled(b, "why", Safe(why))
	p.labelled(b, "sent", Safe(r.Sent))
	p.labelled(b, "received", Safe(r.Received))
	p.labelled(b, fixLabel, Safe(fix))
}

// exchanges shows a case's deliveries, of many alike the first.
func (p *Printer) exchanges(b *strings.Builder, records []delivery.Record) {
	const most = 3
	for _, record := range records[:min(len(records), most)] {
		b.WriteString(strings.TrimSuffix(indentLines(p.sent(record, Expectation{Met: true}, true)), indent+"\n"))
	}
	if more := len(records) - most; more > 0 {
		fmt.Fprintf(b, "%s%s\n", indent, p.styles.faint.Sprintf("… and %s", Count(more, "more delivery", "more deliveries")))
	}
}

// skipped names what was not tried, once for each reason.
func (p *Printer) skipped(b *strings.Builder, results []conform.Result) {
	var reasons []string
	ids := map[string][]string{}
	for _, r := range results {
		if !slices.Contains(reasons, r.Said) {
			reasons = append(reasons, r.Said)
		}
		ids[r.Said] = append(ids[r.Said], r.Case.ID)
	}
	for _, reason := range reasons {
		what := ids[reason][0]
		if n := len(ids[reason]); n > 1 {
			what = Count(n, "case", "cases")
		}
		fmt.Fprintf(b, "  %s  %s: %s\n", p.outcome(conform.Skip), what, Safe(reason))
	}
}

func (p *Printer) outcome(o conform.Outcome) string {
	switch o {
	case conform.Pass:
		return p.styles.good.Sprint("pass")
	case conform.Warn:
		return p.styles.warn.Sprint("WARN")
	case conform.Fail:
		return p.styles.bad.Sprint("FAIL")
	case conform.Skip:
	}
	return p.styles.faint.Sprint("skip")
}

// counts says how many came to what, and leaves out what none did.
func (p *Printer) counts(s conform.Summary) string {
	var parts []string
	add := func(n int, word string, style func(...any) string) {
		if n > 0 {
			parts = append(parts, style(fmt.Sprintf("%d %s", n, word)))
		}
	}
	add(s.Passed, "passed", p.styles.good.Sprint)
	add(s.Warned, "warned", p.styles.warn.Sprint)
	add(s.Failed, "FAILED", p.styles.bad.Sprint)
	add(s.Skipped, "skipped", p.styles.faint.Sprint)
	return strings.Join(parts, ", ")
}

// Score shows what a run of the conformance cases came to.
func (p *Printer) Score(s conform.Summary, took time.Duration) {
	p.Line("\n%s: %s   %s", Count(s.Total(), "case", "cases"), p.counts(s), Latency(took))
}

// Explain shows what a conformance case is about.
func (p *Printer) Explain(c conform.Case) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", p.styles.bold.Sprint(c.ID), c.Title)
	p.labelled(&b, "sent", c.Sends)
	p.labelled(&b, "why", c.Why)
	p.labelled(&b, "worst", string(c.Worst))
	p.labelled(&b, "fix", c.Fix)
	p.write([]byte(b.String()))
}

// labelled writes a label and its text, wrapped under itself.
func (p *Printer) labelled(b *strings.Builder, label, text string) {
	if text == "" {
		return
	}
	const labelWidth = 8
	margin := 8 + labelWidth + 2
	for i, line := range wrap(text, textWidth-margin) {
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(b, "        %s  %s\n", p.styles.faint.Sprintf("%-*s", labelWidth, label), line)
	}
}

// wrap breaks text at its spaces into lines of at most width characters. A longer word
// has a line of its own.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Split(text, " ") {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
