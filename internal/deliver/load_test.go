package deliver_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	files "github.com/leapfinancial/m2m/fixtures"
	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/fixtures"
	"github.com/leapfinancial/m2m/internal/load"
	"github.com/leapfinancial/m2m/internal/sign"
)

func newPress(tb testing.TB, random io.Reader, names ...string) *fixtures.Press {
	tb.Helper()
	catalogue, err := fixtures.Load(files.FS)
	if err != nil {
		tb.Fatal(err)
	}
	options := fixtures.PressOptions{Rand: random}
	for _, name := range names {
		event, err := catalogue.Event(name)
		if err != nil {
			tb.Fatal(err)
		}
		options.Events = append(options.Events, event)
	}
	press, err := fixtures.NewPress(options)
	if err != nil {
		tb.Fatal(err)
	}
	return press
}

// newLoad returns a load of 50 deliveries in half a second, which a busy machine can do,
// too.
func newLoad(tb testing.TB, target string, headers ...string) *deliver.Load {
	tb.Helper()
	client := endpoint.NewClient(&http.Transport{}, endpoint.ClientOptions{Timeout: 10 * time.Second, Kept: 50, Discard: true})
	tb.Cleanup(client.CloseIdle)
	return &deliver.Load{
		Client: client, Spec: newSpec(tb, target, headers...), Press: newPress(tb, rand.Reader, "link.created", "operation.created"),
		Now: time.Now, Rate: deliver.Rate{Count: 100, Per: time.Second}, Duration: 500 * time.Millisecond, Connections: 50,
	}
}

// seen is what a server was sent.
type seen struct {
	header http.Header
	body   []byte
}

// watch answers with the status and keeps what came.
func watch(tb testing.TB, status int) (url string, all func() []seen) {
	tb.Helper()
	var mu sync.Mutex
	var list []seen
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		list = append(list, seen{r.Header.Clone(), body})
		mu.Unlock()
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "four")
	}))
	tb.Cleanup(server.Close)
	return server.URL + "/hooks", func() []seen {
		mu.Lock()
		defer mu.Unlock()
		return list
	}
}

func TestALoadIsAsLargeAsItsRateAndDurationSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rate     deliver.Rate
		duration time.Duration
		want     int
	}{
		{deliver.Rate{Count: 100, Per: time.Second}, 500 * time.Millisecond, 50},
		{deliver.Rate{Count: 1, Per: time.Hour}, time.Millisecond, 1},
		{deliver.Rate{Count: 10, Per: time.Second}, 101 * time.Millisecond, 2},
		{deliver.Rate{Count: 3, Per: 100 * time.Millisecond}, 100 * time.Millisecond, 3},
	} {
		url, all := watch(t, http.StatusOK)
		l := newLoad(t, url)
		l.Rate, l.Duration = c.rate, c.duration
		results := 0
		bytes, err := l.Run(t.Context(), func(r load.Result) {
			results++
			if r.Status != http.StatusOK || r.Failure != nil || r.GivenUp || r.Latency <= 0 || r.Sent.IsZero() {
				t.Errorf("got result %+v", r)
			}
		})
		length := 0
		for _, one := range all() {
			length += len(one.body)
		}
		if err != nil || results != c.want || len(all()) != c.want || bytes.In != int64(4*c.want) || bytes.Out != int64(length) {
			t.Errorf("%v for %s: got %d results, %d requests, %+v and %v, want %d", c.rate, c.duration, results, len(all()), bytes, err, c.want)
		}
	}
}

func TestEachDeliveryOfALoadIsFreshAndSigned(t *testing.T) {
	t.Parallel()
	url, all := watch(t, http.StatusOK)
	l := newLoad(t, url, "X-Trace: 17", "User-Agent: mine")
	began := time.Now()
	if _, err := l.Run(t.Context(), func(load.Result) {}); err != nil {
		t.Fatal(err)
	}
	verifier := sign.NewVerifier([]sign.Key{l.Spec.Key})
	ids, events := map[string]bool{}, map[string]int{}
	for _, one := range all() {
		verdict := verifier.Verify(sign.Message{
			Signature: one.header.Get(delivery.SignatureHeader), Timestamp: one.header.Get(delivery.TimestampHeader),
			HasSignature: true, HasTimestamp: true, Body: one.body,
		}, sign.Clock{Now: began, Tolerance: time.Minute})
		payload, err := delivery.ReadPayload(one.body)
		if !verdict.Valid() || err != nil || one.header.Get(delivery.EventHeader) != payload.Event {
			t.Fatalf("got verdict %+v, header %v, body %s", verdict, one.header, one.body)
		}
		ids[payload.ID] = true
		events[payload.Event]++
		for name, want := range map[string]string{"Content-Type": "application/json", "X-Trace": "17", "User-Agent": "mine", "X-Vegeta-Seq": "", "X-Vegeta-Attack": ""} {
			if got := one.header.Get(name); got != want {
				t.Fatalf("%s: got %q, want %q", name, got, want)
			}
		}
	}
	if len(ids) != 50 || events["link.created"] != 25 || events["operation.created"] != 25 {
		t.Errorf("got %d different ids, events %v", len(ids), events)
	}
}

