package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
)

func plainSender(t *testing.T) *deliver.Sender {
	t.Helper()
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		t.Fatal("the default transport is another one")
	}
	client := endpoint.NewClient(transport, endpoint.ClientOptions{Timeout: 10 * time.Second})
	t.Cleanup(client.CloseIdle)
	return &deliver.Sender{Client: client, Now: time.Now, NewID: func() string { return "id" }}
}

// TestScheduleIsTheDocumentedOne: five attempts; 0, 1 min, 5 min, 30 min, 2 h before
// each.
func TestScheduleIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	want := []time.Duration{0, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour}
	if got := deliver.Schedule(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDeliverStopsAtTheFirst2xx(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers  []int
		schedule []time.Duration
		want     string
	}{
		"at once":             {[]int{204, 500}, make([]time.Duration, 3), "1:204 last"},
		"the third time":      {[]int{500, 301, 200, 200}, make([]time.Duration, 5), "1:500 2:301 3:200 last"},
		"never":               {[]int{500, 404, 400}, make([]time.Duration, 3), "1:500 2:404 3:400 last"},
		"without a schedule":  {[]int{500, 200}, nil, "1:500 last"},
		"a pause before each": {[]int{500, 200}, []time.Duration{time.Millisecond, time.Millisecond}, "waited 1 1:500 waited 2 2:200 last"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			served := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.answers[served])
				served++
			}))
			defer server.Close()
			got, made := "", 0
			attempts, err := plainSender(t).Deliver(t.Context(), deliver.Retry{
				Schedule: c.schedule,
				Request: func() delivery.Request {
					made++
					return delivery.Request{Method: "POST", URL: server.URL, Body: []byte("{}")}
				},
				Done: func(record delivery.Record, last bool) error {
					got += fmt.Sprintf(" %d:%d", record.Attempt, record.Response.Status)
					if last {
						got += " last"
					}
					return nil
				},
				Waiting: func(next int, _ time.Time) func() { return func() { got += fmt.Sprintf(" waited %d", next) } },
			})
			if err != nil || got != " "+c.want || attempts != made {
				t.Errorf("got %q after %d attempts of %d requests, error %v, want %q", got, attempts, made, err, c.want)
			}
		})
	}
}

func TestDeliverIsInterruptedWhileItWaits(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	attempts, err := plainSender(t).Deliver(ctx, deliver.Retry{
		Schedule: []time.Duration{0, time.Hour},
		Request:  func() delivery.Request { return delivery.Request{Method: "POST", URL: server.URL} },
		Done:     func(delivery.Record, bool) error { return nil },
		Waiting:  func(int, time.Time) func() { cancel(stopped); return func() {} },
	})
	if attempts != 1 || !errors.Is(err, stopped) {
		t.Errorf("got %d attempts and error %v", attempts, err)
	}
}
