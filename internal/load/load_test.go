package load_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/load"
)

func began() time.Time { return time.Date(2026, 1, 26, 14, 30, 0, 0, time.UTC) }

func ok(status int) bool { return status >= 200 && status < 300 }

func newTally() *load.Tally { return load.NewTally(began(), ok) }

func answered(after, latency time.Duration, status int) load.Result {
	return load.Result{Sent: began().Add(after), Latency: latency, Status: status}
}

func failed(after time.Duration, kind string) load.Result {
	return load.Result{Sent: began().Add(after), Latency: time.Second, Failure: &load.Failure{Kind: kind, Message: kind + "!", Hint: "mend it"}}
}

func TestAcceptedIsNotRefused(t *testing.T) {
	t.Parallel()
	tally := load.NewTally(began(), func(status int) bool { return status == 401 })
	for _, status := range []int{200, 204, 204, 401, 500} {
		tally.Add(answered(0, time.Millisecond, status))
	}
	if d, r, x, u := tally.Counts(); d != 1 || r != 1 || x != 3 || u != 0 {
		t.Errorf("got %d delivered, %d refused, %d not as expected, %d unanswered", d, r, x, u)
	}
	// Who reads the record knows of two kinds of answers alone.
	if r := tally.Report(load.Plan{}); r.Unexpected() != 3 || r.Refused != 4 || r.Sent() != 5 {
		t.Errorf("got %d not as expected among %d refused, %d sent", r.Unexpected(), r.Refused, r.Sent())
	}
}

func TestResultsAreCounted(t *testing.T) {
	t.Parallel()
	tally := newTally()
	for _, result := range []load.Result{
		answered(0, 4*time.Millisecond, 200), answered(100*time.Millisecond, 2*time.Millisecond, 204),
		answered(200*time.Millisecond, 6*time.Millisecond, 503), answered(300*time.Millisecond, 4*time.Millisecond, 200),
		failed(400*time.Millisecond, "timeout"), failed(500*time.Millisecond, "reset"), failed(600*time.Millisecond, "reset"),
		{Sent: began().Add(700 * time.Millisecond), Latency: time.Millisecond, GivenUp: true},
		{Sent: began().Add(50 * time.Millisecond), Latency: 4 * time.Millisecond, Status: 200, Cut: true},
	} {
		tally.Add(result)
	}
	if d, r, x, u := tally.Counts(); d != 4 || r != 1 || x != 0 || u != 3 {
		t.Errorf("got %d delivered, %d refused, %d not as expected, %d unanswered", d, r, x, u)
	}
	r := tally.Report(load.Plan{Rate: 10})
	if r.Sent() != 8 || r.Answered() != 5 || r.GivenUp != 1 || r.Cut != 1 || r.Share() != 0.5 {
		t.Errorf("got %d sent, %d answered, %d given up, %d cut, %v delivered", r.Sent(), r.Answered(), r.GivenUp, r.Cut, r.Share())
	}
	if r.Sending != 700*time.Millisecond || r.Took != 1600*time.Millisecond {
		t.Errorf("got %s of sending, %s in all", r.Sending, r.Took)
	}
	if got, want := r.SentRate(), 8/0.7; math.Abs(got-want) > 1e-9 {
		t.Errorf("got a rate of %v, want %v", got, want)
	}
	if got, want := r.DeliveredRate(), 4/1.6; math.Abs(got-want) > 1e-9 {
		t.Errorf("got a rate of %v delivered, want %v", got, want)
	}
	wantStatuses := []load.StatusCount{{200, 3, true}, {204, 1, true}, {503, 1, false}}
	if !slices.Equal(r.Statuses, wantStatuses) {
		t.Errorf("got statuses %v", r.Statuses)
	}
	wantFailures := []load.FailureCount{
		{load.Failure{Kind: "reset", Message: "reset!", Hint: "mend it"}, 2}, {load.Failure{Kind: "timeout", Message: "timeout!", Hint: "mend it"}, 1},
	}
	if !slices.Equal(r.Failures, wantFailures) {
		t.Errorf("got failures %v", r.Failures)
	}
	if l := r.Latency; l.Min != 2*time.Millisecond || l.Mean != 4*time.Millisecond || l.Max != 6*time.Millisecond {
		t.Errorf("got latencies %+v", l)
	}
}

// TestPercentilesAreRightToOnePercent compares them with the sorted latencies.
func TestPercentilesAreRightToOnePercent(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	tally := newTally()
	var all []time.Duration
	for i := range 20000 {
		latency := time.Duration(math.Exp(random.NormFloat64()*1.5) * float64(3*time.Millisecond))
		all = append(all, latency)
		tally.Add(answered(time.Duration(i)*time.Millisecond, latency, 200))
	}
	slices.Sort(all)
	l := tally.Report(load.Plan{}).Latency
	for q, got := range map[float64]time.Duration{0.5: l.P50, 0.9: l.P90, 0.95: l.P95, 0.99: l.P99} {
		want := all[int(math.Ceil(q*float64(len(all))))-1]
		if off := math.Abs(float64(got)/float64(want) - 1); off > 0.0101 {
			t.Errorf("p%g: got %s, want %s", q*100, got, want)
		}
	}
	if l.Min != all[0] || l.Max != all[len(all)-1] {
		t.Errorf("got %s and %s, want %s and %s", l.Min, l.Max, all[0], all[len(all)-1])
	}
}

