package listen

import (
	"runtime"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// TestTellerHoldsLittle: while nobody listens, senders have to wait before much is
// waiting, however little of that is bodies.
func TestTellerHoldsLittle(t *testing.T) {
	t.Parallel()
	large := delivery.Headers{{Name: "X-Large", Value: strings.Repeat("x", 60<<10)}}
	for name, c := range map[string]struct {
		delivery Delivery
		most     int
	}{
		"deliveries of nothing": {Delivery{}, 1100},
		"large headers":         {Delivery{Record: delivery.Record{Request: delivery.Request{Headers: large}}}, 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			teller := newTeller(func(Delivery) {})
			teller.calling = true // somebody is told of a delivery, and does not return
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				for range 5000 {
					teller.tell(c.delivery)
				}
			}()
			for isFull := false; !isFull; runtime.Gosched() {
				select {
				case <-sent:
					t.Fatalf("took all 5000, want no more than %d", c.most)
				default:
				}
				teller.mu.Lock()
				isFull = teller.bytes > maxUntold
				teller.mu.Unlock()
			}
			teller.mu.Lock()
			if got := len(teller.waiting); got > c.most {
				t.Errorf("took %d, want no more than %d", got, c.most)
			}
			teller.calling = false
			teller.room.Broadcast()
			teller.mu.Unlock()
			<-sent
		})
	}
}
