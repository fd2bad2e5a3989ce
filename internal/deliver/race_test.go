package deliver_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
)

// tlsSender sends to a server that only it trusts.
func tlsSender(server *httptest.Server) *deliver.Sender {
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	transport, _ := http.DefaultTransport.(*http.Transport)
	return &deliver.Sender{
		Client: endpoint.NewClient(transport, endpoint.ClientOptions{Timeout: 10 * time.Second, Roots: roots}),
		Now:    time.Now, NewID: func() string { return "id" },
	}
}

// TestRaceStartsWhenAllAreConnected holds up the last handshake for a while, in which no
// body may come.
func TestRaceStartsWhenAllAreConnected(t *testing.T) {
	t.Parallel()
	const copies = 8
	const held = 100 * time.Millisecond
	var mu sync.Mutex
	handshakes, early := 0, 0
	complete := false
	var bodies []string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if !complete {
			early++
		}
		bodies = append(bodies, string(body))
	}))
	server.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		mu.Lock()
		handshakes++
		last := handshakes == copies
		mu.Unlock()
		if last {
			<-time.After(held)
			mu.Lock()
			defer mu.Unlock()
			complete = true
		}
		return nil, nil
	}}
	server.StartTLS()
	defer server.Close()
	records, err := tlsSender(server).Race(t.Context(), delivery.Request{Method: "POST", URL: server.URL, Body: []byte("the same")}, copies)
	if err != nil || len(records) != copies {
		t.Fatalf("got %d records and error %v", len(records), err)
	}
	for _, record := range records {
		if record.Response == nil || record.Response.Status != 200 || record.Attempt != 1 {
			t.Errorf("got %+v", record)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if handshakes != copies || early != 0 || len(bodies) != copies || slices.ContainsFunc(bodies, func(b string) bool { return b != "the same" }) {
		t.Errorf("%d connections, %d bodies before all were there, bodies %q", handshakes, early, bodies)
	}
}

// TestRaceOverHTTP2TakesAConnectionEach: HTTP/2 would otherwise send all over one.
func TestRaceOverHTTP2TakesAConnectionEach(t *testing.T) {
	t.Parallel()
	const copies = 5
	var mu sync.Mutex
	connections, protocols := map[string]bool{}, map[string]int{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		connections[r.RemoteAddr] = true
		protocols[r.Proto]++
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	sender := tlsSender(server)
	request := delivery.Request{Method: "POST", URL: server.URL, Body: []byte("the same")}
	// The first one leaves a connection open, which the race must not use.
	if _, err := sender.Send(t.Context(), request, 1); err != nil {
		t.Fatal(err)
	}
	records, err := sender.Race(t.Context(), request, copies)
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records {
		if record.Error != nil {
			t.Errorf("got error %+v", record.Error)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(connections) != copies+1 || protocols["HTTP/2.0"] != copies+1 {
		t.Errorf("got %d connections, %v, want %d of HTTP/2", len(connections), protocols, copies+1)
	}
}

// TestRaceGoesOnWithoutOneThatIsLost loses a connection before its body was asked for:
// the others must not wait for it.
func TestRaceGoesOnWithoutOneThatIsLost(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	var mu sync.Mutex
	accepted := 0
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshake that fails is the point
	server.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		if state == http.StateNew {
			if accepted++; accepted == 1 {
				_ = conn.Close()
			}
		}
	}
	server.StartTLS()
	defer server.Close()
	sender := tlsSender(server)
	records, err := sender.Race(t.Context(), delivery.Request{Method: "POST", URL: server.URL, Body: []byte("x")}, 4)
	if err != nil {
		t.Fatal(err)
	}
	answered, lost := 0, 0
	for _, record := range records {
		if record.Error != nil {
			lost++
		} else {
			answered++
		}
	}
	if answered != 3 || lost != 1 {
		t.Errorf("got %d answered and %d lost, want 3 and 1", answered, lost)
	}
}

func TestRaceAgainstNobodyEnds(t *testing.T) {
	t.Parallel()
	records, err := plainSender(t).Race(t.Context(), delivery.Request{Method: "POST", URL: "http://" + refusing(t), Body: []byte("x")}, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records {
		if record.Error == nil || record.Error.Kind != "refused" {
			t.Errorf("got %+v", record)
		}
	}
}