func TestWhatTheUserSetsStays(t *testing.T) {
	t.Parallel()
	url, all := watch(t, http.StatusOK)
	l := newLoad(t, url, "x-m2m-signature: forged", "x-m2m-timestamp:", "Content-Type: text/plain")
	l.Rate = deliver.Rate{Count: 20, Per: time.Second}
	if _, err := l.Run(t.Context(), func(load.Result) {}); err != nil {
		t.Fatal(err)
	}
	for _, one := range all() {
		_, timestamp := one.header[http.CanonicalHeaderKey(delivery.TimestampHeader)]
		if one.header.Get(delivery.SignatureHeader) != "forged" || timestamp || one.header.Get("Content-Type") != "text/plain" {
			t.Errorf("got %v", one.header)
		}
	}
}

func TestALoadFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	url, all := watch(t, http.StatusFound)
	l := newLoad(t, url)
	if _, err := l.Run(t.Context(), func(r load.Result) {
		if r.Status != http.StatusFound {
			t.Errorf("got %+v", r)
		}
	}); err != nil || len(all()) != 50 {
		t.Errorf("got %d requests and %v, want 50", len(all()), err)
	}
}

func TestALoadTellsWhyThereIsNoAnswer(t *testing.T) {
	t.Parallel()
	address, requests := rawServer(t, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
	go func() {
		for range requests { // only so that the server goes on
		}
	}()
	l := newLoad(t, "http://"+address+"/hooks")
	kinds := map[string]int{}
	_, err := l.Run(t.Context(), func(r load.Result) {
		if r.Failure == nil || r.Failure.Message == "" || r.Status != 0 || r.GivenUp {
			t.Errorf("got %+v", r)
			return
		}
		kinds[r.Failure.Kind]++
	})
	if err != nil || kinds["reset"] != 50 || len(kinds) != 1 {
		t.Errorf("got %v and %v, want 50 of reset", kinds, err)
	}
}

func TestALoadThatNothingAnswersEndsEarly(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	l := newLoad(t, server.URL)
	l.Rate, l.Duration = deliver.Rate{Count: 1000, Per: time.Second}, time.Hour
	failures := 0
	_, err := l.Run(t.Context(), func(r load.Result) {
		if r.Failure != nil {
			failures++
		}
	})
	if !errors.Is(err, deliver.ErrHopeless) || failures < 100 || failures > 2000 {
		t.Errorf("got %d failures and %v", failures, err)
	}
}

// TestALoadGoesOnWhileSomethingAnswers has a handler that answers once, and then never.
func TestALoadGoesOnWhileSomethingAnswers(t *testing.T) {
	t.Parallel()
	var answered atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if answered.Swap(true) {
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	l := newLoad(t, server.URL)
	l.Rate, l.Duration = deliver.Rate{Count: 300, Per: time.Second}, time.Second
	failures := 0
	if _, err := l.Run(t.Context(), func(r load.Result) {
		if r.Failure != nil {
			failures++
		}
	}); err != nil || failures != 299 {
		t.Errorf("got %d failures and %v, want 299", failures, err)
	}
}

func TestALoadIsInterrupted(t *testing.T) {
	t.Parallel()
	stopped := errors.New("enough")
	for name, rate := range map[string]deliver.Rate{"with deliveries under way": {Count: 100, Per: time.Second}, "between two deliveries": {Count: 1, Per: time.Hour}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				cancel(stopped)
				<-r.Context().Done()
			}))
			defer server.Close()
			l := newLoad(t, server.URL)
			l.Rate, l.Duration = rate, 3*time.Hour
			_, err := l.Run(ctx, func(r load.Result) {
				if !r.GivenUp || r.Failure != nil {
					t.Errorf("got %+v, want one given up", r)
				}
			})
			if !errors.Is(err, stopped) {
				t.Errorf("got error %v, want the cause", err)
			}
		})
	}
}

func TestALoadKeepsToItsConnections(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() { //nolint:revive // all is in the condition
		}
		time.Sleep(20 * time.Millisecond) // what is loaded takes its time
	}))
	defer server.Close()
	l := newLoad(t, server.URL)
	l.Rate, l.Duration, l.Connections = deliver.Rate{Count: 1000, Per: time.Second}, 1500*time.Millisecond, 3
	var first, last time.Time
	count := 0
	if _, err := l.Run(t.Context(), func(r load.Result) {
		if count++; count == 1 || r.Sent.Before(first) {
			first = r.Sent
		}
		if r.Sent.After(last) {
			last = r.Sent
		}
	}); err != nil {
		t.Fatal(err)
	}
	if most.Load() > 3 || count == 0 || count >= 750 {
		t.Errorf("got %d at once and %d in all, want at most 3, and far fewer than the 1500 planned", most.Load(), count)
	}
	// What is hopelessly behind has no overtime.
	if took := last.Sub(first); took > 2300*time.Millisecond {
		t.Errorf("deliveries were sent for %s, want 1.5 s", took)
	}
}

func TestALoadWithoutPayloads(t *testing.T) {
	t.Parallel()
	url, all := watch(t, http.StatusOK)
	l := newLoad(t, url)
	broken := errors.New("no randomness")
	l.Press = newPress(t, iotest.ErrReader(broken), "link.created")
	if _, err := l.Run(t.Context(), func(load.Result) {}); !errors.Is(err, broken) || len(all()) != 0 {
		t.Errorf("got %d requests and %v, want the press's error", len(all()), err)
	}
}
