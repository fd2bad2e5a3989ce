package examples_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	files "github.com/leapfinancial/m2m/fixtures"
	"github.com/leapfinancial/m2m/internal/conform"
	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/fixtures"
	"github.com/leapfinancial/m2m/internal/sign"
)

// This file turns the handlers around: they are what the conformance suite of m2m test is
// tested with.

// The patience of a case: with what has to come, on a slow machine too, and with what
// must not.
const (
	untilItComes  = deadline
	untilItDoesnt = time.Second
)

// TestMain lets more tests run at a time than there are cores: most of them wait.
func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		_ = flag.Set("test.parallel", "12")
	}
	m.Run()
}

// TestSuitePassesTheReferenceHandlers expects no more than "pass" of them, effects
// counted.
func TestSuitePassesTheReferenceHandlers(t *testing.T) {
	t.Parallel()
	for name, command := range handlers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantSuite(t, command(t), "", nil)
		})
	}
}

// found is what the suite makes of each habit, beside passes.
func found() map[string]map[string]conform.Outcome {
	const warn, fail = conform.Warn, conform.Fail
	return map[string]map[string]conform.Outcome{
		"":                       {},
		"reserializes":           {"accept.exact-bytes": fail},
		"no-freshness":           {"reject.stale": warn, "reject.future": warn},
		"empty-key":              {"reject.empty-key": fail},
		"leaks-key":              {"data-request.forged": fail},
		"races":                  {"deliver.concurrent-duplicates": fail},
		"duplicates":             {"deliver.duplicate": fail, "deliver.concurrent-duplicates": fail},
		"refuses-unknown-events": {"accept.unknown-event": warn},
		"refuses-unknown-fields": {"accept.unknown-fields": fail},
		"crashes": {
			"reject.missing-signature": warn, "reject.empty-signature": warn, "reject.truncated-signature": warn,
			"reject.not-json": warn,
		},
		"parses-charset":        {"accept.charset": fail},
		"ignores-data-requests": {"data-request.answered": warn},
		"small-bodies":          {"accept.large": warn},
		"acts-on-get":           {"reject.get": warn},
		"refuses-out-of-order":  {"deliver.out-of-order": fail},
		"open": {
			"reject.missing-signature": fail, "reject.empty-signature": fail, "reject.truncated-signature": fail,
			"reject.wrong-secret": fail, "reject.empty-key": fail, "reject.missing-timestamp": fail,
			"reject.tampered-body": fail, "reject.tampered-timestamp": fail,
			"reject.stale": warn, "reject.future": warn, "data-request.forged": fail,
		},
	}
}

func TestSuiteFindsEachHabitAndNoOther(t *testing.T) {
	t.Parallel()
	for habit := range habits() {
		if _, known := found()[habit]; !known && habit != "late" {
			t.Errorf("nobody says what the suite makes of the habit %s", habit)
		}
	}
	for name, command := range careless() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := command(t)
			for habit, want := range found() {
				t.Run("habit "+habit, func(t *testing.T) {
					t.Parallel()
					wantSuite(t, program, habit, want)
				})
			}
		})
	}
}

// TestSuiteFindsLateHandlers looks at a clock that runs faster than the handler's.
func TestSuiteFindsLateHandlers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		delay string        // of the handler, in seconds
		speed time.Duration // of the clock
		want  conform.Outcome
	}{{"0", 1, conform.Pass}, {"0.5", 11, conform.Warn}, {"0.5", 100, conform.Fail}}
	for name, command := range careless() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := command(t)
			for _, c := range tests {
				t.Run(string(c.want), func(t *testing.T) {
					t.Parallel()
					h := start(t, program, "HABIT=late", "M2M_CARELESS_DELAY="+c.delay)
					options, began := suiteOptions(t, h), time.Now()
					options.Sender.Now = func() time.Time { return began.Add(c.speed * time.Since(began)) }
					if got := suite(t, options, "deliver.fast"); got["deliver.fast"] != c.want {
						t.Errorf("deliver.fast: got %s, want %s", got["deliver.fast"], c.want)
					}
				})
			}
		})
	}
}

// wantSuite runs all cases against a handler with effects to count, and expects those
// outcomes, and that the others pass.
func wantSuite(t *testing.T, program []string, habit string, want map[string]conform.Outcome) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "effects.txt")
	h := start(t, program, "HABIT="+habit, "M2M_API_KEY="+testKey, "M2M_EFFECTS_FILE="+path)
	options := suiteOptions(t, h)
	options.Probe = func(context.Context) (int, error) {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // nothing was recorded yet
		}
		return bytes.Count(text, []byte("\n")), err
	}
	const answered, forged = "data-request.answered", "data-request.forged"
	got := map[string]conform.Outcome{}
	options.Patience = untilItComes
	if want[answered] != "" {
		options.Patience = untilItDoesnt
	}
	maps.Copy(got, suite(t, options, "accept.*", "reject.*", "survive.*", "deliver.*", answered))
	options.Patience = untilItDoesnt
	if want[forged] != "" {
		options.Patience = untilItComes
	}
	maps.Copy(got, suite(t, options, forged))
	if len(got) != len(conform.Cases()) {
		t.Errorf("%d outcomes, want %d", len(got), len(conform.Cases()))
	}
	for id, outcome := range got {
		expected := want[id]
		if expected == "" {
			expected = conform.Pass
		}
		if outcome != expected {
			t.Errorf("%s: got %s, want %s", id, outcome, expected)
		}
	}
}

// suite runs the cases that match the patterns, and returns how they ended.
func suite(t *testing.T, options conform.Options, only ...string) map[string]conform.Outcome {
	t.Helper()
	cases, stranger := conform.Select(conform.Cases(), only, nil)
	if stranger != "" {
		t.Fatalf("no case matches %s", stranger)
	}
	outcomes := map[string]conform.Outcome{}
	err := conform.Run(t.Context(), cases, options, conform.Watcher{
		Started: func(conform.Case) {},
		Done: func(result conform.Result) error {
			outcomes[result.Case.ID] = result.Outcome
			if result.Outcome != conform.Pass {
				t.Logf("%s: %s: %s: %s", result.Case.ID, result.Outcome, result.Said, result.Received)
			}
			return nil
		},
	})
	if err != nil {
		t.Error(err)
	}
	return outcomes
}

// suiteOptions returns what a run against a handler needs.
func suiteOptions(t *testing.T, h *handler) conform.Options {
	t.Helper()
	key, err := sign.NewKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	target, err := endpoint.ParseTarget(h.url)
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := fixtures.Load(files.FS)
	if err != nil {
		t.Fatal(err)
	}
	client := endpoint.NewClient(&http.Transport{}, endpoint.ClientOptions{Timeout: deadline})
	t.Cleanup(client.CloseIdle)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	replies := conform.NewReplies(&url.URL{Scheme: "http", Host: listener.Addr().String()}, time.Now)
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { _ = replies.Serve(ctx, []net.Listener{listener}) })
	t.Cleanup(func() {
		stop()
		serving.Wait()
	})
	return conform.Options{
		Spec:      deliver.Spec{Target: target, Key: key, UserAgent: "m2m/test"},
		Sender:    &deliver.Sender{Client: client, Now: time.Now, NewID: rand.Text},
		Catalogue: catalogue, Rand: rand.Reader, Now: time.Now, Replies: replies,
	}
}
