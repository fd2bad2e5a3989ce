package verify

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/leapfinancial/m2m/internal/diagnose"
)

const (
	// patience is how long a result waits when no more input comes that may explain
	// it, and longest how long, or twice that, when some does all the time.
	patience = 300 * time.Millisecond
	longest  = 2 * time.Second
	// mostHeld bounds the memory of what waits, in bytes: somebody else's events may have
	// names of megabytes.
	mostHeld = 8 << 20
)

// teller tells what the workers found, in order. What is unexplained waits, and all
// that comes after it, for the deliveries among which the explanation may be.
type teller struct {
	batch *Batch
	index *index
	queue []*told
	// fresh is how many of the queue came since the last tick, held what all of it
	// takes, in bytes.
	fresh, held int
	examiner    examiner
	mixed       mixed
	// waiting finds the unexplained results of the queue by their signature.
	waiting map[[sha256.Size]byte][]*told
}

// told is what there is to tell next.
type told struct {
	finding
	after func() error
	waits bool
}

func newTeller(b *Batch) *teller {
	return &teller{batch: b, index: newIndex(), examiner: examiner{diagnoser: b.judge.Diagnoser}, waiting: map[[sha256.Size]byte][]*told{}}
}

func (t *teller) run(order <-chan *job) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	ticker := time.NewTicker(longest)
	defer ticker.Stop()
	for {
		if len(t.queue) > 0 {
			timer.Reset(patience)
		}
		select {
		case j, ok := <-order:
			if !ok {
				return t.tell(0)
			}
			<-j.done
			if err := t.add(j); err != nil {
				return err
			}
		case <-timer.C:
			if err := t.tell(0); err != nil {
				return err
			}
		case <-ticker.C:
			if err := t.tell(t.fresh); err != nil {
				return err
			}
			t.fresh = 0
		}
	}
}

func (t *teller) add(j *job) error {
	before := t.batch.checked.Load()
	checked := t.batch.checked.Add(j.out.checked)
	t.batch.invalid.Add(j.out.invalid)
	if before <= 1 && checked > 1 && t.batch.options.Several != nil {
		if err := t.batch.options.Several(); err != nil {
			return err
		}
	}
	if before == 0 && checked == 1 && j.out.only != nil {
		t.push(&told{finding: finding{result: *j.out.only}})
	}
	for _, s := range j.out.macs {
		t.index.add(s)
		if len(t.waiting) > 0 {
			t.explain(s)
		}
	}
	t.explainAll(j.out.findings)
	for _, f := range j.out.findings {
		t.push(t.next(f))
	}
	if j.after != nil {
		t.push(&told{after: func() error { return j.after(checked) }})
	}
	return t.tell(reach)
}

func (t *teller) push(next *told) {
	t.queue = append(t.queue, next)
	t.fresh++
	t.held += next.size()
}

// explain tells those that wait whose signature they have.
func (t *teller) explain(s signed) {
	for _, waiting := range t.waiting[s.mac] {
		waiting.result.Diagnosis.Findings = otherDelivery(s.source())
		waiting.waits = false
	}
	delete(t.waiting, s.mac)
}

// explainAll finds the causes of a job's results. Whether a signature is that of
// another delivery is looked at last: among captures of one delivery, each broken in
// its way, the way is what people want to know.
func (t *teller) explainAll(findings []finding) {
	var unexplained []*finding
	for i := range findings {
		if findings[i].broken != nil {
			unexplained = append(unexplained, &findings[i])
		}
	}
	t.examiner.examine(unexplained)
	for _, f := range unexplained {
		if f.result.Diagnosis.Cause() != diagnose.Unknown {
			continue
		}
		if mac, ok := macOf(f.result.Received); ok {
			if other, ok := t.index.find(mac); ok {
				f.result.Diagnosis.Findings = otherDelivery(other.source())
			}
		}
	}
}

// next makes a finding ready to be told. One whose cause is unknown waits.
func (t *teller) next(f finding) *told {
	next := &told{finding: f}
	next.broken = nil // it may be large, and has been looked at
	mac, ok := macOf(f.result.Received)
	if !ok || f.result.Diagnosis.Cause() != diagnose.Unknown {
		return next
	}
	for _, other := range t.mixed.add(t.batch.judge.Keys, next, f.broken) {
		t.release(other)
	}
	if next.result.Diagnosis.Cause() == diagnose.Unknown {
		next.waits = true
		t.waiting[mac] = append(t.waiting[mac], next)
	}
	return next
}

// tell tells what waits for nothing, and as much of the rest that no more than the
// given number is left, and no more than can be held.
func (t *teller) tell(most int) error {
	for len(t.queue) > 0 && (len(t.queue) > most || t.held > mostHeld || !t.queue[0].waits) {
		next := t.queue[0]
		t.queue[0] = nil
		t.queue = t.queue[1:]
		t.held -= next.size()
		t.release(next)
		if err := t.one(next); err != nil {
			return err
		}
	}
	return nil
}

// size is the memory of what in a result is as long as somebody else made it.
func (n *told) size() int {
	size := len(n.result.Event) + len(n.result.Payload.ID) + len(n.result.Payload.Reference) +
		len(n.result.Received) + len(n.result.Foreign)
	for _, fault := range n.result.SchemaErrors {
		size += len(fault.Path) + len(fault.Message)
	}
	return size
}

// release lets a result be told that waits.
func (t *teller) release(next *told) {
	if !next.waits {
		return
	}
	next.waits = false
	mac, _ := macOf(next.result.Received)
	t.waiting[mac] = slices.DeleteFunc(t.waiting[mac], func(other *told) bool { return other == next })
	if len(t.waiting[mac]) == 0 {
		delete(t.waiting, mac)
	}
}

func (t *teller) one(next *told) error {
	options := t.batch.options
	switch {
	case next.after != nil:
		return next.after()
	case next.fault != nil:
		return options.Fault(next.name, next.fault)
	}
	return options.Found(next.result)
}
