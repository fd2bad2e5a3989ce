package endpoint_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

// soon is a timeout for what is meant to run into it, never for what is not.
const soon = 100 * time.Millisecond

func TestRefused(t *testing.T) {
	t.Parallel()
	address := unusedAddress(t)
	_, err := post(t, client(t, endpoint.ClientOptions{}), "http://"+address)
	failure := wantKind(t, err, endpoint.Refused)
	if want := "nothing listens on " + address; !strings.Contains(failure.Message, want) || failure.Hint == "" {
		t.Errorf("got %q with hint %q, want %q in it and a hint", failure.Message, failure.Hint, want)
	}
}

func TestHostWithoutAnAddress(t *testing.T) {
	t.Parallel()
	// An empty label, which resolvers refuse without asking anybody.
	_, err := post(t, client(t, endpoint.ClientOptions{}), "http://a..b/")
	if failure := wantKind(t, err, endpoint.DNS); !strings.Contains(failure.Message, `"a..b"`) || failure.Hint == "" {
		t.Errorf("got %q with hint %q, want the host in it and a hint", failure.Message, failure.Hint)
	}
}

func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	// Each is tried with an orderly end and with a reset.
	for name, text := range map[string]string{
		"before the answer":           "",
		"inside the status line":      "HTTP/1.1 20",
		"inside the headers":          ok + "Content-Le",
		"before the body":             ok + "Content-Length: 100\r\n\r\n",
		"inside the body":             ok + "Content-Length: 100\r\n\r\nhalf of it",
		"inside a chunk":              ok + "Transfer-Encoding: chunked\r\n\r\n64\r\nhalf of it",
		"before the last chunk":       ok + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
		"after an interim answer":     "HTTP/1.1 103 Early Hints\r\n\r\n",
		"inside a long line of noise": strings.Repeat("x", 3000),
	} {
		for end, reset := range map[string]bool{"closed": false, "reset": true} {
			t.Run(name+", "+end, func(t *testing.T) {
				t.Parallel()
				address := serve(t, answer(text, reset))
				_, err := post(t, client(t, endpoint.ClientOptions{}), "http://"+address)
				if failure := wantKind(t, err, endpoint.Reset); !strings.Contains(failure.Message, address) {
					t.Errorf("got %q, want the address in it", failure.Message)
				}
			})
		}
	}
}

// TestClosedAtOnce tries often, because net/http tells it in several ways,
// depending on who is first.
func TestClosedAtOnce(t *testing.T) {
	t.Parallel()
	for name, handle := range map[string]func(*net.TCPConn){
		"closed": func(*net.TCPConn) {},
		"reset":  func(conn *net.TCPConn) { _ = conn.SetLinger(0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := serve(t, handle)
			c := client(t, endpoint.ClientOptions{})
			for range 200 {
				_, err := post(t, c, "http://"+address)
				wantKind(t, err, endpoint.Reset)
			}
		})
	}
}

func TestHTTP2StreamBrokenOff(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/inside" {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
		}
		panic(http.ErrAbortHandler)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	for _, path := range []string{"/before", "/inside"} {
		_, err := post(t, client(t, endpoint.ClientOptions{Insecure: true}), server.URL+path)
		wantKind(t, err, endpoint.Reset)
	}
}

func TestNotHTTP(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"another protocol":      "220 mail.test ESMTP\r\n",
		"a page without a head": "<html>hello</html>\n",
		"binary":                "\x00\x01\x02\xff\n\n",
		"a TLS alert":           "\x15\x03\x01\x00\x02\x02\x46\n",
		"a future version":      "HTTP/9 200 OK\r\n\r\n",
		"a status of letters":   "HTTP/1.1 OK\r\n\r\n",
		"a status of 99":        "HTTP/1.1 99\r\n\r\n",
		"no colon in a header":  "HTTP/1.1 200 OK\r\nhello\r\n\r\n",
		"two lengths":           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
		"a broken chunk":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
		"headers without end":   "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2<<20),
		"interim answers without end": strings.Repeat(
			"HTTP/1.1 103 Early Hints\r\nLink: "+strings.Repeat("x", 1000)+"\r\n\r\n", 2000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := serve(t, func(conn *net.TCPConn) {
				answer(text, false)(conn)
				waitForClose(conn)
			})
			_, err := post(t, client(t, endpoint.ClientOptions{}), "http://"+address)
			if failure := wantKind(t, err, endpoint.Protocol); failure.Hint == "" {
				t.Errorf("got %q without a hint", failure.Message)
			}
		})
	}
}

