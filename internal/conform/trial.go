package conform

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/fixtures"
	"github.com/leapfinancial/m2m/internal/sign"
)

// Options is what a run needs.
type Options struct {
	// Spec says where deliveries go and what they are signed with. Its Fault has to be
	// the zero one.
	Spec   deliver.Spec
	Sender *deliver.Sender
	// Catalogue holds the samples that payloads are made of.
	Catalogue *fixtures.Catalogue
	Rand      io.Reader
	Now       func() time.Time
	// Replies is what data requests name, and what handlers have put there.
	Replies *Replies
	// Patience is how long a handler is given to answer a data request, and how long a
	// forged one is watched; zero is 5 s.
	Patience time.Duration
	// Unreachable says why the handler cannot reach Replies; empty when it can.
	Unreachable string
	// Mask makes of an answer's body what may be shown of it; nil shows all.
	Mask func(body []byte) []byte
	// Probe counts the effects that deliveries have had; nil where nobody counts them.
	Probe func(context.Context) (int, error)
}

// trial is one case being run.
type trial struct {
	Options
	life *fixtures.Life

	mu      sync.Mutex
	records []delivery.Record
	// contact says that the target took a connection in this case.
	contact bool
}

func (o Options) trial() *trial {
	t := &trial{Options: o}
	t.another()
	return t
}

// payload returns a fresh payload of an event, spelled as JSON.stringify spells it.
// Within a case, events belong to one transfer.
func (t *trial) payload(event string) ([]byte, error) {
	documented, err := t.Catalogue.Event(event)
	if err != nil {
		return nil, err
	}
	fresh, err := t.life.Fresh(documented)
	if err != nil {
		return nil, err
	}
	payload := asJavaScript(fresh)
	t.Replies.expect(payload)
	return payload, nil
}

// another lets the next payloads belong to another transfer.
func (t *trial) another() {
	t.life = &fixtures.Life{Rand: t.Rand, Now: t.Now(), ReplyOrigin: t.Replies.Origin()}
}

// set changes one value of a payload, or adds it, and leaves every other byte as it is.
func set(payload []byte, path, raw string) ([]byte, error) {
	return fixtures.Assignment{Path: path, Raw: []byte(raw)}.Apply(payload, true)
}

// signed returns the delivery of a payload, as M2M would make it now.
func (t *trial) signed(payload []byte) delivery.Request {
	return t.Spec.Request(payload, sign.FormatTimestamp(t.Now()))
}

// faulty is signed, with something wrong on purpose.
func (t *trial) faulty(payload []byte, fault string) (delivery.Request, error) {
	found, ok := deliver.FindFault(fault)
	if !ok {
		return delivery.Request{}, fmt.Errorf("there is no fault %q", fault)
	}
	spec := t.Spec
	spec.Fault = found
	return spec.Request(payload, sign.FormatTimestamp(t.Now())), nil
}

// send makes one delivery and keeps its record.
func (t *trial) send(ctx context.Context, request delivery.Request) (delivery.Record, error) {
	record, err := t.Sender.Send(ctx, request, 1)
	if err == nil {
		t.keep(record)
	}
	return record, err
}

// prepare makes a delivery that is not judged.
func (t *trial) prepare(ctx context.Context, request delivery.Request) error {
	record, err := t.Sender.Send(ctx, request, 1)
	if err == nil {
		t.meet(record)
	}
	return err
}

// race delivers one request several times at one moment.
func (t *trial) race(ctx context.Context, request delivery.Request, copies int) ([]delivery.Record, error) {
	records, err := t.Sender.Race(ctx, request, copies)
	if err == nil {
		t.keep(records...)
	}
	return records, err
}

func (t *trial) keep(records ...delivery.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.records = append(t.records, records...)
	t.meet(records...)
}

// meet notes whether the target took a connection.
func (t *trial) meet(records ...delivery.Record) {
	for _, record := range records {
		if record.Error == nil || record.Error.Kind != string(endpoint.Refused) {
			t.contact = true
		}
	}
}

// last returns the record kept last, or the zero one.
func (t *trial) last() delivery.Record {
	if len(t.records) == 0 {
		return delivery.Record{}
	}
	return t.records[len(t.records)-1]
}

// result puts together what a case came to.
func (t *trial) result(c Case, v verdict, took time.Duration) Result {
	r := Result{
		Case: c, Outcome: v.outcome, Said: v.said, Why: cmp.Or(v.why, c.Why), Fix: cmp.Or(v.fix, c.Fix),
		Took: took, Records: t.records,
	}
	if len(t.records) > 0 {
		first := t.records[0]
		body, _ := delivery.ReadPayload(first.Request.Body)
		r.Sent = strings.Join(strings.Fields(first.Request.Method+" "+first.Event+" "+body.ID), " ") + ": " + c.Sends
		r.Received = answers(t.records, t.Mask)
	}
	return r
}

// accepted says whether a delivery was answered 2xx.
func accepted(record delivery.Record) bool { return deliver.Acknowledged(record) }

func isRedirect(status int) bool { return status >= 300 && status <= 399 }

// crashed says whether the handler answered that it failed, or not at all.
func crashed(record delivery.Record) bool {
	return record.Error != nil || record.Response.Status >= http.StatusInternalServerError
}

// status returns the answer's, or zero where there was none.
func status(record delivery.Record) int {
	if record.Response == nil {
		return 0
	}
	return record.Response.Status
}
