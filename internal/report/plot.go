package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/leapfinancial/m2m/internal/load"
)

// plot is a chart in SVG. Its places are in the units of its own box.
type plot struct {
	Label                                   string
	Width, Height, Left, Right, Top, Bottom float64
	Rows, Columns                           []tick
	Areas                                   []area
	Lines                                   []line
	across                                  func(time.Duration) float64
}

type tick struct {
	At   float64
	Text string
}

// area is a set of rectangles of one colour, with a name for the legend.
type area struct {
	Name     string
	Tone     string
	Strength float64
	Path     string
}

type line struct{ Tone, Path string }

func newPlot(label string, height float64, r load.Report) *plot {
	p := &plot{Label: label, Width: 960, Height: height, Left: 64, Right: 952, Top: 12, Bottom: height - 28}
	span := lasted(r)
	p.across = func(at time.Duration) float64 {
		return p.Left + (p.Right-p.Left)*math.Min(1, at.Seconds()/span.Seconds())
	}
	for _, at := range steady(span.Seconds(), 10) {
		p.Columns = append(p.Columns, tick{p.across(time.Duration(at * float64(time.Second))), fmt.Sprintf("%g s", at)})
	}
	return p
}

// lasted returns for how long deliveries were sent.
func lasted(r load.Report) time.Duration {
	span := r.Plan.Duration
	if r.Interrupted || r.Hopeless {
		span = r.Sending
	}
	// A delivery may go out a little late.
	return max(span, r.Sending, time.Millisecond)
}

// steady returns round values from 0 to most, about so many.
func steady(most float64, about int) []float64 {
	step := math.Pow10(int(math.Floor(math.Log10(most / float64(about)))))
	for _, factor := range []float64{1, 2, 5, 10} {
		if factor*step*float64(about) >= most {
			step *= factor
			break
		}
	}
	var values []float64
	for i := 0; float64(i)*step <= most*1.0001; i++ {
		// Without the last digits that the sum does not have exactly.
		values = append(values, math.Round(float64(i)*step*1e6)/1e6)
	}
	return values
}

// latencyScale places latencies: by their logarithm where they are far apart.
type latencyScale struct {
	from, to    float64 // in milliseconds
	logarithmic bool
}

const farApart = 12

func newLatencyScale(l load.Latencies) latencyScale {
	const shortest = 0.001 // a coarse clock takes no time at all for an answer
	least, most := math.Max(inMS(l.Min), shortest), math.Max(inMS(l.Max), shortest)
	if most/least < farApart {
		values := steady(most*1.05, 6)
		return latencyScale{0, values[len(values)-1] + values[1], false}
	}
	return latencyScale{math.Max(least/1.1, shortest), most * 1.15, true}
}

