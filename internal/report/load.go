package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/load"
)

// loadPage is what load.html shows.
type loadPage struct {
	// Tone is good, warn or bad.
	Tone, Verdict string
	Tiles         []tile
	// Latency and Sent are nil where there is nothing to plot.
	Latency, Sent *plot
	Steps         []step
	Figures       []load.Figure
	Answers       []answer
	Facts         []load.Figure
}

type tile struct{ Name, Text, Note string }

type step struct {
	Name, Share string
	Count       int
	// Width is the bar's, in percent.
	Width float64
}

type answer struct {
	Count                   int
	Share, Name, Text, Tone string
}

// Load writes the page of a load and ends it. What the report quotes from outside must
// be fit for a terminal; for HTML it is made so here.
func (p *Page) Load(r load.Report, by string) error {
	page := loadPage{
		Tiles: loadTiles(r), Latency: latencyPlot(r), Sent: sentPlot(r),
		Steps: loadSteps(r), Figures: r.Latency.Figures(), Answers: loadAnswers(r), Facts: loadFacts(r),
	}
	page.Tone, page.Verdict = loadVerdict(r)
	return p.write("load.html", layout{
		Title:   "Load: " + strings.Join(r.Plan.Events, ", "),
		Lead:    fmt.Sprintf("%s for %s to %s", r.Plan.RateText, load.Seconds(r.Plan.Duration), r.Plan.URL),
		By:      by,
		Content: page,
	})
}

func loadVerdict(r load.Report) (tone, text string) {
	tone, text = "good", "All deliveries were answered as expected."
	var wrong []string
	if refused := r.Refused - r.Unexpected(); refused > 0 {
		tone, wrong = "warn", append(wrong, fmt.Sprintf("%d refused", refused))
	}
	if r.Unexpected() > 0 {
		tone, wrong = "warn", append(wrong, fmt.Sprintf("%d not as expected", r.Unexpected()))
	}
	if r.Unanswered > 0 {
		tone, wrong = "bad", append(wrong, fmt.Sprintf("%d unanswered", r.Unanswered))
	}
	if len(wrong) > 0 {
		text = fmt.Sprintf("Of %d deliveries, %s.", r.Sent(), enumerated(wrong))
	}
	if r.Sent() == 0 {
		tone, text = "bad", "No delivery came to its end."
	}
	switch {
	case r.Interrupted:
		text += fmt.Sprintf(" The load was interrupted after %s.", load.Seconds(r.Sending))
	case r.Hopeless:
		text += " Nothing ever answered, so it was ended early."
	}
	return tone, text
}

// enumerated joins words as a sentence does.
func enumerated(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

func loadTiles(r load.Report) []tile {
	tiles := []tile{
		{"delivered", load.Percent(r.Share()), fmt.Sprintf("%d of %d", r.Delivered, r.Sent())},
	}
	if r.SentRate() > 0 {
		tiles = append(tiles, tile{"sent", fmt.Sprintf("%.1f/s", r.SentRate()), "of " + r.Plan.RateText})
	}
	if r.Answered() > 0 {
		tiles = append(tiles,
			tile{"median latency", load.Brief(r.Latency.P50), "half were faster"},
			tile{"p99 latency", load.Brief(r.Latency.P99), "99 % were faster"},
			tile{"slowest", load.Brief(r.Latency.Max), "mean " + load.Brief(r.Latency.Mean)},
		)
	}
	return tiles
}

func loadSteps(r load.Report) []step {
	most := 0
	for _, one := range r.Distribution() {
		most = max(most, one.Count)
	}
	var steps []step
	for _, one := range r.Distribution() {
		steps = append(steps, step{
			Name: "< " + load.Brief(one.To), Count: one.Count,
			Share: load.Percent(float64(one.Count) / float64(r.Answered())),
			Width: 100 * float64(one.Count) / float64(most),
		})
	}
	return steps
}

func loadAnswers(r load.Report) []answer {
	share := func(count int) string { return load.Percent(float64(count) / float64(r.Sent())) }
	var answers []answer
	for _, status := range r.Statuses {
		one := answer{
			Count: status.Count, Share: share(status.Count), Name: fmt.Sprint(status.Status),
			Text: delivery.Response{Status: status.Status}.Phrase(), Tone: "good",
		}
		if !status.Expected {
			one.Tone = "warn"
		}
		answers = append(answers, one)
	}
	for _, failure := range r.Failures {
		answers = append(answers, answer{
			Count: failure.Count, Share: share(failure.Count), Name: failure.Kind, Text: failure.Message, Tone: "bad",
		})
	}
	return answers
}

func loadFacts(r load.Report) []load.Figure {
	facts := []load.Figure{
		{Name: "target", Text: r.Plan.URL},
		{Name: "events", Text: strings.Join(r.Plan.Events, ", ")},
		{Name: "asked for", Text: r.Plan.RateText + " for " + load.Seconds(r.Plan.Duration)},
		{Name: "began", Text: r.Began.UTC().Format(time.RFC3339)},
		{Name: "took", Text: fmt.Sprintf("%s sending, %s until the last answer", load.Seconds(r.Sending), load.Seconds(r.Took))},
		{Name: "bytes", Text: load.Size(r.Bytes.Out) + " of bodies out, " + load.Size(r.Bytes.In) + " in"},
	}
	if r.DeliveredRate() > 0 {
		facts = append(facts, load.Figure{Name: "delivered", Text: fmt.Sprintf("%.1f/s", r.DeliveredRate())})
	}
	if r.Late() {
		facts = append(facts, load.Figure{Name: "sent", Text: fmt.Sprintf("%.1f/s, less than asked for: every connection was busy, or the sending machine was", r.SentRate())})
	}
	if r.GivenUp > 0 {
		facts = append(facts, load.Figure{Name: "given up", Text: fmt.Sprintf("%d under way when the load was ended", r.GivenUp)})
	}
	if r.Cut > 0 {
		facts = append(facts, load.Figure{Name: "cut", Text: fmt.Sprintf("%d answers were longer than what was read of them", r.Cut)})
	}
	return facts
}
