package conform_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/conform"
)

// mortal is a server that can be ended from within, as a process ends: it listens no
// more, and its connections break off.
type mortal struct {
	listener net.Listener

	mu    sync.Mutex
	dead  bool
	conns map[net.Conn]bool
}

// newMortal returns a rig for one. behave gets the function that ends it.
func newMortal(t *testing.T, behave func(die func(), on string, w http.ResponseWriter, r *http.Request)) *rig {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mortal{listener: listener, conns: map[net.Conn]bool{}}
	r := newRig(t, "http://"+listener.Addr().String()+"/hooks")
	server := &http.Server{
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) { behave(m.die, r.current(), w, request) }),
		ConnState: m.note,
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
	return r
}

func (m *mortal) note(conn net.Conn, state http.ConnState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch state {
	case http.StateNew:
		m.conns[conn] = true
		if m.dead {
			_ = conn.Close() // it was on its way
		}
	case http.StateClosed, http.StateHijacked:
		delete(m.conns, conn)
	case http.StateActive, http.StateIdle:
	}
}

func (m *mortal) die() {
	_ = m.listener.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
	for conn := range m.conns {
		_ = conn.Close()
	}
}

// wantDeath expects that the case is named and fails, that those before it are as they
// were, and that those after it were not run.
func (r *rig) wantDeath(t *testing.T, id, how string) {
	t.Helper()
	if r.stop == nil || !r.stop.Unreachable || r.stop.Said != "the target stopped answering in "+id || !strings.HasSuffix(r.stop.Fix, " --only "+id) {
		t.Fatalf("stopped: %+v, want it to name %s", r.stop, id)
	}
	at := slices.IndexFunc(r.results, func(one conform.Result) bool { return one.Case.ID == id })
	for i, result := range r.results {
		switch {
		case i < at && result.Outcome != conform.Pass:
			t.Errorf("%s came before: got %s: %s (%s)", result.Case.ID, result.Outcome, result.Said, result.Received)
		case i == at && (result.Outcome != conform.Fail || result.Said != "the target stopped answering "+how+" it" || result.Fix == result.Case.Fix || len(result.Records) == 0):
			t.Errorf("%s: got %s: %s", id, result.Outcome, result.Said)
		case i > at && (!result.NotRun || result.Outcome != conform.Skip):
			t.Errorf("%s came after: got %s: %s", result.Case.ID, result.Outcome, result.Said)
		}
	}
}

// TestDeathInACase has the target end on the first delivery of a case.
func TestDeathInACase(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"accept.link.opened", "accept.operation.cancelled", "accept.large", "reject.truncated-signature", "reject.not-json", "reject.get",
		"survive.garbage", "deliver.fast", "deliver.duplicate", "deliver.concurrent-duplicates", "deliver.burst", "data-request.forged",
	} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			handler := good(t)
			r := newMortal(t, func(die func(), on string, w http.ResponseWriter, request *http.Request) {
				if on == id {
					die()
				}
				handler(on, w, request)
			})
			if id == "data-request.forged" {
				r.Patience = patient // the case before has to pass
			}
			r.run(t)
			r.wantDeath(t, id, "in")
		})
	}
}

// TestDeathOfBytes has the target end at the first connection that says what is no HTTP.
func TestDeathOfBytes(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	r := newRig(t, "http://"+listener.Addr().String()+"/hooks")
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go func() {
				defer func() { _ = conn.Close() }()
				if read(bufio.NewReader(conn)).whole {
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
				} else if r.current() == "survive.garbage" {
					_ = listener.Close()
				}
			}()
		}
	}()
	r.run(t, "accept.large", "survive.*", "deliver.*")
	r.wantDeath(t, "survive.garbage", "in")
}

// answerAndDie ends the target when the whole answer is on its way.
func answerAndDie(t *testing.T, die func(), w http.ResponseWriter, r *http.Request, status int) {
	t.Helper()
	_, _ = io.Copy(io.Discard, r.Body) // or closing would break the answer off
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		t.Error("the server cannot give its connection away")
		return
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d \r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status)
	_ = conn.Close()
	die()
}

// TestDeathAfterACase has the target end when it has answered.
func TestDeathAfterACase(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id           string
		status, last int // the answer to the case's last delivery, and which one that is
		only         string
	}{
		{"accept.charset", 200, 1, "accept.*"},
		{"reject.not-json", 400, 1, "reject.*"},
		{"deliver.duplicate", 200, 2, "deliver.*"},
		{"reject.get", 405, 1, "reject.*"}, // the last of its run
	} {
		t.Run(c.id, func(t *testing.T) {
			t.Parallel()
			handler, count := good(t), 0
			r := newMortal(t, func(die func(), on string, w http.ResponseWriter, request *http.Request) {
				if on == c.id {
					if count++; count == c.last {
						answerAndDie(t, die, w, request, c.status)
						return
					}
				}
				handler(on, w, request)
			})
			r.run(t, c.only)
			r.wantDeath(t, c.id, "after")
		})
	}
}

// TestHangsForEver has the target answer nothing from a case on.
func TestHangsForEver(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"accept.unicode", "reject.stale", "deliver.concurrent-duplicates"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			handler := good(t)
			var hanging atomic.Bool
			r := serve(t, func(on string, w http.ResponseWriter, request *http.Request) {
				if on == id {
					hanging.Store(true)
				}
				if hanging.Load() {
					hang(request)
					return
				}
				handler(on, w, request)
			})
			r.starting = func(now string) {
				if now == id {
					r.Sender.Client = newClient(t, 100*time.Millisecond)
				}
			}
			r.run(t)
			r.wantDeath(t, id, "in")
		})
	}
}

// TestRestart has the target break connections off and be there again a moment later.
func TestRestart(t *testing.T) {
	t.Parallel()
	handler, began := good(t), time.Now()
	const id = "reject.truncated-signature"
	var down atomic.Int32 // how many more connections break off
	r := serve(t, func(on string, w http.ResponseWriter, request *http.Request) {
		if on == id && request.Header.Get("X-M2M-Event") == operation {
			down.Store(3)
		}
		if down.Add(-1) >= 0 {
			panic(http.ErrAbortHandler)
		}
		handler(on, w, request)
	})
	// However slow the machine is, the target is back within a second of this clock.
	r.Now = func() time.Time { return began.Add(time.Since(began) / 20) }
	r.run(t, "accept.*", "reject.*")
	if r.stop != nil {
		t.Fatalf("stopped: %v", r.stop)
	}
	for _, result := range r.results {
		want := conform.Pass
		if result.Case.ID == id {
			want = conform.Warn
		}
		if result.Outcome != want || result.NotRun {
			t.Errorf("%s: got %s: %s, want %s", result.Case.ID, result.Outcome, result.Said, want)
		}
	}
	if got := down.Load(); got >= 0 {
		t.Errorf("%d connections more were to break off", got+1)
	}
}
