package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/fixtures"
	"github.com/leapfinancial/m2m/internal/partner"
	"github.com/leapfinancial/m2m/internal/term"
)

// replyEndpointPath is where a payload names the place of its reply.
const replyEndpointPath = "data.replyEndpoint"

// awaiter is the Partner API of a run of send: data requests name it, and it waits for
// what handlers put there. The nil awaiter leaves payloads alone and waits for nothing.
type awaiter struct {
	*sendOptions
	collector *partner.Collector
	cancel    context.CancelFunc
	serving   sync.WaitGroup

	// acknowledged holds when each data request was first answered 2xx.
	acknowledged map[string]time.Time
	code         exitCode

	mu   sync.Mutex
	came []arrival
	// strays are what came and is no reply, in words; true where that was said.
	strays map[string]bool
	// news has a place for the word that something came.
	news chan struct{}
}

// arrival is a reply, and when it came by the clock of the deliveries.
type arrival struct {
	partner.Received
	at time.Time
}

// startAwaiter opens the port of --await-reply, or returns nil without it.
func (o *sendOptions) startAwaiter(ctx context.Context) (*awaiter, error) {
	if o.Await.Reply == 0 {
		return nil, nil
	}
	listeners, origin, err := o.Await.Place.open(ctx)
	if err != nil {
		return nil, err
	}
	w := &awaiter{
		sendOptions: o, acknowledged: map[string]time.Time{},
		strays: map[string]bool{}, news: make(chan struct{}, 1),
	}
	w.collector = &partner.Collector{
		Mock:   partner.NewMock(partner.MockOptions{Now: o.present, OnReply: w.take}),
		Origin: origin,
		Stray:  w.stray,
	}
	if onThisMachineAlone(origin, o.Target) {
		o.app.warn("the replyEndpoint is on this machine alone: --reply-url names it as %s reaches it", o.Target.URL.Hostname())
	}
	// What is in flight when the user interrupts is still answered.
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w.cancel = cancel
	w.serving.Go(func() { _ = w.collector.Serve(serving, listeners) }) // no reply then comes, and that is told
	return w, nil
}

// stop closes the port, once what is in flight has been answered.
func (w *awaiter) stop() {
	if w != nil {
		w.cancel()
		w.serving.Wait()
	}
}

// end stops it, shows what was not awaited any more, and returns what became of the
// replies.
func (w *awaiter) end() (exitCode, error) {
	if w == nil {
		return exitDone, nil
	}
	w.stop()
	_, err := w.show("")
	return w.code, err
}

// aim makes the data requests among the payloads name the awaiter, as the last thing
// before they are signed. An error means that no reply could ever come.
func (w *awaiter) aim(payloads [][]byte) ([][]byte, error) {
	if w == nil {
		return payloads, nil
	}
	requests := 0
	for i, payload := range payloads {
		request, err := partner.ParseDataRequest(payload)
		var other *partner.OtherEventError
		var notObject *partner.NotObjectError
		switch {
		case errors.As(err, &other) || errors.As(err, &notObject):
			continue
		case err != nil:
			return nil, fmt.Errorf("--await-reply: the data request cannot be answered: %w", err)
		case request.Expired(w.present()):
			return nil, withHint(fmt.Errorf("--await-reply: no reply can be in time: the data request expired at %s", request.ExpiresAt.UTC().Format(time.RFC3339)),
				"pass --set data.expiresAt=TIME, or --now TIME")
		}
		set, err := fixtures.ParseAssignment(replyEndpointPath+"="+w.collector.ReplyEndpoint(request.DataRequestID), true)
		if err != nil {
			return nil, err
		}
		if payloads[i], err = set.Apply(payload, false); err != nil {
			return nil, err
		}
		requests++
	}
	if requests == 0 {
		return nil, withHint(errors.New("--await-reply: there is no data request in this run"), "send %s, too", partner.DataRequestEvent)
	}
	return payloads, nil
}

// expect lets a data request be answered, from before it is sent: the reply may come
// before the acknowledgement.
func (w *awaiter) expect(payload []byte) {
	if w != nil {
		_ = w.collector.Mock.Remember(payload) // aim has read it; other events are not the mock's
	}
}

