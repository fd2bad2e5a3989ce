package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/leapfinancial/m2m/internal/conform"
)

// Conformance is a run of the conformance cases.
type Conformance struct {
	Target string
	// Secret is the fingerprint of the secret that signed.
	Secret  string
	Began   time.Time
	Took    time.Duration
	Results []conform.Result
	Summary conform.Summary
	// Strict says that a warning counts as a failure, Counted that effects were.
	Strict, Counted bool
	// Stopped is why the run ended early; empty when it did not.
	Stopped string
}

// conformPage is what conform.html shows.
type conformPage struct {
	Tone, Verdict string
	Tiles         []tile
	Findings      []finding
	Groups        []caseGroup
	Facts         []fact
}

type finding struct {
	Tone, Outcome, ID, Title, Said string
	Why, Sent, Received, Fix       string
}

type caseGroup struct {
	Name  string
	Cases []caseRow
}

type caseRow struct{ Tone, Outcome, ID, Title, Said, Took string }

type fact struct{ Name, Text string }

// Conformance writes the page of a run and ends it. What comes from outside is made fit
// for HTML here, and must be fit for a terminal already.
func (p *Page) Conformance(r Conformance, by string) error {
	page := conformPage{Tiles: conformTiles(r.Summary), Facts: conformFacts(r)}
	page.Tone, page.Verdict = conformVerdict(r)
	for _, result := range r.Results {
		tone, word := outcomeWords(result.Outcome)
		c := result.Case
		if result.Outcome == conform.Warn || result.Outcome == conform.Fail {
			page.Findings = append(page.Findings, finding{
				tone, word, c.ID, c.Title, result.Said, result.Why, result.Sent, result.Received, result.Fix,
			})
		}
		if n := len(page.Groups); n == 0 || page.Groups[n-1].Name != c.Group() {
			page.Groups = append(page.Groups, caseGroup{Name: c.Group()})
		}
		group := &page.Groups[len(page.Groups)-1]
		group.Cases = append(group.Cases, caseRow{tone, word, c.ID, c.Title, result.Said, took(result.Took)})
	}
	return p.write("conform.html", layout{
		Title: "Conformance of a webhook handler",
		Lead:  r.Target,
		By:    by, Content: page,
	})
}

func outcomeWords(o conform.Outcome) (tone, word string) {
	switch o {
	case conform.Pass:
		return "good", "pass"
	case conform.Warn:
		return "warn", "warning"
	case conform.Fail:
		return "bad", "failure"
	case conform.Skip:
	}
	return "faint", "skipped"
}

func conformVerdict(r Conformance) (tone, text string) {
	s := r.Summary
	switch {
	case s.Failed > 0:
		tone, text = "bad", fmt.Sprintf("%d of %d cases failed: deliveries would be lost, paid twice or forged.", s.Failed, s.Total())
	case s.Warned > 0:
		tone, text = "warn", fmt.Sprintf("Nothing failed, and %d of %d cases warn.", s.Warned, s.Total())
		if r.Strict {
			tone = "bad"
		}
	case s.Skipped > 0:
		tone, text = "warn", fmt.Sprintf("Nothing is wrong in the %d cases that were run; %d were not.", s.Passed, s.Skipped)
	default:
		tone, text = "good", fmt.Sprintf("All %d cases passed.", s.Total())
	}
	if r.Stopped != "" {
		text += " The run ended early: " + r.Stopped + "."
	}
	return tone, text
}

func conformTiles(s conform.Summary) []tile {
	of := fmt.Sprintf("of %d cases", s.Total())
	return []tile{
		{"passed", fmt.Sprint(s.Passed), of}, {"warned", fmt.Sprint(s.Warned), "will hurt one day"},
		{"failed", fmt.Sprint(s.Failed), "money lost, or an attacker in"}, {"skipped", fmt.Sprint(s.Skipped), "not run, or not to be told"},
	}
}

func conformFacts(r Conformance) []fact {
	facts := []fact{
		{"target", r.Target}, {"secret", r.Secret}, {"began", r.Began.UTC().Format(time.RFC3339)},
		{"took", fmt.Sprintf("%.1f s", r.Took.Seconds())},
	}
	effects := "not counted: what a repeated operation does is judged by the answers alone (--probe)"
	if r.Counted {
		effects = "counted by --probe"
	}
	facts = append(facts, fact{"effects", effects})
	if r.Strict {
		facts = append(facts, fact{"strict", "a warning counts as a failure"})
	}
	return facts
}

// took is a duration in milliseconds, and nothing for what was not run.
func took(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("%.0f ms", max(1, float64(d)/float64(time.Millisecond))))
}