// TestTLSOnAPlainPort has servers of TLS say what OpenSSL's say to a request in plain
// HTTP, and then end the connection or wait.
func TestTLSOnAPlainPort(t *testing.T) {
	t.Parallel()
	const alert = "\x15\x03\x01\x00\x02\x02\x46"
	for name, handle := range map[string]func(*net.TCPConn){
		"closed": answer(alert, false),
		"open": func(conn *net.TCPConn) {
			answer(alert, false)(conn)
			waitForClose(conn)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := serve(t, handle)
			_, err := post(t, client(t, endpoint.ClientOptions{Timeout: soon}), "http://"+address)
			failure := wantKind(t, err, endpoint.Protocol)
			if failure.Message != address+" speaks TLS, not plain HTTP" || !strings.Contains(failure.Hint, "https://") {
				t.Errorf("got %q with hint %q", failure.Message, failure.Hint)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	drip := func(conn *net.TCPConn) {
		tick := time.NewTicker(soon / 20)
		defer tick.Stop()
		for range tick.C {
			if _, err := io.WriteString(conn, "x"); err != nil {
				return
			}
		}
	}
	for name, handle := range map[string]func(*net.TCPConn){
		"it never reads": waitForClose,
		"it never answers": func(conn *net.TCPConn) {
			readRequest(conn)
			waitForClose(conn)
		},
		"it stops inside the headers": func(conn *net.TCPConn) {
			answer("HTTP/1.1 200 OK\r\nContent-", false)(conn)
			waitForClose(conn)
		},
		"it stops inside the body": func(conn *net.TCPConn) {
			answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", false)(conn)
			waitForClose(conn)
		},
		"its headers drip": func(conn *net.TCPConn) {
			answer("HTTP/1.1 200 OK\r\nX: ", false)(conn)
			drip(conn)
		},
		"its body drips": func(conn *net.TCPConn) {
			answer("HTTP/1.1 200 OK\r\n\r\n", false)(conn)
			drip(conn)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := serve(t, handle)
			_, err := post(t, client(t, endpoint.ClientOptions{Timeout: soon}), "http://"+address)
			if failure := wantKind(t, err, endpoint.Timeout); !strings.Contains(failure.Message, address) {
				t.Errorf("got %q, want the address in it", failure.Message)
			}
		})
	}
}

func TestTimeoutOfATLSHandshake(t *testing.T) {
	t.Parallel()
	address := serve(t, waitForClose)
	_, err := post(t, client(t, endpoint.ClientOptions{Timeout: soon}), "https://"+address)
	wantKind(t, err, endpoint.Timeout)
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-24*time.Hour)
	cases := map[string]struct {
		name     string
		notAfter time.Time
		trusted  bool
		message  string
		hint     string
		ok       bool
	}{
		"trusted":        {name: "127.0.0.1", notAfter: tomorrow, trusted: true, ok: true},
		"untrusted":      {name: "127.0.0.1", notAfter: tomorrow, message: "signed by nobody who is trusted", hint: "--cacert"},
		"for other name": {name: "x.test", notAfter: tomorrow, trusted: true, message: "for x.test, not for 127.0.0.1", hint: "the name that is in its certificate"},
		"expired":        {name: "127.0.0.1", notAfter: yesterday, trusted: true, message: "has expired", hint: "renew it"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chain, pem := certificate(t, c.name, c.notAfter)
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.TLS = &tls.Config{Certificates: []tls.Certificate{chain}}
			server.Config.ErrorLog = quiet()
			server.StartTLS()
			defer server.Close()
			options := endpoint.ClientOptions{}
			if c.trusted {
				roots, err := endpoint.RootsFromPEM(pem)
				if err != nil {
					t.Fatal(err)
				}
				options.Roots = roots
			}
			got, err := post(t, client(t, options), server.URL)
			if c.ok {
				if err != nil || got.Status != 404 {
					t.Errorf("got %d and error %v, want 404", got.Status, err)
				}
				return
			}
			failure := wantKind(t, err, endpoint.TLS)
			if !strings.Contains(failure.Message, c.message) || !strings.Contains(failure.Hint, c.hint) || !strings.HasSuffix(failure.Hint, "--insecure") {
				t.Errorf("got %q with hint %q, want %q and %q in them, and --insecure", failure.Message, failure.Hint, c.message, c.hint)
			}
			options.Checked = true
			_, err = post(t, client(t, options), server.URL)
			if failure := wantKind(t, err, endpoint.TLS); failure.Hint == "" || strings.Contains(failure.Hint, "insecure") {
				t.Errorf("got hint %q, want one without --insecure, which there is not", failure.Hint)
			}
			got, err = post(t, client(t, endpoint.ClientOptions{Insecure: true}), server.URL)
			if err != nil || got.Status != 404 {
				t.Errorf("insecure: got %d and error %v, want 404", got.Status, err)
			}
		})
	}
}

func TestPlainHTTPOnATLSPort(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, err := post(t, client(t, endpoint.ClientOptions{}), strings.Replace(server.URL, "http:", "https:", 1))
	if failure := wantKind(t, err, endpoint.TLS); !strings.Contains(failure.Hint, "http://") {
		t.Errorf("got hint %q, want it to say http://", failure.Hint)
	}
}

func TestNoTLSAtAll(t *testing.T) {
	t.Parallel()
	for text, hint := range map[string]string{
		"220 mail.test ESMTP ready and willing\r\n": "http://",
		"<!DOCTYPE HTML>\n<title>400</title>\n":     "http://",
		"\x15\x03\x03\x00\x02\x02\x28":              "", // an alert
	} {
		address := serve(t, func(conn *net.TCPConn) {
			_, _ = io.WriteString(conn, text)
			waitForClose(conn)
		})
		_, err := post(t, client(t, endpoint.ClientOptions{Insecure: true}), "https://"+address)
		if failure := wantKind(t, err, endpoint.TLS); !strings.Contains(failure.Message, address) || !strings.Contains(failure.Hint, hint) {
			t.Errorf("%q: got %q with hint %q, want the address in it, and %q", text, failure.Message, failure.Hint, hint)
		}
	}
}

func TestTLSVersionsThatDoNotMeet(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	defer server.Close()
	_, err := post(t, client(t, endpoint.ClientOptions{Insecure: true}), server.URL)
	wantKind(t, err, endpoint.TLS)
}

func TestNoWayThere(t *testing.T) {
	t.Parallel()
	// No port, which is no refusal by the other side; there is no connection either.
	_, err := post(t, client(t, endpoint.ClientOptions{}), "http://127.0.0.1:70000/")
	if failure := wantKind(t, err, endpoint.Refused); !strings.Contains(failure.Message, "no connection to 127.0.0.1:70000") {
		t.Errorf("got %q, want the address in it", failure.Message)
	}
}
