package load

import (
	"math"
	"time"
)

// Plan is what a load was to do.
type Plan struct {
	URL    string
	Events []string
	// Rate is deliveries a second, RateText what the user said.
	Rate     float64
	RateText string
	Duration time.Duration
}

// Report is what a load has done.
type Report struct {
	Plan  Plan
	Began time.Time
	// Delivered were answered as expected, Refused otherwise, Unanswered not at all.
	Delivered, Refused, Unanswered int
	// GivenUp were under way when the load was ended, and are none of the others.
	GivenUp int
	// Interrupted says that it was the user who ended it, Hopeless that nothing ever
	// answered.
	Interrupted, Hopeless bool
	// Cut is how many answers were longer than what was read of them.
	Cut int
	// Sending is how long it took to send the deliveries, Took until the last of them
	// came to its end.
	Sending, Took time.Duration
	// Statuses are those of the answers, in their order.
	Statuses []StatusCount
	// Failures are the reasons why there were none, the most frequent first.
	Failures []FailureCount
	// Latency is that of the answered deliveries.
	Latency Latencies
	// Bytes is not the tally's to know.
	Bytes Bytes

	series series
	all    Span
}

// StatusCount is how often a status was answered.
type StatusCount struct {
	Status, Count int
	// Expected says that it counts as delivered.
	Expected bool
}

// FailureCount is how many deliveries failed for one kind of reason, of which it holds
// the first.
type FailureCount struct {
	Failure
	Count int
}

// Latencies are how long answers took. The percentiles are right to one percent.
type Latencies struct {
	Min, Mean, P50, P90, P95, P99, Max time.Duration
}

// Sent returns how many deliveries came to their end.
func (r Report) Sent() int { return r.Delivered + r.Refused + r.Unanswered }

// Answered returns how many were answered.
func (r Report) Answered() int { return r.Delivered + r.Refused }

// Unexpected returns how many of the Refused were accepted, with a 2xx, and were not to be.
func (r Report) Unexpected() int {
	n := 0
	for _, status := range r.Statuses {
		if !status.Expected && isAcceptance(status.Status) {
			n += status.Count
		}
	}
	return n
}

func isAcceptance(status int) bool { return status >= 200 && status < 300 }

// Share returns which part of those sent were delivered, from 0 to 1.
func (r Report) Share() float64 {
	if r.Sent() == 0 {
		return 0
	}
	return float64(r.Delivered) / float64(r.Sent())
}

// SentRate returns how many deliveries were sent a second; 0 for fewer than two.
func (r Report) SentRate() float64 {
	if all := r.Sent() + r.GivenUp; all > 1 && r.Sending > 0 {
		return float64(all-1) / r.Sending.Seconds()
	}
	return 0
}

// Late says that deliveries were sent noticeably slower than planned.
func (r Report) Late() bool {
	return r.SentRate() > 0 && r.SentRate() < 0.95*r.Plan.Rate
}

// DeliveredRate returns how many were delivered a second, from the first one sent to the
// last one answered; 0 for fewer than two.
func (r Report) DeliveredRate() float64 {
	rate := r.SentRate()
	if rate == 0 {
		return 0
	}
	// Until the next one would have been sent.
	sending := r.Sending.Seconds() + 1/rate
	return float64(r.Delivered) / max(sending, r.Took.Seconds())
}

// Width returns how long the spans of Spans are.
func (r Report) Width() time.Duration { return r.series.width }

// Spans returns the load over time, in spans of that Width.
func (r Report) Spans() []Span { return r.series.spans }

// In returns the report with its time cut into at most so many spans.
func (r Report) In(spans int) Report {
	r.series = r.series.coarser(spans)
	return r
}

// Step is a range of latencies and how many answers fell into it.
type Step struct {
	From, To time.Duration
	Count    int
}

// Distribution returns how many answers took how long, in steps of 1, 2 and 5 from the
// one with the first answer to the one with the last.
func (r Report) Distribution() []Step {
	var steps []Step
	r.all.Bins(func(from, to time.Duration, count int) bool {
		lower, upper := stepAround(time.Duration(math.Sqrt(float64(from) * float64(to))))
		for len(steps) > 0 && steps[len(steps)-1].To < lower {
			between := steps[len(steps)-1].To
			_, end := stepAround(between)
			steps = append(steps, Step{From: between, To: end})
		}
		if len(steps) == 0 || steps[len(steps)-1].To <= lower {
			steps = append(steps, Step{From: lower, To: upper})
		}
		steps[len(steps)-1].Count += count
		return true
	})
	return steps
}

// stepAround returns the step of 1, 2 and 5 that a latency falls into; everything below
// the first is one.
func stepAround(d time.Duration) (from, to time.Duration) {
	const first = 100 * time.Microsecond
	if d < first {
		return 0, first
	}
	for decade := first; ; decade *= 10 {
		for _, step := range [][2]time.Duration{{1, 2}, {2, 5}, {5, 10}} {
			if from, to = step[0]*decade, step[1]*decade; d < to {
				return from, to
			}
		}
	}
}
