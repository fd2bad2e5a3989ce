package verify

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// Lines adds the delivery records of a stream, and returns once it is read to its
// end and judged. Lines that are no records are told as faults, and so is a stream
// that ends in an error.
func (b *Batch) Lines(ctx context.Context, name string, blocks *delivery.Blocks) error {
	s := &stream{batch: b, name: name, blocks: blocks}
	var working sync.WaitGroup
	for _, w := range b.workers {
		working.Go(func() { s.work(ctx, w) })
	}
	working.Wait()
	return s.err
}

// stream is read by all workers in turn: who has read a block judges it, while it is
// still in the core's cache.
type stream struct {
	batch *Batch
	name  string

	mu     sync.Mutex
	blocks *delivery.Blocks
	ended  bool
	err    error // what ended it early
}

func (s *stream) work(ctx context.Context, w *worker) {
	for {
		block, j := s.next(ctx)
		if block == nil {
			return
		}
		w.block(s.name, block, &j.out)
		s.blocks.Recycle(block)
		close(j.done)
	}
}

// next reads a block and gives it its place in the order. There is none at the end.
func (s *stream) next(ctx context.Context) (*delivery.Block, *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.ended {
		block, err := s.blocks.Next()
		var skipped *delivery.LineError
		switch {
		case err == nil:
			j := newJob()
			if s.err = s.batch.add(ctx, j); s.err == nil {
				return block, j
			}
		case errors.Is(err, io.EOF):
			s.ended = true
		default:
			s.err = s.batch.Fault(ctx, s.name, err)
			s.ended = !errors.As(err, &skipped)
		}
		s.ended = s.ended || s.err != nil
	}
	return nil, nil
}
