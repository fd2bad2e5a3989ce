package cmd

import (
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

// FuzzValues: what a flag takes is within its bounds, and what it shows for it, in a
// help text for instance, it takes again and means the same.
func FuzzValues(f *testing.F) {
	for _, text := range []string{
		"", "0", "5m", "1h30m0s", "-1s", "100", "1e3s", "512KiB", "1GiB", "1073741825", "0x10", "200/s", "30/m", "5/100ms", "1/0s", "9999999999/h", "1/1ns",
		"1769437800", "+1", "-10m", "2026-01-26T14:30:00.5Z", "1969-01-01T00:00:00Z", "9999999999999999999", "0.001", "NaN", "Inf", "1e-320", "0s, 1m", ",",
		"localhost:1", "\x1b",
	} {
		f.Add(text)
	}
	now := time.Unix(1769437800, 0)
	f.Fuzz(func(t *testing.T, text string) {
		var span time.Duration
		again(t, text, spanValue{&span}, func() any { return span })
		var size int64
		again(t, text, sizeValue{&size}, func() any { return size })
		var rate loadRate
		again(t, text, rateValue{&rate}, func() any { return rate.Rate })
		var when moment
		again(t, text, momentValue{&when}, func() any { return when.at(now) })
		var target endpoint.Target
		again(t, text, targetValue{&target}, func() any { return target.String() })
		var factor float64
		if (scaleValue{&factor}).Set(text) != nil {
			factor = 1
		}
		var pauses []time.Duration
		if (scheduleValue{&pauses}).Set(text) != nil {
			pauses = nil
		}
		for _, pause := range append(pauses, span) {
			if pause < 0 {
				t.Errorf("%q is the pause %v", text, pause)
			}
		}
		if size < 0 || size > 1<<30 || !(factor > 0 && factor <= 1000) || rate.Per < 0 || rate.Per > 0 && rate.PerSecond() > maxRate {
			t.Errorf("%q is out of bounds: size %d, factor %v, rate %+v", text, size, factor, rate)
		}
	})
}

// again sets a flag to text, and then to what it shows for that.
func again(t *testing.T, text string, flag pflag.Value, value func() any) {
	t.Helper()
	if flag.Set(text) != nil {
		return
	}
	want, shown := value(), flag.String()
	if shown == "" {
		return // a default that no help text shows
	}
	if err := flag.Set(shown); err != nil || value() != want {
		t.Errorf("%T: %q is shown as %q, which is %v and %v, want %v", flag, text, shown, value(), err, want)
	}
}
