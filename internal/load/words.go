package load

import (
	"fmt"
	"strings"
	"time"
)

// Figure is a value and what it is called.
type Figure struct{ Name, Text string }

// Figures returns the latencies as they are shown, in their order.
func (l Latencies) Figures() []Figure {
	return []Figure{
		{"min", Brief(l.Min)}, {"mean", Brief(l.Mean)}, {"p50", Brief(l.P50)}, {"p90", Brief(l.P90)},
		{"p95", Brief(l.P95)}, {"p99", Brief(l.P99)}, {"max", Brief(l.Max)},
	}
}

// Brief returns a duration to three digits: "0.25 ms", "4.1 ms", "1.2 s".
func Brief(d time.Duration) string {
	value, unit := float64(d)/float64(time.Millisecond), "ms"
	if d >= time.Second {
		value, unit = d.Seconds(), "s"
	}
	text := fmt.Sprintf("%.0f", value)
	switch {
	case value < 1:
		text = trimmed(fmt.Sprintf("%.3f", value))
	case value < 10:
		text = trimmed(fmt.Sprintf("%.2f", value))
	case value < 100:
		text = trimmed(fmt.Sprintf("%.1f", value))
	}
	return text + " " + unit
}

func trimmed(decimal string) string {
	return strings.TrimSuffix(strings.TrimRight(decimal, "0"), ".")
}

// Seconds returns a span of time: "30 s", "0.5 s", "2 min 30 s", "3 h".
func Seconds(d time.Duration) string {
	if d < 2*time.Minute {
		return trimmed(fmt.Sprintf("%.2f", d.Seconds())) + " s"
	}
	var parts []string
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if n := d / unit.length; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, unit.name))
		}
		d %= unit.length
	}
	return strings.Join(parts, " ")
}

// Percent returns a share in percent, as 100 % only when it is all.
func Percent(share float64) string {
	switch {
	case share <= 0:
		return "0 %"
	case share >= 1:
		return "100 %"
	case share >= 0.9995:
		return ">99.9 %"
	case share < 0.0005:
		return "<0.1 %"
	}
	return fmt.Sprintf("%.1f %%", 100*share)
}

// Size returns a number of bytes: "512 B", "3.9 MB".
func Size(bytes int64) string {
	value := float64(bytes)
	for _, unit := range []string{"B", "kB", "MB"} {
		if value < 1000 {
			if unit == "B" {
				return fmt.Sprintf("%d B", bytes)
			}
			return fmt.Sprintf("%.1f %s", value, unit)
		}
		value /= 1000
	}
	return fmt.Sprintf("%.1f GB", value)
}
