package cmd

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
)

func TestAcknowledgedAtIsWhenTheFirst2xxCame(t *testing.T) {
	t.Parallel()
	start := time.Unix(1769437800, 0)
	answered := func(status int, after time.Duration) delivery.Record {
		return delivery.Record{Time: start, Latency: after, Response: &delivery.Response{Status: status}}
	}
	lost := delivery.Record{Time: start, Latency: 1, Error: &delivery.Error{Kind: "reset"}}
	for _, c := range []struct {
		name    string
		records []delivery.Record
		want    time.Time
	}{
		{"of none", nil, time.Time{}},
		{"of one", []delivery.Record{answered(204, 5)}, start.Add(5)},
		{"of several", []delivery.Record{answered(299, 5), answered(200, 3), answered(200, 9)}, start.Add(3)},
		{"past refusals and what was lost", []delivery.Record{lost, answered(500, 1), answered(199, 1), answered(300, 1), answered(200, 7)}, start.Add(7)},
		{"of refusals", []delivery.Record{lost, answered(401, 1)}, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := acknowledgedAt(c.records...); !got.Equal(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// TestWaitForTheNextAttemptShowsOnATerminal interrupts the second of M2M's pauses, which
// is five minutes.
func TestWaitForTheNextAttemptShowsOnATerminal(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	seen := &screen{}
	world := *testApp().env
	world.Out, world.Err, world.Now = stream{seen}, &stream{seen}, time.Now
	world.IsTerminal = func(w io.Writer) bool { return w == world.Err }
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan exitCode, 1)
	go func() {
		ended <- run(ctx, &world, strings.Fields("send link.created --schedule 0s,0s,5m --to "+server.URL))
	}()
	seen.waitFor(t, clearLine+"attempt 3 of 3 in 4 min 5", 2)
	cancel(errInterrupted)
	if code := <-ended; code != exitInterrupted {
		t.Errorf("got exit code %d, want %d", code, exitInterrupted)
	}
	want := regexp.MustCompile(`in 4 min 5\d s\r\x1b\[Km2m: interrupted: link.created link_acme_[a-z0-9]+ is not acknowledged after 2 attempts, 1 not tried\n`)
	if !want.MatchString(seen.String()) {
		t.Errorf("got %q, want the line taken away and what was not tried", seen)
	}
}
