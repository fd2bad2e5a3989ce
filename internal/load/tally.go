package load

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Tally counts the results of a load. Safe for concurrent use.
type Tally struct {
	began    time.Time
	expected func(status int) bool

	mu        sync.Mutex
	outcomes  [outcomes]int
	givenUp   int
	cut       int
	last, end time.Duration
	statuses  map[int]int
	failures  map[string]*FailureCount
	min, max  time.Duration
	sum       time.Duration
	series    series
}

// NewTally returns a tally of a load that began then. Expected says which statuses
// count as delivered.
func NewTally(began time.Time, expected func(status int) bool) *Tally {
	return &Tally{began: began, expected: expected, statuses: map[int]int{}, failures: map[string]*FailureCount{}}
}

// Add counts a result.
func (t *Tally) Add(r Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	after := r.Sent.Sub(t.began)
	t.last = max(t.last, after)
	t.end = max(t.end, after+r.Latency)
	if r.GivenUp {
		t.givenUp++
		return
	}
	what := unanswered
	switch {
	case r.Failure != nil:
		t.fail(r.Failure)
	case t.expected(r.Status):
		what = delivered
		t.answer(r)
	default:
		what = refused
		t.answer(r)
	}
	t.outcomes[what]++
	t.series.add(after, what, r.Latency)
}

func (t *Tally) answer(r Result) {
	t.statuses[r.Status]++
	if r.Cut {
		t.cut++
	}
	if t.sum == 0 || r.Latency < t.min {
		t.min = r.Latency
	}
	t.max = max(t.max, r.Latency)
	t.sum += r.Latency
}

func (t *Tally) fail(f *Failure) {
	count := t.failures[f.Kind]
	if count == nil {
		count = &FailureCount{Failure: *f}
		t.failures[f.Kind] = count
	}
	count.Count++
}

// Counts returns how many deliveries have come to their end so far. The unexpected ones
// were accepted, with a 2xx, and were not to be.
func (t *Tally) Counts() (delivered, refused, unexpected, unanswered int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for status, n := range t.statuses {
		if isAcceptance(status) && !t.expected(status) {
			unexpected += n
		}
	}
	return t.outcomes[0], t.outcomes[1] - unexpected, unexpected, t.outcomes[2]
}

// Report returns what the tally has found so far, of a load that was planned like that.
func (t *Tally) Report(plan Plan) Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := Report{
		Plan: plan, Began: t.began,
		Delivered: t.outcomes[delivered], Refused: t.outcomes[refused], Unanswered: t.outcomes[unanswered],
		GivenUp: t.givenUp, Cut: t.cut,
		Sending: t.last, Took: t.end,
		series: t.series.coarser(maxSpans),
	}
	for status, n := range t.statuses {
		r.Statuses = append(r.Statuses, StatusCount{status, n, t.expected(status)})
	}
	slices.SortFunc(r.Statuses, func(a, b StatusCount) int { return a.Status - b.Status })
	for _, count := range t.failures {
		r.Failures = append(r.Failures, *count)
	}
	slices.SortFunc(r.Failures, func(a, b FailureCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind))
	})
	r.Latency = t.latencies(&r)
	return r
}

func (t *Tally) latencies(r *Report) Latencies {
	answered := r.Answered()
	if answered == 0 {
		return Latencies{}
	}
	var all histogram
	for _, span := range r.series.spans {
		all.merge(span.latencies)
	}
	quantile := func(q float64) time.Duration { return min(max(all.quantile(q), t.min), t.max) }
	r.all = Span{latencies: all}
	return Latencies{
		Min: t.min, Mean: t.sum / time.Duration(answered), Max: t.max,
		P50: quantile(0.5), P90: quantile(0.9), P95: quantile(0.95), P99: quantile(0.99),
	}
}
