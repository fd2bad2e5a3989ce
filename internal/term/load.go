package term

import (
	"fmt"
	"strings"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/load"
)

// Outcomes returns what became of several deliveries in a phrase: "5 sent: 4 delivered,
// 1 refused". The unexpected ones were accepted, which they were not to be.
func Outcomes(delivered, refused, unexpected, unanswered int) string {
	text := fmt.Sprintf("%d sent: %d delivered", delivered+refused+unexpected+unanswered, delivered)
	if refused > 0 {
		text += fmt.Sprintf(", %d refused", refused)
	}
	if unexpected > 0 {
		text += fmt.Sprintf(", %d not as expected", unexpected)
	}
	if unanswered > 0 {
		text += fmt.Sprintf(", %d unanswered", unanswered)
	}
	return text
}

// Load shows what a load has done.
func (p *Printer) Load(r load.Report) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  POST %s  %s for %s\n\n", p.styles.bold.Sprint(Safe(strings.Join(r.Plan.Events, ", "))),
		Safe(r.Plan.URL), Safe(r.Plan.RateText), load.Seconds(r.Plan.Duration))
	p.loadFigures(&b, r)
	p.loadAnswers(&b, r)
	p.loadDistribution(&b, r)
	p.write([]byte(b.String()))
}

// loadLine writes a line of the report behind its label.
func loadLine(b *strings.Builder, label, format string, args ...any) {
	fmt.Fprintf(b, "  %-10s  %s\n", label, fmt.Sprintf(format, args...))
}

func (p *Printer) loadFigures(b *strings.Builder, r load.Report) {
	style := p.styles.good
	switch {
	case r.Unanswered > 0:
		style = p.styles.bad
	case r.Refused > 0:
		style = p.styles.warn
	}
	loadLine(b, "deliveries", "%s", Outcomes(r.Delivered, r.Refused-r.Unexpected(), r.Unexpected(), r.Unanswered))
	if r.GivenUp > 0 {
		loadLine(b, "", "%d more under way when the load was ended", r.GivenUp)
	}
	if r.Sent() > 0 {
		loadLine(b, "delivered", "%s", style.Sprint(load.Percent(r.Share())))
	}
	if r.SentRate() > 0 {
		loadLine(b, "rate", "%.1f/s sent, %.1f/s delivered", r.SentRate(), r.DeliveredRate())
		if r.Late() {
			loadLine(b, "", "less than asked for: every connection was busy, or this machine was")
		}
	}
	loadLine(b, "duration", "%s sending, %s until the last answer", load.Seconds(r.Sending), load.Seconds(r.Took))
	if r.Interrupted {
		loadLine(b, "", "interrupted; it was to be %s", load.Seconds(r.Plan.Duration))
	}
	loadLine(b, "bytes", "%s out, %s in", load.Size(r.Bytes.Out), load.Size(r.Bytes.In))
	if r.Answered() > 0 {
		names, values := "", ""
		for _, one := range r.Latency.Figures() {
			names += fmt.Sprintf("%-10s", one.Name)
			values += fmt.Sprintf("%-10s", one.Text)
		}
		loadLine(b, "latency", "%s", p.styles.faint.Sprint(strings.TrimRight(names, " ")))
		loadLine(b, "", "%s", strings.TrimRight(values, " "))
	}
}

// loadAnswers writes what was answered how often, and why there was no answer.
func (p *Printer) loadAnswers(b *strings.Builder, r load.Report) {
	width := len(fmt.Sprint(r.Sent()))
	label := "answers"
	for _, status := range r.Statuses {
		note := ""
		if !status.Expected && status.Status >= 300 && status.Status < 400 {
			note = "  a redirect, which is not followed"
		}
		loadLine(b, label, "%*d  %s%s", width, status.Count, p.status(status.Status, delivery.Response{Status: status.Status}.Phrase()), note)
		label = ""
	}
	if r.Cut > 0 {
		loadLine(b, "", "%*d  of them were longer than what was read", width, r.Cut)
	}
	label = "no answer"
	for _, failure := range r.Failures {
		loadLine(b, label, "%*d  %s: %s", width, failure.Count, p.styles.bad.Sprint(Safe(failure.Kind)), Safe(failure.Message))
		label = ""
	}
	if r.Hopeless {
		loadLine(b, "", "nothing ever answered, so the load was ended early")
	}
}

// loadDistribution writes how many answers took how long, as bars.
func (p *Printer) loadDistribution(b *strings.Builder, r load.Report) {
	const full = 40
	steps, most := r.Distribution(), 0
	for _, step := range steps {
		most = max(most, step.Count)
	}
	if len(steps) < 2 {
		return
	}
	b.WriteString("\n")
	width := len(fmt.Sprint(most))
	for _, step := range steps {
		bar := strings.Repeat("█", (step.Count*full+most-1)/most)
		line := fmt.Sprintf("  %10s  %*d  %6s  %s", "< "+load.Brief(step.To), width, step.Count,
			load.Percent(float64(step.Count)/float64(r.Answered())), bar)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
