package verify

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// Batch judges any number of captures, streams of records on all cores, in constant
// memory, and tells what it found in the order in which they were added. One
// goroutine adds; the functions of its options are called one at a time, from
// another.
type Batch struct {
	judge   Judge
	options BatchOptions
	// order takes the jobs to the teller, which waits until each is done.
	order chan *job
	told  chan struct{}
	// failed is closed when a function of the options failed with err.
	failed chan struct{}
	err    error
	// workers are those that judge at once; the first one also judges records that
	// stand for themselves.
	workers []*worker

	checked, invalid atomic.Int64
}

// BatchOptions are what a batch does with what it finds.
type BatchOptions struct {
	// All tells good deliveries too. Without it, only those that are not Good, and
	// one that may be the only one.
	All bool
	// Found is called with each result that is told. An error ends the batch.
	Found func(Result) error
	// Several is called once, when it is clear that there is more than one delivery.
	Several func() error
	// Fault is called with what is no delivery, a *delivery.LineError, and with the
	// error that ended a stream.
	Fault func(name string, err error) error
}

// job is some captures that are judged together, or what is to be done when all
// before them were told.
type job struct {
	after func(checked int64) error
	out   outcome
	done  chan struct{}
}

// outcome is what was found in a job.
type outcome struct {
	findings []finding
	// only is the job's first delivery where it may be the batch's only one, and is
	// not among the findings.
	only             *Result
	macs             []signed
	checked, invalid int64
}

// finding is one thing to tell: a result, or a line that is no record.
type finding struct {
	result Result
	// broken is the delivery, where a diagnosis can explain it.
	broken *delivery.Request
	name   string
	fault  error
}

// NewBatch starts a batch, which has to be ended.
func NewBatch(judge Judge, options BatchOptions) *Batch {
	cores := runtime.GOMAXPROCS(0)
	b := &Batch{
		judge: judge, options: options, order: make(chan *job, 4*cores),
		told: make(chan struct{}), failed: make(chan struct{}),
	}
	for range cores {
		b.workers = append(b.workers, newWorker(b))
	}
	go func() {
		defer close(b.told)
		if b.err = newTeller(b).run(b.order); b.err != nil {
			close(b.failed)
		}
	}()
	return b
}

// Record adds one delivery.
func (b *Batch) Record(ctx context.Context, source string, record delivery.Record) error {
	j := newJob()
	b.workers[0].record(source, record, &j.out)
	return b.addDone(ctx, j)
}

// Fault adds what is no delivery.
func (b *Batch) Fault(ctx context.Context, name string, fault error) error {
	j := newJob()
	j.out.findings = append(j.out.findings, finding{name: name, fault: fault})
	return b.addDone(ctx, j)
}

// After has something done when all that was added before has been told, and says
// how many deliveries that were. Its error ends the batch.
func (b *Batch) After(ctx context.Context, do func(checked int64) error) error {
	j := newJob()
	j.after = do
	return b.addDone(ctx, j)
}

func newJob() *job { return &job{done: make(chan struct{})} }

func (b *Batch) addDone(ctx context.Context, j *job) error {
	close(j.done)
	return b.add(ctx, j)
}

// add gives a job its place in the order.
func (b *Batch) add(ctx context.Context, j *job) error {
	select {
	case b.order <- j:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-b.failed:
		return b.err
	}
}

// End waits until everything that was added has been told. The error is that of the
// first function of the options that failed.
func (b *Batch) End() error {
	close(b.order)
	<-b.told
	return b.err
}

// Count returns how many deliveries were judged so far, and how many of them have no
// valid signature. Safe for concurrent use.
func (b *Batch) Count() (checked, invalid int64) {
	return b.checked.Load(), b.invalid.Load()
}

func sourceOf(name string, line int) string { return fmt.Sprintf("%s:%d", name, line) }
