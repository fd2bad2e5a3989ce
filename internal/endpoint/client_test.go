package endpoint_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

func TestAnswerIsReadWhole(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Method+" "+r.URL.Path)
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write(append([]byte("got "), body...))
	}))
	defer server.Close()
	got, err := post(t, client(t, endpoint.ClientOptions{}), server.URL+"/webhooks/m2m")
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != 202 || got.StatusText != "Accepted" || got.Truncated {
		t.Errorf("got %d %q, truncated %t, want a whole 202 Accepted", got.Status, got.StatusText, got.Truncated)
	}
	if want := `got {"event":"link.opened"}`; string(got.Body) != want {
		t.Errorf("got body %q, want %q", got.Body, want)
	}
	if want := "POST /webhooks/m2m"; got.Header.Get("X-Seen") != want {
		t.Errorf("got %q, want %q", got.Header.Get("X-Seen"), want)
	}
}

func TestStatusText(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"200 OK":               "OK",
		"200 Fine by me":       "Fine by me",
		"404":                  "Not Found",
		"404 ":                 "Not Found",
		"401 \x1b[2J":          "\x1b[2J", // as it came: whoever prints it makes it harmless
		"499 ":                 "",
		"503 Come back, later": "Come back, later",
	} {
		address := serve(t, answer("HTTP/1.1 "+line+"\r\nContent-Length: 0\r\n\r\n", false))
		got, err := post(t, client(t, endpoint.ClientOptions{}), "http://"+address)
		if err != nil || got.StatusText != want {
			t.Errorf("%q: got %q and error %v, want %q", line, got.StatusText, err, want)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var keys atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-API-Key") != "" {
			keys.Add(1)
		}
	}))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, status))
		request := newPost(t, server.URL)
		request.Header.Set("X-API-Key", "m2m_test_key")
		got, err := client(t, endpoint.ClientOptions{}).Do(t.Context(), request)
		server.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != status || got.Header.Get("Location") != elsewhere.URL {
			t.Errorf("got %d to %q, want %d to %q", got.Status, got.Header.Get("Location"), status, elsewhere.URL)
		}
	}
	if got := keys.Load(); got != 0 {
		t.Errorf("the API key was sent on %d times", got)
	}
}

func TestHeadersAreSpelledAsGiven(t *testing.T) {
	t.Parallel()
	heads := make(chan string, 1)
	address := serve(t, func(conn *net.TCPConn) {
		var head strings.Builder
		for in := bufio.NewReader(conn); !strings.HasSuffix(head.String(), "\r\n\r\n"); {
			line, err := in.ReadString('\n')
			if err != nil {
				break
			}
			head.WriteString(line)
		}
		heads <- head.String()
		_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
	})
	request := newPost(t, "http://"+address+"/webhooks/m2m")
	request.Header["X-M2M-Signature"] = []string{"sha256=00"}
	request.Header["x-lower"] = []string{"1"}
	if _, err := client(t, endpoint.ClientOptions{}).Do(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	head := <-heads
	for _, want := range []string{
		"POST /webhooks/m2m HTTP/1.1\r\n", "\r\nX-M2M-Signature: sha256=00\r\n", "\r\nx-lower: 1\r\n",
	} {
		if !strings.Contains(head, want) {
			t.Errorf("got %q, want %q in it", head, want)
		}
	}
	if strings.Contains(strings.ToLower(head), "accept-encoding") {
		t.Errorf("got %q, want no compression asked for", head)
	}
}

func TestHTTP2OverTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	for name, options := range map[string]endpoint.ClientOptions{
		"with roots": {Roots: roots},
		"insecure":   {Insecure: true},
	} {
		got, err := post(t, client(t, options), server.URL)
		if err != nil || string(got.Body) != "HTTP/2.0" {
			t.Errorf("%s: got %q and error %v, want HTTP/2.0", name, got.Body, err)
		}
	}
}

func TestRootsFromPEM(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	if _, err := endpoint.RootsFromPEM([]byte("not a certificate")); err == nil {
		t.Error("text became a pool of certificates")
	}
	if _, err := endpoint.RootsFromPEM(nil); err == nil {
		t.Error("nothing became a pool of certificates")
	}
	roots, err := endpoint.RootsFromPEM(pemOf(server.Certificate()))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := post(t, client(t, endpoint.ClientOptions{Roots: roots}), server.URL); err != nil || got.Status != 404 {
		t.Errorf("got %d and error %v, want 404", got.Status, err)
	}
}

