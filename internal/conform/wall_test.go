package conform_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/conform"
)

func status(code int) behaviour {
	return func(_ string, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func badRequest(text string) behaviour {
	return func(_ string, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, text)
	}
}

func redirect(location string) behaviour {
	return func(_ string, w http.ResponseWriter, r *http.Request) {
		to := strings.ReplaceAll(location, "HOST", r.Host)
		if to != "" {
			w.Header().Set("Location", to)
		}
		w.WriteHeader(http.StatusFound)
	}
}

// wantWall expects one finding, and a run that has ended with it.
func (r *rig) wantWall(t *testing.T, said, fix string, unreachable bool) {
	t.Helper()
	host := r.Spec.Target.URL.Host
	said, fix = strings.ReplaceAll(said, "HOST", host), strings.ReplaceAll(fix, "HOST", host)
	if r.stop == nil || !strings.Contains(r.stop.Said, said) || !strings.Contains(r.stop.Fix, fix) || r.stop.Unreachable != unreachable {
		t.Fatalf("stopped: %+v, want %q, %q and unreachable %t", r.stop, said, fix, unreachable)
	}
	if len(r.results) == 0 || r.results[0].Case.ID != "accept.link.created" {
		t.Fatalf("there is no finding among %d results", len(r.results))
	}
	for i, result := range r.results {
		want := conform.Skip
		if i == 0 {
			want = conform.Fail
			if result.Said != r.stop.Said || result.NotRun || !strings.Contains(strings.ToLower(result.Fix), strings.ToLower(fix)) || !strings.HasSuffix(result.Fix, ".") {
				t.Errorf("the finding is %q, %q", result.Said, result.Fix)
			}
		}
		if result.Outcome != want {
			t.Errorf("%s: %s: %s, want %s", result.Case.ID, result.Outcome, result.Said, want)
		}
		if want == conform.Skip && (!result.NotRun || !strings.Contains(result.Said, r.stop.Said) || len(result.Records) > 0) {
			t.Errorf("%s: was not skipped: %s", result.Case.ID, result.Said)
		}
	}
}

func TestWalls(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		behave    behaviour
		said, fix string
	}{
		{"404", status(404), "there is no handler at the path /hooks: every delivery is answered 404", "name the path of your handler: --to http://HOST/PATH"},
		{"410", status(410), "there is no handler at the path /hooks: every delivery is answered 410", "--to http://HOST/PATH"},
		{"405", status(405), "the path /hooks takes no POST: every delivery is answered 405", "route POST to it"},
		{"501", status(501), "the path /hooks takes no POST: every delivery is answered 501", "route POST to it"},
		{"a login page", redirect("/login?next=/hooks"), "every delivery is redirected to /login?next=/hooks", "leave the handler's path out of it"},
		{"HTTPS", redirect("https://HOST/hooks"), "every delivery is redirected to https://HOST/hooks", "the target needs HTTPS: pass --to https://HOST/hooks"},
		{"a slash more", redirect("/hooks/"), "every delivery is redirected to /hooks/", "--to http://HOST/hooks/"},
		{"a redirect to nowhere", redirect(""), "every delivery is answered by a redirect that leads nowhere", "have the handler answer itself"},
		{"nginx's port of TLS", badRequest("<title>400 The plain HTTP request was sent to HTTPS port</title>"), "the target needs HTTPS", "pass --to https://HOST/hooks"},
		{"Apache's port of TLS", badRequest("You're speaking plain HTTP to an SSL-enabled server port."), "the target needs HTTPS", "pass --to https://HOST/hooks"},
		{"426", status(426), "the target needs HTTPS", "pass --to https://HOST/hooks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, c.behave)
			r.run(t)
			r.wantWall(t, c.said, c.fix, false)
			if got := r.result(t, "accept.link.created"); len(got.Records) != 1 || got.Sent == "" || got.Received == "" {
				t.Errorf("the finding has %d records, sent %q, received %q", len(got.Records), got.Sent, got.Received)
			}
			// Whoever asks for other cases is told, too.
			rest := serve(t, c.behave)
			rest.run(t, "reject.*")
			rest.wantWall(t, c.said, c.fix, false)
		})
	}
}

func TestPlainHTTPToATLSPort(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	r := newRig(t, strings.Replace(server.URL, "https:", "http:", 1)+"/hooks")
	r.run(t)
	r.wantWall(t, "the target needs HTTPS", "pass --to https://HOST/hooks", false)
}

