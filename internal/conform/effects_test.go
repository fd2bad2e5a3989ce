package conform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/conform"
)

// effects counts whole lines, as wc -l does.
type effects struct{ n atomic.Int64 }

func (e *effects) Write(p []byte) (int, error) {
	e.n.Add(int64(bytes.Count(p, []byte("\n"))))
	return len(p), nil
}

func (e *effects) probe(context.Context) (int, error) { return int(e.n.Load()), nil }

// ledger is a handler that acknowledges everything, and has an effect for each operation:
// at once or late, once or each time that it comes.
type ledger struct {
	effects
	late     time.Duration
	repeats  bool
	queue    bool // late counts from the effect before
	waiting  time.Duration
	mu       sync.Mutex
	recorded map[string]bool
}

func (l *ledger) serve(_ string, _ http.ResponseWriter, r *http.Request) {
	var payload struct{ Data struct{ OperationID string } }
	if json.NewDecoder(r.Body).Decode(&payload) != nil || payload.Data.OperationID == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.recorded[payload.Data.OperationID] && !l.repeats {
		return
	}
	if l.recorded == nil {
		l.recorded = map[string]bool{}
	}
	l.recorded[payload.Data.OperationID] = true
	if l.late == 0 {
		l.n.Add(1)
		return
	}
	if l.queue {
		l.waiting += l.late
	} else {
		l.waiting = l.late
	}
	time.AfterFunc(l.waiting, func() { l.n.Add(1) })
}

func TestEffects(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		ledger *ledger
		want   conform.Outcome
		said   string // of deliver.duplicate
	}{
		{"one", &ledger{}, conform.Pass, "all accepted, with one effect"},
		{"one, late", &ledger{late: 300 * time.Millisecond}, conform.Pass, "all accepted, with one effect"},
		{"each time", &ledger{repeats: true}, conform.Fail, "it has 2 effects"},
		{"each time, late", &ledger{repeats: true, late: 300 * time.Millisecond}, conform.Fail, "it has 2 effects"},
		{"each time, late and one after the other", &ledger{repeats: true, late: 600 * time.Millisecond, queue: true}, conform.Fail, "it has 2 effects"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, c.ledger.serve)
			r.Probe = c.ledger.probe
			// deliver.fast goes before: its effect is not the next case's.
			got := r.run(t, "deliver.fast", "deliver.duplicate", "deliver.concurrent-duplicates", "deliver.out-of-order")
			if got["deliver.duplicate"] != c.want || got["deliver.concurrent-duplicates"] != c.want || !strings.HasPrefix(r.result(t, "deliver.duplicate").Said, c.said) {
				t.Errorf("got %v and %q, want %s: %s", got, r.result(t, "deliver.duplicate").Said, c.want, c.said)
			}
			if got["deliver.fast"] != conform.Pass || got["deliver.out-of-order"] != conform.Pass {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestSecondEffectLater has the second effect come after the first was seen.
func TestSecondEffectLater(t *testing.T) {
	t.Parallel()
	var e effects
	var seen atomic.Bool
	r := serve(t, func(on string, _ http.ResponseWriter, _ *http.Request) {
		if on == "deliver.duplicate" && seen.CompareAndSwap(false, true) {
			e.n.Add(1)
			time.AfterFunc(200*time.Millisecond, func() { e.n.Add(1) })
		}
	})
	r.Probe = e.probe
	if got := r.run(t, "deliver.duplicate")["deliver.duplicate"]; got != conform.Fail {
		t.Errorf("got %s, want %s", got, conform.Fail)
	}
}

// TestNoEffect has a probe that counts something else.
func TestNoEffect(t *testing.T) {
	t.Parallel()
	r := serve(t, good(t))
	r.Probe = func(context.Context) (int, error) { return 7, nil }
	r.run(t, "deliver.duplicate")
	got := r.result(t, "deliver.duplicate")
	if got.Outcome != conform.Warn || got.Said != "the probe counted no effect within 5s" || got.Fix == got.Case.Fix {
		t.Errorf("got %s: %s (%s)", got.Outcome, got.Said, got.Fix)
	}
}

// TestOthersDoNotCount has the probe asked for the two cases that are about it alone, and
// a refused repeat judged without it.
func TestOthersDoNotCount(t *testing.T) {
	t.Parallel()
	r := serve(t, func(on string, w http.ResponseWriter, _ *http.Request) {
		if on == "deliver.duplicate" {
			w.WriteHeader(http.StatusConflict)
		}
	})
	asked := map[string]int{}
	r.Probe = func(context.Context) (int, error) {
		asked[r.current()]++
		return len(asked), nil
	}
	r.run(t, "accept.*", "reject.*", "deliver.duplicate", "deliver.burst", "survive.*")
	if len(asked) != 1 || asked["deliver.duplicate"] == 0 {
		t.Errorf("asked in %v, want in deliver.duplicate alone", asked)
	}
	if got := r.result(t, "deliver.duplicate").Said; got != "2 of 2 refused" {
		t.Errorf("got %s", got)
	}
}

func TestProbeFails(t *testing.T) {
	t.Parallel()
	errNoTable := errors.New("no table operations")
	for name, working := range map[string]int{"before": 0, "while it waits": 2, "after": 22} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, good(t))
			r.Probe = func(context.Context) (int, error) {
				if working--; working < 0 {
					return 0, errNoTable
				}
				return 0, nil
			}
			r.play(t.Context(), t, "deliver.fast", "deliver.duplicate", "deliver.burst")
			if !errors.Is(r.err, errNoTable) || len(r.results) != 1 {
				t.Errorf("got %v and %d results, want the probe's error and the one case before it", r.err, len(r.results))
			}
		})
	}
}

// TestReferenceHandlerHasOneEffect counts with its own writer.
func TestReferenceHandlerHasOneEffect(t *testing.T) {
	t.Parallel()
	var e effects
	handler := reference(t, &e)
	r := serve(t, func(_ string, w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) })
	r.Probe = e.probe
	r.run(t, "deliver.*")
	for _, result := range r.results {
		if result.Outcome != conform.Pass {
			t.Errorf("%s: %s: %s", result.Case.ID, result.Outcome, result.Said)
		}
	}
}
