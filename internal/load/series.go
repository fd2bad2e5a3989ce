package load

import "time"

const (
	// maxSpans bounds how many spans of time a load is cut into, firstSpan is how long
	// they are at first. When there are too many, two become one.
	maxSpans  = 240
	firstSpan = 5 * time.Millisecond
)

// Span is what became of the deliveries that were sent in a span of time.
type Span struct {
	// Start is its beginning, from the load's on.
	Start                          time.Duration
	Delivered, Refused, Unanswered int
	// latencies are those of the answered ones.
	latencies histogram
}

// Sent returns how many deliveries were sent in the span.
func (s Span) Sent() int { return s.Delivered + s.Refused + s.Unanswered }

// Answered returns how many were answered.
func (s Span) Answered() int { return s.latencies.total }

// Quantile returns the latency that the share q of the answers did not exceed.
func (s Span) Quantile(q float64) time.Duration { return s.latencies.quantile(q) }

// Bins yields how many answers took how long: from, to and their number.
func (s Span) Bins(yield func(from, to time.Duration, count int) bool) {
	for i, n := range s.latencies.counts {
		if n > 0 && !yield(edge(i), edge(i+1), int(n)) {
			return
		}
	}
}

func (s *Span) count(what outcome, latency time.Duration) {
	switch what {
	case delivered:
		s.Delivered++
	case refused:
		s.Refused++
	default:
		s.Unanswered++
		return
	}
	s.latencies.add(latency)
}

func (s *Span) merge(other Span) {
	s.Delivered += other.Delivered
	s.Refused += other.Refused
	s.Unanswered += other.Unanswered
	s.latencies.merge(other.latencies)
}

// series is a load over time.
type series struct {
	width time.Duration
	spans []Span
}

func (s *series) add(after time.Duration, what outcome, latency time.Duration) {
	if s.width == 0 {
		s.width = firstSpan
	}
	for after >= s.width*maxSpans {
		s.halve()
	}
	at := int(max(0, after) / s.width)
	for len(s.spans) <= at {
		s.spans = append(s.spans, Span{Start: s.width * time.Duration(len(s.spans))})
	}
	s.spans[at].count(what, latency)
}

// halve makes one span of every two.
func (s *series) halve() {
	var wider []Span
	for i, span := range s.spans {
		if i%2 == 0 {
			wider = append(wider, span)
			continue
		}
		wider[i/2].merge(span)
	}
	s.spans = wider
	s.width *= 2
}

// coarser returns the series in at most so many spans.
func (s *series) coarser(most int) series {
	c := series{width: s.width}
	for _, span := range s.spans {
		span.latencies.counts = append([]uint32(nil), span.latencies.counts...)
		c.spans = append(c.spans, span)
	}
	for len(c.spans) > most {
		c.halve()
	}
	return c
}
