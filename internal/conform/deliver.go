package conform

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
)

const (
	// slow is from when on an answer is late, and M2MTimeout when M2M has given up.
	slow       = 5 * time.Second
	m2mTimeout = 30 * time.Second
	// raceSize and burstSize are how many deliveries go out at one moment.
	raceSize  = 10
	burstSize = 50
)

func deliverCases() []Case {
	const unique = "Record each operation once, by a unique key on the event and its id, in the same step that looks whether it is there: INSERT … ON CONFLICT DO NOTHING. Then acknowledge repeats with 200."
	return []Case{
		{
			ID: "deliver.fast", Title: "an answer in time", Worst: Fail,
			Why:   "M2M waits 30 s for an answer and then sends again: slow handlers do their work several times.",
			Sends: "fresh and correctly signed",
			Fix:   "Record the delivery, answer 200, and do what takes time afterwards.",
			run:   fast,
		},
		{
			ID: "deliver.duplicate", Title: "the same operation twice", Worst: Fail,
			Why:   "M2M sends again whenever it has not seen your answer, so every delivery may come twice: a refused repeat is sent once more, and one that is taken for new pays twice.",
			Sends: "the same operation twice, one after the other, signed anew",
			Fix:   unique,
			run:   duplicate,
		},
		{
			ID: "deliver.concurrent-duplicates", Title: "the same operation ten times at one moment", Worst: Fail,
			Why:   "Between the look whether an operation is there and the note that it is, another delivery of it finds nothing either, and pays again.",
			Sends: "the same operation ten times at one moment, over ten connections",
			Fix:   unique,
			run:   concurrentDuplicates,
		},
		{
			ID: "deliver.out-of-order", Title: "a cancellation before its operation", Worst: Fail,
			Why:   "No order is promised: a retried operation.created arrives after its operation.cancelled.",
			Sends: "operation.cancelled, then operation.created for the same operation",
			Fix:   "Take a cancellation of an operation that you do not know yet, and let an operation that was cancelled stay so.",
			run:   outOfOrder,
		},
		{
			ID: "deliver.burst", Title: "fifty operations at once", Worst: Fail,
			Why:   "Deliveries come as users act, many at one moment on a payday; what is refused then comes again, and after five times no more.",
			Sends: "fifty operations at one moment",
			Fix:   "Acknowledge as soon as the delivery is recorded, and let a queue bound how much is worked on at a time.",
			run:   burst,
		},
	}
}

func fast(ctx context.Context, t *trial) (verdict, error) {
	request, err := build(t, operationCreated)
	if err != nil {
		return verdict{}, err
	}
	record, err := t.send(ctx, request)
	took := record.Latency
	switch {
	case err != nil:
		return verdict{}, err
	case took > m2mTimeout:
		return verdict{outcome: Fail, said: fmt.Sprintf("no answer within %s", m2mTimeout)}, nil
	case !accepted(record):
		return refused(Fail, record), nil
	case took > slow:
		return verdict{outcome: Warn, said: fmt.Sprintf("it takes %.1f s", took.Seconds())}, nil
	}
	return passed("in time"), nil
}

func duplicate(ctx context.Context, t *trial) (verdict, error) {
	payload, err := t.payload(operationCreated)
	if err != nil {
		return verdict{}, err
	}
	return t.once(ctx, func() ([]delivery.Record, error) {
		var records []delivery.Record
		for range 2 {
			record, err := t.send(ctx, t.signed(payload))
			if err != nil {
				return nil, err
			}
			records = append(records, record)
		}
		return records, nil
	})
}

func concurrentDuplicates(ctx context.Context, t *trial) (verdict, error) {
	request, err := build(t, operationCreated)
	if err != nil {
		return verdict{}, err
	}
	return t.once(ctx, func() ([]delivery.Record, error) { return t.race(ctx, request, raceSize) })
}

// once judges deliveries of one operation, which may have one effect.
func (t *trial) once(ctx context.Context, deliverAll func() ([]delivery.Record, error)) (verdict, error) {
	effects, err := t.countEffects(ctx)
	if err != nil {
		return verdict{}, err
	}
	records, err := deliverAll()
	if err != nil {
		return verdict{}, err
	}
	if v, ok := allAccepted(records); !ok {
		return v, nil
	}
	if effects == nil {
		return passed("all accepted; effects were not counted"), nil
	}
	counted := t.Now()
	n, err := effects(ctx)
	span := t.Now().Sub(counted).Round(100 * time.Millisecond)
	switch {
	case err != nil:
		return verdict{}, err
	case n > 1:
		return verdict{outcome: Fail, said: fmt.Sprintf("it has %d effects", n)}, nil
	case n < 1:
		return verdict{
			outcome: Warn, said: fmt.Sprintf("the probe counted no effect within %s", probePatience),
			fix: "Have --probe print the number of operations that the handler has recorded, as soon as they are.",
		}, nil
	}
	return passed(fmt.Sprintf("all accepted, with one effect within %s", span)), nil
}

func outOfOrder(ctx context.Context, t *trial) (verdict, error) {
	var records []delivery.Record
	for _, event := range []string{operationCancelled, operationCreated} {
		request, err := build(t, event)
		if err != nil {
			return verdict{}, err
		}
		record, err := t.send(ctx, request)
		if err != nil {
			return verdict{}, err
		}
		records = append(records, record)
	}
	if v, ok := allAccepted(records); !ok {
		return v, nil
	}
	return passed("both accepted"), nil
}

func burst(ctx context.Context, t *trial) (verdict, error) {
	var requests []delivery.Request
	for range burstSize {
		t.another()
		request, err := build(t, operationCreated)
		if err != nil {
			return verdict{}, err
		}
		requests = append(requests, request)
	}
	records, errs := make([]delivery.Record, burstSize), make([]error, burstSize)
	var sending sync.WaitGroup
	for i, request := range requests {
		sending.Go(func() { records[i], errs[i] = t.send(ctx, request) })
	}
	sending.Wait()
	for _, err := range errs {
		if err != nil {
			return verdict{}, err
		}
	}
	if v, ok := allAccepted(records); !ok {
		return v, nil
	}
	return passed("all accepted"), nil
}

// allAccepted judges deliveries that all have to be answered 2xx.
func allAccepted(records []delivery.Record) (verdict, bool) {
	refused, unanswered := 0, 0
	for _, record := range records {
		switch {
		case record.Error != nil:
			unanswered++
		case !accepted(record):
			refused++
		}
	}
	n := len(records)
	switch {
	case refused+unanswered == 0:
		return verdict{}, true
	case unanswered == 0:
		return verdict{outcome: Fail, said: fmt.Sprintf("%d of %d refused", refused, n)}, false
	case refused == 0:
		return verdict{outcome: Fail, said: fmt.Sprintf("%d of %d without an answer", unanswered, n)}, false
	}
	return verdict{outcome: Fail, said: fmt.Sprintf("%d of %d refused, %d without an answer", refused, n, unanswered)}, false
}
