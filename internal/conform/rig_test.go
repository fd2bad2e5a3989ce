package conform_test

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/examples/go/webhook"
	files "github.com/leapfinancial/m2m/fixtures"
	"github.com/leapfinancial/m2m/internal/conform"
	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/fixtures"
	"github.com/leapfinancial/m2m/internal/sign"
)

const (
	secret = "whsec_conform_test_1"
	apiKey = "m2m_test_conform_c0ffee"
	// deadline bounds whatever a test waits for. A run that works never comes near it.
	deadline = 20 * time.Second
	// brief is the patience of runs in which nothing is to come.
	brief = 100 * time.Millisecond
	// patient is that of runs in which an answer has to come, on a slow machine too.
	patient = 5 * time.Second
)

// TestMain lets more tests run at a time than there are cores: most of a run is waiting.
func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		_ = flag.Set("test.parallel", "32")
	}
	m.Run()
}

// rig runs cases against a server, and knows which case is on.
type rig struct {
	conform.Options
	on atomic.Value
	// starting is told of each case before it is run; it may be nil.
	starting func(id string)

	started []string
	results []conform.Result
	// stop is why the run ended early, err another error of it.
	stop *conform.StopError
	err  error
}

// newRig returns one for the server at a URL.
func newRig(t *testing.T, at string) *rig {
	t.Helper()
	key, err := sign.NewKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	target, err := endpoint.ParseTarget(at)
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := fixtures.Load(files.FS)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Options: conform.Options{
		Spec:      deliver.Spec{Target: target, Key: key, UserAgent: "m2m/test"},
		Catalogue: catalogue, Rand: rand.Reader, Now: time.Now, Patience: brief, Replies: newReplies(t),
	}}
	r.on.Store("")
	r.withTimeout(t, deadline)
	return r
}

// withTimeout gives each delivery as long as that.
func (r *rig) withTimeout(t *testing.T, timeout time.Duration) {
	t.Helper()
	r.Sender = &deliver.Sender{Client: newClient(t, timeout), Now: time.Now, NewID: func() string { return "id" }}
}

func newClient(t *testing.T, timeout time.Duration) *endpoint.Client {
	t.Helper()
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		t.Fatal("the default transport is another one")
	}
	client := endpoint.NewClient(transport, endpoint.ClientOptions{Timeout: timeout})
	t.Cleanup(client.CloseIdle)
	return client
}

func newReplies(t *testing.T) *conform.Replies {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	replies := conform.NewReplies(&url.URL{Scheme: "http", Host: listener.Addr().String()}, time.Now)
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := replies.Serve(ctx, []net.Listener{listener}); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		serving.Wait()
	})
	return replies
}

// behaviour answers a delivery. on is the case that is on, empty before the first.
type behaviour func(on string, w http.ResponseWriter, r *http.Request)

// serve returns a rig for a server that behaves so.
func serve(t *testing.T, behave behaviour) *rig {
	t.Helper()
	var r *rig
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		behave(r.current(), w, request)
	}))
	t.Cleanup(server.Close)
	r = newRig(t, server.URL+"/hooks")
	return r
}

// good is the reference handler as a behaviour.
func good(t *testing.T) behaviour {
	t.Helper()
	handler := reference(t, io.Discard)
	return func(_ string, w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }
}

// reference is the example handler, which writes its effects to a writer.
func reference(t *testing.T, effects io.Writer) http.Handler {
	t.Helper()
	transport := &http.Transport{}
	handler, err := webhook.New(webhook.Config{
		Secret: secret, APIKey: apiKey, Effects: effects, Client: &http.Client{Transport: transport},
		Users: map[string]webhook.User{"user_12345": {
			"name.secondName": "Carlos", "name.secondLastName": "Lopez",
			"idNumber": "GALO900515HDFRPN09", "idType": "CURP", "dob": "1990-05-15",
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		handler.Wait()
		transport.CloseIdleConnections()
	})
	return handler
}

// hang answers nothing until the other side has gone. net/http sees that when the body
// is read.
func hang(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func (r *rig) current() string {
	on, _ := r.on.Load().(string)
	return on
}

// run runs the cases that match the patterns, all where there is none, and returns how
// each ended. It expects that one that was run was started before, in the order of
// Cases, and that nothing but a *StopError ends the run.
func (r *rig) run(t *testing.T, only ...string) map[string]conform.Outcome {
	t.Helper()
	r.play(t.Context(), t, only...)
	if r.err != nil {
		t.Fatalf("the run ended with %v", r.err)
	}
	outcomes := map[string]conform.Outcome{}
	for _, result := range r.results {
		outcomes[result.Case.ID] = result.Outcome
		if result.NotRun && (result.Outcome != conform.Skip || r.stop == nil) {
			t.Errorf("%s: not run is %t, outcome %s", result.Case.ID, result.NotRun, result.Outcome)
		}
	}
	return outcomes
}

// play is run for a run that may end with any error.
func (r *rig) play(ctx context.Context, t *testing.T, only ...string) {
	t.Helper()
	cases, stranger := conform.Select(conform.Cases(), only, nil)
	if stranger != "" {
		t.Fatalf("no case matches %s", stranger)
	}
	err := conform.Run(ctx, cases, r.Options, conform.Watcher{
		Started: func(c conform.Case) {
			if r.starting != nil {
				r.starting(c.ID)
			}
			r.on.Store(c.ID)
			r.started = append(r.started, c.ID)
		},
		Done: func(result conform.Result) error {
			r.results = append(r.results, result)
			return nil
		},
	})
	if !errors.As(err, &r.stop) {
		r.err = err
	}
	results := r.results
	if r.stop != nil && len(results) == len(cases)+1 {
		results = results[1:] // a wall is a finding of its own
	}
	for i, result := range results {
		if i < len(cases) && result.Case.ID != cases[i].ID {
			t.Errorf("result %d is that of %s, want %s", i, result.Case.ID, cases[i].ID)
		}
	}
	if r.err == nil && len(results) != len(cases) {
		t.Errorf("%d results, want %d", len(results), len(cases))
	}
}

// result returns what became of a case.
func (r *rig) result(t *testing.T, id string) conform.Result {
	t.Helper()
	at := slices.IndexFunc(r.results, func(one conform.Result) bool { return one.Case.ID == id })
	if at < 0 {
		t.Fatalf("no result of %s", id)
	}
	return r.results[at]
}
