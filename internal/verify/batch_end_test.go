package verify_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/verify"
)

// deadline bounds whatever a test waits for. A batch that works never comes near it.
const deadline = 20 * time.Second

// inTime fails where a batch is stuck.
func inTime(t *testing.T, what string, do func() error) error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- do() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(deadline):
		t.Fatalf("%s is stuck", what)
		return nil
	}
}

// TestBatchEndsWithAnError has one of its functions fail, in the midst of more input
// than a batch holds.
func TestBatchEndsWithAnError(t *testing.T) {
	t.Parallel()
	errFull := errors.New("the disk is full")
	bad := lineOf(t, record(timestamp, zeros, body(1)))
	for name, last := range map[string]string{
		"of Found":   "signature_mismatch f:3",
		"of Fault":   "fault f: line 5: ",
		"of Several": "several",
		"of After":   "after 5",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := story{broken: func(line string) error {
				if strings.HasPrefix(line, last) {
					return errFull
				}
				return nil
			}}
			b := verify.NewBatch(newJudge(t, 0), s.options(true))
			err := inTime(t, "adding", func() error {
				lines := delivery.NewBlocks(strings.NewReader(strings.Repeat(bad, 4) + "{\n" + bad))
				if err := b.Lines(t.Context(), "f", lines); err != nil {
					return err
				}
				for {
					if err := b.After(t.Context(), s.after); err != nil {
						return err
					}
				}
			})
			if !errors.Is(err, errFull) {
				t.Errorf("adding gave %v, want %v", err, errFull)
			}
			if err := inTime(t, "the end", b.End); !errors.Is(err, errFull) {
				t.Errorf("the end gave %v, want %v", err, errFull)
			}
			if got := s.told[len(s.told)-1]; !strings.HasPrefix(got, last) {
				t.Errorf("it went on with %q after the error", got)
			}
		})
	}
}

// TestBatchEndsWithAnErrorThatCameLast has nothing more added after it.
func TestBatchEndsWithAnErrorThatCameLast(t *testing.T) {
	t.Parallel()
	errFull := errors.New("the disk is full")
	s := story{broken: func(string) error { return errFull }}
	b := verify.NewBatch(newJudge(t, 0), s.options(false))
	must(t, b.Record(t.Context(), "f", record(timestamp, zeros, body(1))))
	if err := inTime(t, "the end", b.End); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
}

func TestBatchIsInterrupted(t *testing.T) {
	t.Parallel()
	errInterrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	var s story
	b := verify.NewBatch(newJudge(t, 0), s.options(false))
	good := lineOf(t, signed(t, body(1)))
	endless := io.MultiReader(strings.NewReader(good), endlessly{good}, letters{})
	must(t, b.After(ctx, func(int64) error { cancel(errInterrupted); return nil }))
	err := inTime(t, "reading", func() error { return b.Lines(ctx, "f", delivery.NewBlocks(endless)) })
	if !errors.Is(err, errInterrupted) {
		t.Errorf("got %v, want %v", err, errInterrupted)
	}
	if err := inTime(t, "the end", b.End); err != nil {
		t.Errorf("the end gave %v", err)
	}
}

// endlessly is a stream of the same line.
type endlessly struct{ line string }

func (e endlessly) Read(p []byte) (int, error) {
	n := 0
	for len(p)-n >= len(e.line) {
		n += copy(p[n:], e.line)
	}
	if n == 0 {
		return 0, io.ErrShortBuffer
	}
	return n, nil
}

// TestBatchTellsWhileAStreamIsOpen has a writer that is still at it: what is there
// is told, the unexplained too, which waits for an explanation.
func TestBatchTellsWhileAStreamIsOpen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		goesOn, all bool
		within      time.Duration
	}{
		"nothing more comes":                       {false, false, 3 * time.Second},
		"more comes all the time":                  {true, false, deadline},
		"more comes all the time, and all is told": {true, true, deadline},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, out := io.Pipe()
			told := make(chan string, 1)
			s := story{broken: func(line string) error {
				if strings.HasPrefix(line, "signature_mismatch") {
					told <- line
				}
				return nil
			}}
			b := verify.NewBatch(explaining(t), s.options(c.all))
			read := make(chan error, 1)
			go func() { read <- b.Lines(t.Context(), "f", delivery.NewBlocks(in)) }()
			good := lineOf(t, signed(t, body(1)))
			_, err := io.WriteString(out, good+lineOf(t, record(timestamp, zeros, body(2))))
			must(t, err)
			started := time.Now()
			more := time.NewTicker(20 * time.Millisecond)
			defer more.Stop()
			for waits := true; waits; {
				select {
				case got := <-told:
					waits = false
					if got != "signature_mismatch f:2" {
						t.Errorf("told %q", got)
					}
				case <-more.C:
					if c.goesOn {
						_, err := io.WriteString(out, good)
						must(t, err)
					}
					if time.Since(started) > c.within {
						t.Fatal("it was not told")
					}
				}
			}
			must(t, out.Close())
			must(t, <-read)
			must(t, b.End())
		})
	}
}

// TestBatchLeavesNoGoroutine counts all of the process, and so runs alone.
func TestBatchLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	errFull := errors.New("the disk is full")
	for _, s := range []*story{{}, {broken: func(string) error { return errFull }}} {
		b := verify.NewBatch(newJudge(t, 0), s.options(true))
		for range 100 {
			if err := b.Record(t.Context(), "f", signed(t, body(1))); err != nil {
				break
			}
		}
		if err := b.End(); (err != nil) != (s.broken != nil) {
			t.Errorf("got %v", err)
		}
	}
	for end := time.Now().Add(deadline); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, and %d before", runtime.NumGoroutine(), before)
		}
	}
}