func TestLongAnswersAreCut(t *testing.T) {
	t.Parallel()
	for size, truncated := range map[int]bool{
		0: false, endpoint.MaxAnswer - 1: false, endpoint.MaxAnswer: false, endpoint.MaxAnswer + 1: true,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte("x"), size))
		}))
		got, err := post(t, client(t, endpoint.ClientOptions{}), server.URL)
		counted, errCounted := post(t, client(t, endpoint.ClientOptions{Discard: true}), server.URL)
		server.Close()
		want := min(size, endpoint.MaxAnswer)
		if err != nil || len(got.Body) != want || got.Length != want || got.Truncated != truncated {
			t.Errorf("%d bytes: got %d, truncated %t, error %v, want %d, truncated %t",
				size, len(got.Body), got.Truncated, err, want, truncated)
		}
		if errCounted != nil || len(counted.Body) != 0 || counted.Length != want || counted.Truncated != truncated {
			t.Errorf("%d bytes, discarded: got %d of %d, truncated %t, error %v, want %d, truncated %t",
				size, len(counted.Body), counted.Length, counted.Truncated, errCounted, want, truncated)
		}
	}
}

// TestTheRestOfAHugeAnswerIsNotRead counts what the server could get rid of: no
// more than what is kept and what the sockets buffer.
func TestTheRestOfAHugeAnswerIsNotRead(t *testing.T) {
	t.Parallel()
	const huge = 100 << 20
	written := make(chan int, 1)
	address := serve(t, func(conn *net.TCPConn) {
		readRequest(conn)
		total, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", huge)
		for block := make([]byte, 64<<10); err == nil && total < huge; {
			var n int
			n, err = conn.Write(block)
			total += n
		}
		written <- total
	})
	got, err := post(t, client(t, endpoint.ClientOptions{}), "http://"+address)
	if err != nil || !got.Truncated || len(got.Body) != endpoint.MaxAnswer {
		t.Fatalf("got %d bytes, truncated %t, error %v", len(got.Body), got.Truncated, err)
	}
	if total := <-written; total > huge/2 {
		t.Errorf("the server wrote %d MiB of %d", total>>20, huge>>20)
	}
}

// TestConnectionsAreKept has ten requests under way at once, twice.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const n = 10
	for kept, most := range map[int]int64{n: n, 1: 2*n - 1} {
		var connections atomic.Int64
		var together sync.WaitGroup
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			together.Done()
			together.Wait()
		}))
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		}
		server.Start()
		c := client(t, endpoint.ClientOptions{Kept: kept})
		for range 2 {
			together.Add(n)
			var posts sync.WaitGroup
			for range n {
				posts.Go(func() {
					if _, err := post(t, c, server.URL); err != nil {
						t.Error(err)
					}
				})
			}
			posts.Wait()
		}
		server.Close()
		// A connection may come back a moment after its answer.
		if got := connections.Load(); kept == n && got > most+n/2 || kept == 1 && got < most {
			t.Errorf("with %d kept: got %d connections, want about %d", kept, got, most)
		}
	}
}

func TestAnswersAreNotUnpacked(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if _, err := zip.Write(make([]byte, 100<<10)); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	}))
	defer server.Close()
	got, err := post(t, client(t, endpoint.ClientOptions{}), server.URL)
	if err != nil || !bytes.Equal(got.Body, packed.Bytes()) || got.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("got %d bytes with encoding %q and error %v, want the %d packed ones",
			len(got.Body), got.Header.Get("Content-Encoding"), err, packed.Len())
	}
}

func TestCancelledContextIsItsCause(t *testing.T) {
	t.Parallel()
	interrupted := errors.New("interrupted")
	for name, text := range map[string]string{
		"before the answer":  "",
		"inside its headers": "HTTP/1.1 200 OK\r\nContent-",
		"inside its body":    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			address := serve(t, func(conn *net.TCPConn) {
				answer(text, false)(conn)
				cancel(interrupted)
				waitForClose(conn)
			})
			_, err := client(t, endpoint.ClientOptions{}).Do(ctx, newPost(t, "http://"+address))
			if !errors.Is(err, interrupted) {
				t.Errorf("got error %v, want %v", err, interrupted)
			}
			var failure *endpoint.Error
			if errors.As(err, &failure) {
				t.Errorf("got a failure of kind %s, which is not the server's", failure.Kind)
			}
		})
	}
}

func TestContextCancelledBeforehand(t *testing.T) {
	t.Parallel()
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(interrupted)
	_, err := client(t, endpoint.ClientOptions{}).Do(ctx, newPost(t, "http://"+unusedAddress(t)))
	if !errors.Is(err, interrupted) {
		t.Errorf("got error %v, want %v", err, interrupted)
	}
}

func TestClientLeavesTheTransportItIsMadeOfAlone(t *testing.T) {
	t.Parallel()
	base := http.DefaultTransport.(*http.Transport).Clone()
	clientOn(t, base, endpoint.ClientOptions{Insecure: true})
	if base.DisableCompression || base.TLSClientConfig != nil && base.TLSClientConfig.InsecureSkipVerify {
		t.Error("the transport has the client's settings")
	}
}