func TestPercentilesLieBetweenMinAndMax(t *testing.T) {
	t.Parallel()
	for _, latency := range []time.Duration{0, 1, time.Microsecond, 1234567, 5 * time.Hour} {
		tally := newTally()
		tally.Add(answered(0, latency, 200))
		l := tally.Report(load.Plan{}).Latency
		for _, got := range []time.Duration{l.Min, l.Mean, l.P50, l.P99, l.Max} {
			if got != latency {
				t.Errorf("of one latency of %s: got %+v", latency, l)
				break
			}
		}
	}
}

// TestALongLoadIsCutIntoFewSpans also sees that none of its deliveries gets lost.
func TestALongLoadIsCutIntoFewSpans(t *testing.T) {
	t.Parallel()
	tally := newTally()
	const n = 3000
	for i := range n {
		after := time.Duration(i) * time.Second
		switch i % 3 {
		case 0:
			tally.Add(answered(after, time.Millisecond, 200))
		case 1:
			tally.Add(answered(after, time.Second, 500))
		default:
			tally.Add(failed(after, "reset"))
		}
	}
	whole := tally.Report(load.Plan{})
	for _, most := range []int{1000, 100, 7, 1} {
		r := whole.In(most)
		if got := len(r.Spans()); got > most || got > 240 || got < min(most, 240)/2 {
			t.Errorf("got %d spans, want about %d", got, most)
		}
		var d, f, u, answers int
		for i, span := range r.Spans() {
			d, f, u = d+span.Delivered, f+span.Refused, u+span.Unanswered
			span.Bins(func(from, to time.Duration, count int) bool {
				if from >= to {
					t.Errorf("got a bin from %s to %s", from, to)
				}
				answers += count
				return true
			})
			if span.Start != time.Duration(i)*r.Width() {
				t.Errorf("span %d begins at %s", i, span.Start)
			}
		}
		if d != n/3 || f != n/3 || u != n/3 || answers != n/3*2 {
			t.Errorf("got %d, %d, %d and %d answers", d, f, u, answers)
		}
	}
	if got := len(whole.Spans()); got < 120 {
		t.Errorf("after it was looked at coarsely, the report has %d spans", got)
	}
}

func TestDistribution(t *testing.T) {
	t.Parallel()
	tally := newTally()
	for latency, n := range map[time.Duration]int{50 * time.Microsecond: 1, 1500 * time.Microsecond: 3, 15 * time.Millisecond: 2} {
		for range n {
			tally.Add(answered(0, latency, 200))
		}
	}
	ms := time.Millisecond
	want := []load.Step{
		{0, ms / 10, 1}, {ms / 10, ms / 5, 0}, {ms / 5, ms / 2, 0}, {ms / 2, ms, 0}, {ms, 2 * ms, 3},
		{2 * ms, 5 * ms, 0}, {5 * ms, 10 * ms, 0}, {10 * ms, 20 * ms, 2},
	}
	if diff := cmp.Diff(want, tally.Report(load.Plan{}).Distribution()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestALoadOfNothing(t *testing.T) {
	t.Parallel()
	r := newTally().Report(load.Plan{})
	if r.Share() != 0 || r.SentRate() != 0 || r.DeliveredRate() != 0 || r.Late() || len(r.Distribution()) != 0 || r.Latency != (load.Latencies{}) {
		t.Errorf("got %+v", r)
	}
}

func TestLate(t *testing.T) {
	t.Parallel()
	tally := newTally()
	tally.Add(answered(0, 0, 200))
	tally.Add(answered(time.Second, 0, 200))
	for rate, want := range map[float64]bool{1: false, 1.04: false, 1.2: true} {
		if got := tally.Report(load.Plan{Rate: rate}).Late(); got != want {
			t.Errorf("1/s of %v/s: got %v", rate, got)
		}
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	tally := newTally()
	tally.Add(answered(0, 1500*time.Microsecond, 200))
	tally.Add(failed(time.Second, "timeout"))
	r := tally.Report(load.Plan{URL: "http://localhost:3000/?a&b", Events: []string{"link.created"}, Rate: 1, Duration: 2 * time.Second})
	r.Bytes = load.Bytes{Out: 10, In: 2}
	got, err := json.Marshal(r.Record())
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"type":"load","time":"2026-01-26T14:30:00.000Z","url":"http://localhost:3000/?a\u0026b","events":["link.created"],` +
		`"rate":1,"durationSeconds":2,"sent":2,"delivered":1,"refused":0,"unanswered":1,"deliveredShare":0.5,"sentRate":1,"deliveredRate":0.5,` +
		`"tookSeconds":2,"latencyMs":{"min":1.5,"mean":1.5,"p50":1.5,"p90":1.5,"p95":1.5,"p99":1.5,"max":1.5},` +
		`"statuses":{"200":1},"errors":{"timeout":1},"bytesOut":10,"bytesIn":2}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestATallyServesMany(t *testing.T) {
	t.Parallel()
	tally := newTally()
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for range 100 {
				tally.Add(answered(0, time.Millisecond, 200))
				tally.Counts()
			}
		})
	}
	work.Wait()
	if got := tally.Report(load.Plan{}).Delivered; got != 800 {
		t.Errorf("got %d, want 800", got)
	}
}
