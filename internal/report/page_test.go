package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/load"
	"github.com/leapfinancial/m2m/internal/report"
)

// aLoad returns the report of a load of n deliveries, some of them refused, some not
// answered at all.
func aLoad(n int, spread float64) load.Report {
	random := rand.New(rand.NewPCG(1, 2))
	began := time.Date(2026, 1, 26, 14, 30, 0, 0, time.UTC)
	tally := load.NewTally(began, func(status int) bool { return status == 200 })
	for i := range n {
		result := load.Result{
			Sent: began.Add(time.Duration(i) * 5 * time.Millisecond), Status: 200,
			Latency: time.Duration(math.Exp(random.NormFloat64()*spread) * float64(2*time.Millisecond)),
		}
		switch {
		case i%50 == 7:
			result.Status = 503
		case i%100 == 9:
			result.Status, result.Failure = 0, &load.Failure{Kind: "protocol", Message: `no HTTP: </td></svg><script src="//evil.test/x">alert(1)</script>`}
		}
		tally.Add(result)
	}
	r := tally.Report(load.Plan{
		URL: "http://localhost:3000/hooks?a=1&b=<x>", Events: []string{"link.created", "link.opened"},
		Rate: 200, RateText: "200/s", Duration: time.Duration(n) * 5 * time.Millisecond,
	})
	r.Bytes = load.Bytes{Out: 1234567, In: 890}
	return r
}

func pageOf(t *testing.T, r load.Report) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "load.html")
	page, err := report.NewPage(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := page.Load(r, "m2m test"); err != nil {
		t.Fatal(err)
	}
	page.Discard()
	only(t, filepath.Dir(path), "load.html")
	return contents(t, path)
}

func TestThePageOfALoadShowsWhatWasFound(t *testing.T) {
	t.Parallel()
	r := aLoad(4000, 1)
	page := pageOf(t, r)
	for _, want := range []string{
		"<title>Load: link.created, link.opened</title>", "Of 4000 deliveries, 80 refused and 40 unanswered.",
		"200/s for 20 s to http://localhost:3000/hooks?a=1&amp;b=&lt;x&gt;", "3880 of 4000", "97.0 %",
		"200.0/s", load.Brief(r.Latency.P50), load.Brief(r.Latency.P99), load.Brief(r.Latency.Max),
		">503<", "Service Unavailable", ">protocol<", "1.2 MB of bodies out, 890 B in", "2026-01-26T14:30:00Z", "Made by m2m test.",
		"half were faster (p50)", "delivered</li>", "refused</li>", "unanswered</li>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("there is no %q", want)
		}
	}
	if got := strings.Count(page, "<svg "); got != 2 {
		t.Errorf("got %d plots, want 2", got)
	}
}

// TestAPageLoadsNothing looks for whatever could make a browser ask the network, or run
// what came from outside.
func TestAPageLoadsNothing(t *testing.T) {
	t.Parallel()
	page := pageOf(t, aLoad(4000, 1))
	for _, pattern := range []string{`(?i)<(script|link|img|iframe|object|embed|base|form)\b`, `(?i)<[^>]*\b(src|href|srcset|action)\s*=`, `(?i)url\(|@import`, `(?i)<[^>]*\son\w+\s*=`, `(?i)http-equiv="refresh"`} {
		if found := regexp.MustCompile(pattern).FindString(page); found != "" {
			t.Errorf("found %q", found)
		}
	}
	if !strings.Contains(page, "&lt;script src=") {
		t.Error("what came from outside is not shown, escaped")
	}
	if !strings.Contains(page, `content="default-src 'none'; style-src 'unsafe-inline'"`) {
		t.Error("nothing forbids the page to load anything")
	}
}

// TestPlotsAreSound sees that they are well formed and all in their box, whatever the
// load was like.
func TestPlotsAreSound(t *testing.T) {
	t.Parallel()
	interrupted := aLoad(500, 1)
	interrupted.Interrupted, interrupted.Plan.Duration = true, time.Hour
	for name, r := range map[string]load.Report{
		"of one": aLoad(1, 1), "of a few": aLoad(12, 0.1), "of many": aLoad(4000, 1), "with a wide spread": aLoad(4000, 5),
		"all alike": aLoad(300, 0), "interrupted": interrupted,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := pageOf(t, r)
			plots := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1)
			if len(plots) == 0 {
				t.Fatal("there is no plot")
			}
			for _, plot := range plots {
				decoder := xml.NewDecoder(strings.NewReader(plot))
				for {
					token, err := decoder.Token()
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						t.Fatalf("%v in\n%s", err, plot)
					}
					if element, ok := token.(xml.StartElement); ok {
						checkPlaces(t, element)
					}
				}
			}
			if len(page) > 400_000 {
				t.Errorf("the page has %d bytes", len(page))
			}
		})
	}
}

func checkPlaces(t *testing.T, element xml.StartElement) {
	t.Helper()
	for _, attribute := range element.Attr {
		if strings.Contains(attribute.Value, "NaN") || strings.Contains(attribute.Value, "Inf") {
			t.Errorf("got %s=%q", attribute.Name.Local, attribute.Value)
		}
		if attribute.Name.Local == "d" && regexp.MustCompile(`-\d|\d{4}`).MatchString(attribute.Value) {
			t.Errorf("got a path out of the box: %.100s", attribute.Value)
		}
	}
}

func TestAPageOfNothing(t *testing.T) {
	t.Parallel()
	page := pageOf(t, aLoad(0, 1))
	if !strings.Contains(page, "No delivery came to its end.") || strings.Contains(page, "<svg") || strings.Contains(page, "NaN") {
		t.Errorf("got\n%s", page)
	}
}

func TestWhatEndedALoadIsSaid(t *testing.T) {
	t.Parallel()
	r := aLoad(6, 1)
	if page := pageOf(t, r); !strings.Contains(page, "All deliveries were answered as expected.") {
		t.Errorf("got\n%s", page)
	}
	r.Interrupted, r.GivenUp = true, 3
	if page := pageOf(t, r); !strings.Contains(page, "The load was interrupted after 0.03 s.") || !strings.Contains(page, "3 under way") {
		t.Errorf("got\n%s", page)
	}
	r.Interrupted, r.Hopeless = false, true
	if page := pageOf(t, r); !strings.Contains(page, "Nothing ever answered, so it was ended early.") {
		t.Errorf("got\n%s", page)
	}
}

func TestWhereNoPageCanBe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none", "load.html")} {
		if _, err := report.NewPage(path); err == nil || !strings.HasPrefix(err.Error(), "writing the report to ") || strings.Contains(err.Error(), ".m2m-report") {
			t.Errorf("%s: got error %v", path, err)
		}
	}
	only(t, dir)
	path := filepath.Join(dir, "load.html")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	page, err := report.NewPage(path)
	if err != nil {
		t.Fatal(err)
	}
	page.Discard()
	if got := contents(t, path); got != "old" {
		t.Errorf("a page that was given up left %q", got)
	}
}