func inMS(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// place returns where in the scale a latency is, from 0 to 1.
func (s latencyScale) place(d time.Duration) float64 {
	at := (inMS(d) - s.from) / (s.to - s.from)
	if s.logarithmic {
		at = math.Log(math.Max(inMS(d), s.from)/s.from) / math.Log(s.to/s.from)
	}
	return math.Min(1, math.Max(0, at))
}

func (s latencyScale) ticks() []time.Duration {
	var values []float64
	if s.logarithmic {
		factors := []float64{1, 2, 5}
		if s.to/s.from > 2000 {
			factors = []float64{1}
		}
		for decade := 0.001; decade <= s.to; decade *= 10 {
			for _, factor := range factors {
				if at := factor * decade; at >= s.from && at <= s.to {
					values = append(values, at)
				}
			}
		}
	} else {
		values = steady(s.to, 6)
	}
	ticks := make([]time.Duration, len(values))
	for i, value := range values {
		ticks[i] = time.Duration(math.Round(value * float64(time.Millisecond)))
	}
	return ticks
}

const (
	// cellsAcross and cellsUp are into how many cells a plot of latencies is cut at most.
	cellsAcross, cellsUp = 120, 56
	// shades is how many strengths a cell may have.
	shades = 6
	// answersEach is how many answers a point of a line should stand for.
	answersEach = 100
)

// latencyPlot shows each answer as part of a cell, and lines through the median and the
// 99th percentile where there are enough of them.
func latencyPlot(r load.Report) *plot {
	if r.Answered() == 0 {
		return nil
	}
	p := newPlot("latency of the answers over time", 340, r)
	scale := newLatencyScale(r.Latency)
	for _, at := range scale.ticks() {
		p.Rows = append(p.Rows, tick{p.up(scale.place(at)), load.Brief(at)})
	}
	p.Areas = p.cells(r.In(cellsAcross), scale)
	if points := min(60, r.Answered()/answersEach); points > 2 {
		coarse := r.In(points)
		p.Lines = []line{
			{"mark", p.quantile(coarse, scale, 0.99)},
			{"main", p.quantile(coarse, scale, 0.5)},
		}
	}
	return p
}

// up returns the place of a share of the height.
func (p *plot) up(share float64) float64 { return p.Bottom - (p.Bottom-p.Top)*share }

func (p *plot) cells(r load.Report, scale latencyScale) []area {
	type cell struct{ column, row int }
	counts, most := map[cell]int{}, 0
	for column, span := range r.Spans() {
		span.Bins(func(from, to time.Duration, count int) bool {
			middle := time.Duration(math.Sqrt(float64(from) * float64(to)))
			at := cell{column, min(cellsUp-1, int(scale.place(middle)*cellsUp))}
			counts[at] += count
			most = max(most, counts[at])
			return true
		})
	}
	paths := make([]strings.Builder, shades)
	for column, span := range r.Spans() {
		left, right := p.across(span.Start), p.across(span.Start+r.Width())
		for row := range cellsUp {
			count := counts[cell{column, row}]
			if count == 0 {
				continue
			}
			// By the logarithm, so that a single slow answer among thousands shows.
			shade := min(shades-1, int(float64(shades)*math.Log1p(float64(count))/math.Log1p(float64(most)+1)))
			rectangle(&paths[shade], left, p.up(float64(row+1)/cellsUp), right, p.up(float64(row)/cellsUp))
		}
	}
	var areas []area
	for shade := range paths {
		if paths[shade].Len() > 0 {
			strength := 0.25 + 0.6*float64(shade)/(shades-1)
			areas = append(areas, area{Tone: "main", Strength: math.Round(strength*100) / 100, Path: paths[shade].String()})
		}
	}
	return areas
}

// rectangle appends a rectangle to a path.
func rectangle(b *strings.Builder, left, top, right, bottom float64) {
	// A hair's breadth apart, so that cells can be told from each other.
	fmt.Fprintf(b, "M%.1f %.1fH%.1fV%.1fH%.1fZ", left, top, math.Max(right-0.4, left+2), bottom, left)
}

// quantile returns a line through a quantile of each span, broken where nothing was
// answered.
func (p *plot) quantile(r load.Report, scale latencyScale, q float64) string {
	var b strings.Builder
	command := "M"
	for _, span := range r.Spans() {
		if span.Answered() == 0 {
			command = "M"
			continue
		}
		latency := min(max(span.Quantile(q), r.Latency.Min), r.Latency.Max)
		fmt.Fprintf(&b, "%s%.1f %.1f", command, p.across(span.Start+r.Width()/2), p.up(scale.place(latency)))
		command = "L"
	}
	return b.String()
}

// sentPlot shows how many deliveries were sent a second, and what became of them, where
// there are enough of them.
func sentPlot(r load.Report) *plot {
	bars := min(60, r.Sent()/answersEach*2)
	if bars < 2 {
		return nil
	}
	p := newPlot("deliveries a second over time", 200, r)
	end := lasted(r)
	r = r.In(bars)
	rates := make([]float64, len(r.Spans())) // of one delivery in the span
	most := 0.0
	for i, span := range r.Spans() {
		// The last span may be longer than the load.
		rates[i] = 1 / max(r.Width()/4, min(r.Width(), end-span.Start)).Seconds()
		most = math.Max(most, float64(span.Sent())*rates[i])
	}
	top := most * 1.1
	for _, rate := range steady(top, 4) {
		p.Rows = append(p.Rows, tick{p.up(rate / top), fmt.Sprintf("%g", rate)})
	}
	refused := "refused"
	if r.Unexpected() > 0 {
		refused = "not as expected"
	}
	p.Areas = []area{{Name: "unanswered", Tone: "bad"}, {Name: refused, Tone: "warn"}, {Name: "delivered", Tone: "good"}}
	paths := make([]strings.Builder, len(p.Areas))
	for i, span := range r.Spans() {
		p.bar(paths, span, r.Width(), rates[i]/top)
	}
	for i := range paths {
		p.Areas[i].Path, p.Areas[i].Strength = paths[i].String(), 0.85
	}
	p.Areas = slices.DeleteFunc(p.Areas, func(a area) bool { return a.Path == "" })
	slices.Reverse(p.Areas)
	return p
}

// bar draws what became of the deliveries of a span: failures on top, delivered ones
// below.
func (p *plot) bar(paths []strings.Builder, span load.Span, width time.Duration, height float64) {
	// least is as low as a failure among thousands may be and still be seen.
	const least = 3
	left, right := p.across(span.Start), p.across(span.Start+width)
	ceiling := p.up(float64(span.Sent()) * height)
	for i, count := range []int{span.Unanswered, span.Refused, span.Delivered} {
		if count == 0 {
			continue
		}
		floor := math.Min(p.Bottom, ceiling+math.Max(least, (p.Bottom-p.Top)*float64(count)*height))
		if i == len(paths)-1 {
			floor = p.Bottom
		}
		rectangle(&paths[i], left, ceiling, right, floor)
		ceiling = floor
	}
}
