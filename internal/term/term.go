// Package term is what people see: blocks, tables, colour.
//
// It is handed writers and records and nothing else. Whatever comes from outside
// goes through Safe before a terminal sees it, and colour never carries a meaning
// that the words do not.
package term

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/fatih/color"
)

// Printer writes for people. It is not safe for concurrent use.
type Printer struct {
	out    io.Writer
	redact bool
	hide   func(text []byte) []byte
	styles styles
	err    error
}

type styles struct {
	good, bad, warn, faint, bold *color.Color
	on                           bool
}

// Options of a Printer.
type Options struct {
	// Color turns colour on for this writer.
	Color bool
	// Redact masks personal data in bodies.
	Redact bool
	// Hide takes secrets out of what is written; nil takes out nothing.
	Hide func(text []byte) []byte
}

// New returns a Printer on out.
func New(out io.Writer, options Options) *Printer {
	style := func(attributes ...color.Attribute) *color.Color {
		c := color.New(attributes...)
		// Its default depends on a global that this tool leaves alone.
		if c.DisableColor(); options.Color {
			c.EnableColor()
		}
		return c
	}
	if options.Hide == nil {
		options.Hide = func(text []byte) []byte { return text }
	}
	return &Printer{out: out, redact: options.Redact, hide: options.Hide, styles: styles{
		good:  style(color.FgGreen),
		bad:   style(color.FgRed),
		warn:  style(color.FgYellow),
		faint: style(color.Faint),
		bold:  style(color.Bold),
		on:    options.Color,
	}}
}

// Err returns the first error of the writer, a closed pipe for instance.
func (p *Printer) Err() error { return p.err }

// Line writes one line as it is. What comes from outside must have gone through
// Safe.
func (p *Printer) Line(format string, args ...any) {
	p.write([]byte(fmt.Sprintf(format, args...) + "\n"))
}

// Bold returns text in bold where there is colour.
func (p *Printer) Bold(text string) string { return p.styles.bold.Sprint(text) }

// write puts out a whole block at once, so that blocks of two commands that share
// a terminal do not mix.
func (p *Printer) write(block []byte) {
	if p.err != nil {
		return
	}
	_, p.err = p.out.Write(p.hide(block))
}

// Table writes rows with their columns aligned. The cells must be safe.
func (p *Printer) Table(rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var block bytes.Buffer
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[i]-len([]rune(cell))+2))
		}
		block.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	p.write(block.Bytes())
}

// Latency returns a duration as it stands behind an answer: "<1 ms", "4 ms", "1.2 s".
func Latency(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "<1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// Ago returns an age in seconds in the words of a person: "0.2 s ago", "3 min ago",
// "300 days ago", "5 min in the future".
func Ago(seconds float64) string {
	if seconds < 0 {
		return span(-seconds) + " in the future"
	}
	return span(seconds) + " ago"
}

// Wait returns how long is left, to the second: "4 min 12 s".
func Wait(d time.Duration) string {
	d = max(0, d).Round(time.Second)
	hours, minutes, seconds := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%d min %d s", minutes, seconds)
	}
	return fmt.Sprintf("%d s", seconds)
}

func span(seconds float64) string {
	const minute, hour, day = 60.0, 3600.0, 86400.0
	switch {
	case seconds < 10:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 2*minute:
		return fmt.Sprintf("%.0f s", math.Floor(seconds))
	case seconds < 2*hour:
		return fmt.Sprintf("%.0f min", math.Floor(seconds/minute))
	case seconds < 2*day:
		return fmt.Sprintf("%.0f h", math.Floor(seconds/hour))
	}
	return fmt.Sprintf("%.0f days", math.Floor(seconds/day))
}

// Count returns a number with its noun: "1 delivery", "2 deliveries".
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func join(parts ...string) string {
	kept := parts[:0:0]
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "  ")
}
