package load_test

import (
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/load"
)

func TestWords(t *testing.T) {
	t.Parallel()
	const ms, us = time.Millisecond, time.Microsecond
	for _, c := range []struct{ got, want string }{
		{load.Brief(0), "0 ms"}, {load.Brief(7 * us), "0.007 ms"}, {load.Brief(250 * us), "0.25 ms"}, {load.Brief(4100 * us), "4.1 ms"},
		{load.Brief(10 * ms), "10 ms"}, {load.Brief(12345 * us), "12.3 ms"}, {load.Brief(200 * ms), "200 ms"},
		{load.Brief(time.Second), "1 s"}, {load.Brief(1234 * ms), "1.23 s"}, {load.Brief(100 * time.Second), "100 s"},
		{load.Seconds(30 * time.Second), "30 s"}, {load.Seconds(500 * ms), "0.5 s"}, {load.Seconds(0), "0 s"},
		{load.Seconds(150 * time.Second), "2 min 30 s"}, {load.Seconds(3 * time.Hour), "3 h"}, {load.Seconds(2*time.Hour + 5*time.Second), "2 h 5 s"},
		{load.Percent(0), "0 %"}, {load.Percent(1), "100 %"}, {load.Percent(0.99999), ">99.9 %"}, {load.Percent(0.00001), "<0.1 %"},
		{load.Percent(0.985), "98.5 %"}, {load.Percent(0.001), "0.1 %"},
		{load.Size(0), "0 B"}, {load.Size(999), "999 B"}, {load.Size(1000), "1.0 kB"}, {load.Size(3_940_000), "3.9 MB"}, {load.Size(5_000_000_000), "5.0 GB"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
