package load

import (
	"math"
	"time"
)

const (
	// growth is by how much each bin of a histogram is wider than the one before it: a
	// latency is known to one percent.
	growth = 1.02
	// finest is where the bins begin, and 1100 of them reach half an hour.
	finest = time.Microsecond
	bins   = 1100
)

// histogram counts latencies in bins that grow. The zero histogram is empty.
type histogram struct {
	counts []uint32 // nil, or bins long
	total  int
}

func (h *histogram) add(d time.Duration) {
	if h.counts == nil {
		h.counts = make([]uint32, bins)
	}
	h.counts[binOf(d)]++
	h.total++
}

func binOf(d time.Duration) int {
	if d <= finest {
		return 0
	}
	return min(bins-1, int(math.Log(float64(d)/float64(finest))/math.Log(growth)))
}

// edge is where a bin begins.
func edge(bin int) time.Duration {
	return time.Duration(float64(finest) * math.Pow(growth, float64(bin)))
}

// middle stands for all latencies in a bin.
func middle(bin int) time.Duration {
	return time.Duration(float64(finest) * math.Pow(growth, float64(bin)+0.5))
}

func (h *histogram) merge(other histogram) {
	if other.counts == nil {
		return
	}
	if h.counts == nil {
		h.counts = make([]uint32, bins)
	}
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// quantile returns the latency that the share q of all is not longer than, by the
// nearest rank; 0 when there are none.
func (h *histogram) quantile(q float64) time.Duration {
	rank := int(math.Ceil(q * float64(h.total)))
	for i, n := range h.counts {
		if rank -= int(n); rank <= 0 {
			return middle(i)
		}
	}
	return 0
}