// TestNotAWall has some events refused, or all of them by what may be the handler itself.
func TestNotAWall(t *testing.T) {
	t.Parallel()
	handler := good(t)
	only := func(status int, events string) behaviour {
		return func(on string, w http.ResponseWriter, r *http.Request) {
			if strings.Contains(events, r.Header.Get("X-M2M-Event")+" ") {
				w.WriteHeader(status)
				return
			}
			handler(on, w, r)
		}
	}
	const four = "link.created link.opened user.data_request operation.created "
	for name, behave := range map[string]behaviour{
		"404 for the first event":    only(404, "link.created "),
		"404 for another event":      only(404, "operation.created "),
		"404 for all events but one": only(404, four),
		"405 for all events but one": only(405, four),
		"401 for all":                status(401), "500 for all": status(500), "403 for all": status(403), "413 for all": status(413),
		"400 in other words": badRequest("the signature is malformed"),
		"400 with a link":    badRequest(`{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Bad Request"}`),
		"404 for one, no answer for the next": func(on string, w http.ResponseWriter, r *http.Request) {
			switch r.Header.Get("X-M2M-Event") {
			case "link.created":
				w.WriteHeader(http.StatusNotFound)
			case "link.opened":
				panic(http.ErrAbortHandler)
			default:
				handler(on, w, r)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, behave)
			r.run(t, "accept.*")
			if r.stop != nil {
				t.Fatalf("stopped: %v", r.stop)
			}
			for _, result := range r.results {
				if result.NotRun || len(result.Records) == 0 {
					t.Errorf("%s was not run: %s", result.Case.ID, result.Said)
				}
			}
		})
	}
}

// connections serves each connection by hand, and returns the target.
func connections(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go func() {
				defer func() { _ = conn.Close() }()
				answer(conn)
			}()
		}
	}()
	return "http://" + listener.Addr().String() + "/hooks"
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		target func(*testing.T) string
		said   string
	}{
		{"nothing listens", func(t *testing.T) string {
			t.Helper()
			// The port belongs to a connection, so that no other test gets it.
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			_ = listener.Close()
			return "http://" + conn.LocalAddr().String() + "/hooks"
		}, "connection refused: nothing listens on HOST"},
		{"never answers", func(t *testing.T) string {
			t.Helper()
			return connections(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
		}, "no whole answer from HOST within 300ms"},
		{"another language", func(t *testing.T) string {
			t.Helper()
			return connections(t, func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 4096)) // let it begin
				_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.6\r\n")
			})
		}, "HOST does not answer in HTTP"},
		{"closes at once", func(t *testing.T) string {
			t.Helper()
			return connections(t, func(net.Conn) {})
		}, "HOST closed the connection before its answer was whole"},
		{"half an answer", func(t *testing.T) string {
			t.Helper()
			return connections(t, func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 4096)) // let it begin
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
			})
		}, "HOST closed the connection before its answer was whole"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, c.target(t))
			rest := newRig(t, r.Spec.Target.String())
			if c.name == "never answers" {
				r.withTimeout(t, 300*time.Millisecond)
				rest.withTimeout(t, 300*time.Millisecond)
			}
			r.run(t)
			r.wantWall(t, c.said, "", true)
			rest.run(t, "deliver.burst")
			rest.wantWall(t, c.said, "", true)
		})
	}
}

// TestHugeAnswers has 100 MB behind every delivery: they are judged by their status, and
// not read.
func TestHugeAnswers(t *testing.T) {
	t.Parallel()
	block := bytes.Repeat([]byte("xyz"), 1<<14)
	r := serve(t, func(_ string, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(100<<20))
		w.WriteHeader(http.StatusTeapot)
		for range (100 << 20) / len(block) {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	r.run(t, "accept.link.*", "reject.wrong-secret")
	if got := r.result(t, "accept.link.opened"); got.Outcome != conform.Fail || got.Said != "refused" ||
		!strings.HasPrefix(got.Received, `418 I'm a teapot, "xyzxyz`) || !strings.HasSuffix(got.Received, "longer than 1 MiB: the rest was not read") {
		t.Errorf("got %s: %s (%s)", got.Outcome, got.Said, got.Received)
	}
	if got := r.result(t, "reject.wrong-secret").Outcome; got != conform.Pass || r.stop != nil {
		t.Errorf("got %s, stopped: %v", got, r.stop)
	}
}