// take is told of each reply.
func (w *awaiter) take(received partner.Received) {
	w.mu.Lock()
	w.came = append(w.came, arrival{received, w.app.Now()})
	w.mu.Unlock()
	w.wake()
}

// stray is told of each request that is no reply. Each kind is said once.
func (w *awaiter) stray(r *http.Request, status int) {
	const most = 10
	text := fmt.Sprintf("answered %d to %.20s %.100s, which is no reply to a data request", status, r.Method, r.URL.Path)
	if status == http.StatusMisdirectedRequest {
		text = fmt.Sprintf("answered 421 to a request for the host %.100q: it is neither loopback nor that of --reply-url", r.Host)
	}
	w.mu.Lock()
	if _, known := w.strays[text]; !known && len(w.strays) < most {
		w.strays[text] = false
	}
	w.mu.Unlock()
	w.wake()
}

func (w *awaiter) wake() {
	select {
	case w.news <- struct{}{}:
	default: // the word is there already
	}
}

// await waits for the reply to a payload that was delivered, if that is a data request,
// and shows what came. The zero time says that nobody acknowledged it.
func (w *awaiter) await(ctx context.Context, payload []byte, acknowledged time.Time) error {
	if w == nil {
		return nil
	}
	request, err := partner.ParseDataRequest(payload)
	if err != nil {
		return nil // another event
	}
	id := request.DataRequestID
	patience := time.NewTimer(w.Await.Reply)
	defer patience.Stop()
	late := acknowledged.IsZero()
	if !late {
		w.acknowledged[id] = acknowledged
	}
	for {
		if came, err := w.show(id); came || err != nil {
			return err
		}
		switch {
		case acknowledged.IsZero():
			w.fail(fmt.Errorf("no reply to %s is awaited: it was not acknowledged", id))
			return nil
		case late:
			w.fail(withHint(fmt.Errorf("no reply to %s came within %s of its acknowledgement", id, shortDuration(w.Await.Reply)),
				"the handler has to PUT it to %s", w.collector.ReplyEndpoint(id)))
			return nil
		}
		select {
		case <-w.news:
		case <-patience.C:
			late = true
		case <-ctx.Done():
			w.app.notice("interrupted: no reply to %s has come", id)
			return context.Cause(ctx)
		}
	}
}

func (w *awaiter) fail(err error) {
	w.code = worse(w.code, exitNo)
	w.app.tellError(err)
}

// show shows the replies that have come since the last time, and says whether one of
// them was to that data request.
func (w *awaiter) show(id string) (came bool, err error) {
	w.mu.Lock()
	arrivals := w.came
	w.came = nil
	for text, said := range w.strays {
		if !said {
			w.strays[text] = true
			w.app.warn("%s", text)
		}
	}
	w.mu.Unlock()
	for _, one := range arrivals {
		came = came || one.DataRequestID == id
		if err := w.showReply(one); err != nil {
			return came, err
		}
		if one.Code != "" {
			w.fail(fmt.Errorf("the Partner API would refuse the reply to %s: %d %s: %s", one.DataRequestID, one.Status, one.Code, one.Message))
		}
	}
	return came, nil
}

func (w *awaiter) showReply(one arrival) error {
	acknowledged, known := w.acknowledged[one.DataRequestID]
	after := one.at.Sub(acknowledged)
	switch {
	case w.app.JSON:
		record := newReplyRecord(one.Received)
		if known {
			ms := delivery.Round(float64(after)/float64(time.Millisecond), 3)
			record.LatencyMs = &ms
		}
		return w.app.writeJSON(record)
	case w.app.Quiet:
		return nil
	}
	p := w.app.printer(w.app.Out)
	p.Reply(one.Received)
	switch {
	case known && after < 0:
		p.Line("    it came %s before the acknowledgement", term.Latency(-after))
	case known:
		p.Line("    it came %s after the acknowledgement", term.Latency(after))
	}
	return p.Err()
}
