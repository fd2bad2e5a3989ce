package term_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/load"
	"github.com/leapfinancial/m2m/internal/term"
)

func loaded(results ...load.Result) load.Report {
	began := time.Date(2026, 1, 26, 14, 30, 0, 0, time.UTC)
	tally := load.NewTally(began, func(status int) bool { return status < 300 })
	for i, result := range results {
		result.Sent = began.Add(time.Duration(i) * 100 * time.Millisecond)
		tally.Add(result)
	}
	r := tally.Report(load.Plan{
		URL: "http://localhost:3000/hooks", Events: []string{"link.created", "link.opened"},
		Rate: 10, RateText: "10/s", Duration: time.Second,
	})
	r.Bytes = load.Bytes{Out: 3480, In: 20}
	return r
}

func shownLoad(r load.Report) string {
	var out bytes.Buffer
	term.New(&out, term.Options{}).Load(r)
	return out.String()
}

func TestLoad(t *testing.T) {
	t.Parallel()
	ok := load.Result{Status: 200, Latency: 1500 * time.Microsecond}
	r := loaded(ok, ok, ok, ok, load.Result{Status: 200, Latency: 12 * time.Millisecond, Cut: true}, ok,
		load.Result{Status: 302, Latency: 4 * time.Millisecond}, load.Result{Status: 503, Latency: 4 * time.Millisecond},
		load.Result{Latency: time.Millisecond, Failure: &load.Failure{Kind: "protocol", Message: "no HTTP: \x1b[31m"}},
		load.Result{GivenUp: true})
	const want = `link.created, link.opened  POST http://localhost:3000/hooks  10/s for 1 s

  deliveries  9 sent: 6 delivered, 2 refused, 1 unanswered
              1 more under way when the load was ended
  delivered   66.7 %
  rate        10.0/s sent, 6.0/s delivered
  duration    0.9 s sending, 0.9 s until the last answer
  bytes       3.5 kB out, 20 B in
  latency     min       mean      p50       p90       p95       p99       max
              1.5 ms    3.44 ms   1.51 ms   12 ms     12 ms     12 ms     12 ms
  answers     6  200 OK
              1  302 Found  a redirect, which is not followed
              1  503 Service Unavailable
              1  of them were longer than what was read
  no answer   1  protocol: no HTTP: \u001b[31m

      < 2 ms  5  62.5 %  ████████████████████████████████████████
      < 5 ms  2  25.0 %  ████████████████
     < 10 ms  0     0 %
     < 20 ms  1  12.5 %  ████████
`
	if diff := cmp.Diff(want, shownLoad(r)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestLoadSaysWhyItEnded(t *testing.T) {
	t.Parallel()
	ok := load.Result{Status: 200, Latency: time.Millisecond}
	r := loaded(ok, ok)
	r.Interrupted = true
	if got := shownLoad(r); !strings.Contains(got, "\n              interrupted; it was to be 1 s\n") {
		t.Errorf("got\n%s", got)
	}
	r = loaded(load.Result{Failure: &load.Failure{Kind: "refused", Message: "nobody"}})
	r.Hopeless = true
	if got := shownLoad(r); !strings.Contains(got, "nothing ever answered, so the load was ended early") || strings.Contains(got, "latency") || strings.Contains(got, "rate") {
		t.Errorf("got\n%s", got)
	}
	r = loaded(ok, ok, ok)
	r.Plan.Rate = 100
	if got := shownLoad(r); !strings.Contains(got, "less than asked for") {
		t.Errorf("got\n%s", got)
	}
}
