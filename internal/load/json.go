package load

import (
	"math"
	"strconv"
	"time"
)

// Record returns what becomes the report's JSON, an object of type "load". Latencies are
// in milliseconds, rates are deliveries a second, and what does not apply is left out.
func (r Report) Record() any {
	statuses, failures := map[string]int{}, map[string]int{}
	for _, status := range r.Statuses {
		statuses[strconv.Itoa(status.Status)] = status.Count
	}
	for _, failure := range r.Failures {
		failures[failure.Kind] = failure.Count
	}
	type latencies struct {
		Min  float64 `json:"min"`
		Mean float64 `json:"mean"`
		P50  float64 `json:"p50"`
		P90  float64 `json:"p90"`
		P95  float64 `json:"p95"`
		P99  float64 `json:"p99"`
		Max  float64 `json:"max"`
	}
	var took *latencies
	if l := r.Latency; r.Answered() > 0 {
		took = &latencies{ms(l.Min), ms(l.Mean), ms(l.P50), ms(l.P90), ms(l.P95), ms(l.P99), ms(l.Max)}
	}
	return struct {
		Type          string         `json:"type"`
		Time          string         `json:"time"`
		URL           string         `json:"url"`
		Events        []string       `json:"events"`
		Rate          float64        `json:"rate"`
		Duration      float64        `json:"durationSeconds"`
		Sent          int            `json:"sent"`
		Delivered     int            `json:"delivered"`
		Refused       int            `json:"refused"`
		Unanswered    int            `json:"unanswered"`
		GivenUp       int            `json:"givenUp,omitempty"`
		Interrupted   bool           `json:"interrupted,omitempty"`
		Share         float64        `json:"deliveredShare"`
		SentRate      float64        `json:"sentRate"`
		DeliveredRate float64        `json:"deliveredRate"`
		Took          float64        `json:"tookSeconds"`
		Latency       *latencies     `json:"latencyMs,omitempty"`
		Statuses      map[string]int `json:"statuses"`
		Errors        map[string]int `json:"errors"`
		BytesOut      int64          `json:"bytesOut"`
		BytesIn       int64          `json:"bytesIn"`
		Truncated     int            `json:"bodiesTruncated,omitempty"`
	}{
		"load", r.Began.UTC().Format("2006-01-02T15:04:05.000Z"), r.Plan.URL, r.Plan.Events,
		r.Plan.Rate, r.Plan.Duration.Seconds(),
		r.Sent(), r.Delivered, r.Refused, r.Unanswered, r.GivenUp, r.Interrupted,
		rounded(r.Share(), 6), rounded(r.SentRate(), 2), rounded(r.DeliveredRate(), 2), rounded(r.Took.Seconds(), 3),
		took, statuses, failures, r.Bytes.Out, r.Bytes.In, r.Cut,
	}
}

// ms returns milliseconds, to the microsecond.
func ms(d time.Duration) float64 { return rounded(float64(d)/float64(time.Millisecond), 3) }

func rounded(value float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	return math.Round(value*scale) / scale
}
