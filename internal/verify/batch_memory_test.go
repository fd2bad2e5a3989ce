package verify_test

import (
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/verify"
)

// generated is a stream of lines, round and round, that is made while it is read.
type generated struct {
	lines []string
	// left is how many bytes are still to come, or few more.
	left, next int
	rest       string
	// watch is called after every so many bytes.
	watch     func()
	unwatched int
}

func (g *generated) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && (g.rest != "" || g.left > 0) {
		if g.rest == "" {
			g.rest = g.lines[g.next%len(g.lines)]
			g.left -= len(g.rest)
			g.next++
		}
		copied := copy(p[n:], g.rest)
		g.rest = g.rest[copied:]
		n += copied
	}
	if g.unwatched += n; g.unwatched > 2<<20 {
		g.unwatched = 0
		g.watch()
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// TestBatchNeedsConstantMemory measures that of the process, and so runs alone.
func TestBatchNeedsConstantMemory(t *testing.T) {
	const limit = 32 << 20
	padding := strings.Repeat("x", 900)
	good := lineOf(t, signed(t, `{"event":"link.opened","note":"`+padding+`"}`))
	talkative := signed(t, "{}")
	talkative.Request.Headers[0].Value = strings.Repeat("wordy", 20_000)
	wordy := lineOf(t, talkative)
	forged := lineOf(t, record(timestamp, zeros, `{"event":"`+padding+`"}`))
	for _, c := range []struct {
		name  string
		lines []string
		size  int
		all   bool
	}{
		{"good ones", []string{good}, 64 << 20, false},
		{"all told", []string{good}, 8 << 20, true},
		{"forged ones among them", append([]string{forged}, many(good)...), 12 << 20, true},
		{"one that waits before many with much to say", append([]string{forged}, many(wordy)...), 48 << 20, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, most := heap(), uint64(0)
			judge := explaining(t)
			var told int
			b := verify.NewBatch(judge, verify.BatchOptions{
				All:   c.all,
				Found: func(verify.Result) error { told++; return nil },
				Fault: func(_ string, err error) error { return err },
			})
			in := &generated{lines: c.lines, left: c.size, watch: func() { most = max(most, heap()) }}
			must(t, b.Lines(t.Context(), "f", delivery.NewBlocks(in)))
			must(t, b.End())
			if checked, _ := b.Count(); checked != int64(in.next) || most == 0 {
				t.Fatalf("%d of %d were judged", checked, in.next)
			}
			if c.all && told != in.next {
				t.Errorf("%d of %d were told", told, in.next)
			}
			if grown := int64(most) - int64(before); grown > limit {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
		})
	}
}

func many(line string) []string { return slices.Repeat([]string{line}, 500) }

// heap returns how much memory the heap takes, garbage and all.
func heap() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
