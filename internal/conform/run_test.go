package conform_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/conform"
)

func TestReferenceHandlerPasses(t *testing.T) {
	t.Parallel()
	r := serve(t, good(t))
	r.Patience = patient
	r.run(t)
	for _, result := range r.results {
		if result.Outcome != conform.Pass || len(result.Records) == 0 {
			t.Errorf("%s: %s: %s (%s)", result.Case.ID, result.Outcome, result.Said, result.Received)
		}
	}
	if r.stop != nil {
		t.Errorf("stopped: %v", r.stop)
	}
}

// TestNothingLeaks is not parallel: it counts goroutines.
func TestNothingLeaks(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("run", func(t *testing.T) {
		serve(t, good(t)).run(t)
		// One that hangs, and is given up.
		hanging := serve(t, func(_ string, _ http.ResponseWriter, r *http.Request) { hang(r) })
		hanging.withTimeout(t, 50*time.Millisecond)
		hanging.run(t, "reject.*")
	})
	for end := time.Now().Add(deadline); runtime.NumGoroutine() > before; {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, there were %d\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(5 * time.Millisecond) // a poll with a deadline, not a guess
	}
}

// TestInterruptedRunTellsWhatItHas ends the context while a case is on.
func TestInterruptedRunTellsWhatItHas(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]int{"accept.link.created": 0, "accept.link.opened": 1, "accept.charset": 6, "data-request.forged": 31} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			errEnough := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			handler := good(t)
			r := serve(t, func(on string, w http.ResponseWriter, r *http.Request) {
				if on == id {
					cancel(errEnough)
					hang(r)
					return
				}
				handler(on, w, r)
			})
			r.play(ctx, t)
			if !errors.Is(r.err, errEnough) {
				t.Errorf("got error %v, want that of the context", r.err)
			}
			if len(r.results) != want {
				t.Errorf("got %d results, want the %d before", len(r.results), want)
			}
		})
	}
}

// TestWatcherEndsTheRun has Done fail for the third case.
func TestWatcherEndsTheRun(t *testing.T) {
	t.Parallel()
	errFull := errors.New("disk full")
	r, told := serve(t, good(t)), 0
	err := conform.Run(t.Context(), conform.Cases(), r.Options, conform.Watcher{
		Started: func(conform.Case) {},
		Done: func(conform.Result) error {
			if told++; told == 3 {
				return errFull
			}
			return nil
		},
	})
	if !errors.Is(err, errFull) || told != 3 {
		t.Errorf("got error %v after %d results, want %v after 3", err, told, errFull)
	}
}

// TestCasesAreStartedBeforeTheyAreDone also looks at a run that goes on after a wall.
func TestCasesAreStartedBeforeTheyAreDone(t *testing.T) {
	t.Parallel()
	handler := good(t)
	for name, behave := range map[string]behaviour{
		"good": handler,
		"404 for two events": func(on string, w http.ResponseWriter, r *http.Request) {
			if event := r.Header.Get("X-M2M-Event"); event == "link.created" || event == "link.opened" {
				http.NotFound(w, r)
				return
			}
			handler(on, w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, behave)
			r.run(t, "accept.*")
			var done []string
			for _, result := range r.results {
				done = append(done, result.Case.ID)
			}
			if !slices.Equal(r.started, done) {
				t.Errorf("started\n%q\nwant\n%q", r.started, done)
			}
		})
	}
}
