package listen_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/listen"
)

// TestLinesStayWhatTheyAreUntilDoneReturns has many deliveries made into lines while
// others are told, for lines share memory one after the other.
func TestLinesStayWhatTheyAreUntilDoneReturns(t *testing.T) {
	t.Parallel()
	const senders, each = 8, 50
	options, _ := newOptions(t)
	options.Lines = true
	var saved sync.Map
	options.Save = func(line []byte) error {
		saved.Store(string(line), true)
		return nil
	}
	var told int
	options.Done = func(d listen.Delivery) {
		told++
		record, err := delivery.Parse(d.Line)
		if err != nil || record.ID != d.Record.ID || string(record.Request.Body) != string(d.Record.Request.Body) {
			t.Errorf("got the line %q and %v with the delivery %s of %q", d.Line, err, d.Record.ID, d.Record.Request.Body)
		}
		if _, ok := saved.Load(string(d.Line)); !ok {
			t.Errorf("got the line %q, which was not saved", d.Line)
		}
	}
	server := serve(t, options)
	var wait sync.WaitGroup
	for sender := range senders {
		wait.Go(func() {
			for i := range each {
				body := fmt.Sprintf(`{"event":"link.opened","data":{"linkId":"%d-%d","note":%q}}`, sender, i, strings.Repeat("x", 997*(i%20)))
				if got, err := try(server.Client(), post(t, server.URL, body)); err != nil || got.status != 200 {
					t.Errorf("got %d and %v, want 200", got.status, err)
				}
			}
		})
	}
	wait.Wait()
	server.Close()
	if told != senders*each {
		t.Errorf("got %d deliveries told, want %d", told, senders*each)
	}
}
