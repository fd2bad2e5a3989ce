package cmd_test

import (
	"cmp"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// serve starts a server for the rest of the script and puts its URL in a variable.
// KIND is a status, or one of the ways not to answer well: redirect, escapes
// (500, or another status: escapes:200), injects, injects:redirect (each holds what GitHub's runner could take for a command),
// silent (VAR.reached is written when a request has come), garbage, reset, tls (a
// certificate nobody trusts but who reads VAR.pem), closed or free. There are handlers: app and
// mistaken, at appHandler; gohandler, the one in examples/go; replies:HOW, at
// replyingHandler. What wire:ANSWERS does stands at wireServer.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: serve VAR KIND")
	}
	name, kind := args[0], args[1]
	if status, err := strconv.Atoi(kind); err == nil {
		serveHTTP(ts, name, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, http.StatusText(status))
		})
		return
	}
	switch kind, how, _ := strings.Cut(kind, ":"); kind {
	case "wire":
		serveWire(ts, name, how)
	case "gohandler":
		serveGoHandler(ts, name)
	case "replies":
		serveHTTP(ts, name, replyingHandler(how))
	case "redirect":
		serveHTTP(ts, name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusFound)
		})
	case "escapes":
		status, err := strconv.Atoi(cmp.Or(how, "500"))
		ts.Check(err)
		serveHTTP(ts, name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Note", "a\u009b31mb\u202ec")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "\x1b]0;owned\x07\x1b[31mred\u202edlrow\u009b1m\x7f\ufffe")
		})
	case "injects":
		serveHTTP(ts, name, injecting(how == "redirect"))
	case "silent":
		reached := ts.MkAbs(name + ".reached")
		serveHTTP(ts, name, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_ = os.WriteFile(reached, []byte("yes\n"), 0o600)
			<-r.Context().Done()
		})
	case "tls":
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshake is the point
		server.StartTLS()
		ts.Defer(server.Close)
		authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		ts.Check(os.WriteFile(ts.MkAbs(name+".pem"), authority, 0o600))
		ts.Setenv(name, server.URL+"/hooks")
	case "garbage":
		serveConnections(ts, name, func(conn net.Conn) {
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.6\r\n")
		})
	case "reset":
		serveConnections(ts, name, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 1024)) // let it begin
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
		})
	case "closed":
		// The port belongs to a connection, so that no other test gets it.
		listener := listenLoopback(ts)
		conn, err := net.Dial("tcp", listener.Addr().String())
		ts.Check(err)
		ts.Check(listener.Close())
		ts.Defer(func() { _ = conn.Close() })
		ts.Setenv(name, "http://"+conn.LocalAddr().String()+"/hooks")
	case "free":
		// Below the ports that systems give out, so that no other test gets it.
		for port := 20_000; ; port++ {
			listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err == nil {
				ts.Check(listener.Close())
				ts.Setenv(name, "http://"+listener.Addr().String()+"/hooks")
				break
			}
		}
	case "app", "mistaken":
		serveHTTP(ts, name, appHandler(ts, name, kind == "mistaken"))
	default:
		ts.Fatalf("unknown kind of server %q", kind)
	}
}

// injecting answers with commands for GitHub's runner, so long that one stands where the
// text may be broken.
func injecting(redirect bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if redirect {
			w.Header().Set("Location", "/##[error]pwned")
			w.WriteHeader(http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "\n::set-output name=a::b ##[error]p "+strings.Repeat("z", 19)+" ::warning::x\n::error::y")
	}
}

// appHandler takes deliveries as they come: VAR.log gets the event of each, VAR.bodies
// the bodies, VAR.signatures the signatures. A mistaken one also answers data requests
// for somebody else; VAR.reply gets what it was told.
func appHandler(ts *testscript.TestScript, name string, mistaken bool) http.HandlerFunc {
	path := ts.MkAbs(name)
	var mu sync.Mutex
	note := func(file, text string) {
		mu.Lock()
		defer mu.Unlock()
		f, err := os.OpenFile(path+file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return // the script is over
		}
		_, _ = io.WriteString(f, text)
		_ = f.Close()
	}
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		event := r.Header.Get("X-M2M-Event")
		note(".log", event+"\n")
		note(".bodies", string(body))
		note(".signatures", r.Header.Get("X-M2M-Signature")+"\n")
		if mistaken && event == "user.data_request" {
			note(".reply", replyAsAnother(r.Context(), body))
		}
		w.Header().Set("X-App", "it is I")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		_, _ = fmt.Fprintf(w, `{"took":%q}`, event)
	}
}

// replyAsAnother answers a data request with another referenceId than its own.
func replyAsAnother(ctx context.Context, delivered []byte) string {
	var payload struct {
		Data struct{ ReplyEndpoint string }
	}
	if err := json.Unmarshal(delivered, &payload); err != nil {
		return err.Error()
	}
	body := `{"referenceId":"somebody_else","userData":{"dob":"1990-05-15"}}`
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, payload.Data.ReplyEndpoint, strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	r.Header.Set("X-API-Key", "m2m_test_mistaken")
	r.Header.Set("Content-Type", "application/json")
	client := &http.Client{Timeout: deadline, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return fmt.Sprintf("%d %s\n", response.StatusCode, text)
}

func serveHTTP(ts *testscript.TestScript, name string, handler http.HandlerFunc) {
	server := httptest.NewServer(handler)
	ts.Defer(server.Close)
	ts.Setenv(name, server.URL+"/hooks")
}

func listenLoopback(ts *testscript.TestScript) net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	return listener
}

// serveConnections answers every connection as a server that knows no HTTP.
func serveConnections(ts *testscript.TestScript, name string, answer func(net.Conn)) {
	listener := listenLoopback(ts)
	ts.Defer(func() { _ = listener.Close() })
	ts.Setenv(name, "http://"+listener.Addr().String()+"/hooks")
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed with the script
			}
			answer(conn)
			_ = conn.Close()
		}
	}()
}

// request makes a request that m2m itself cannot make.
func request(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: request STATUS METHOD URL")
	}
	r, err := http.NewRequest(args[1], args[2], nil)
	ts.Check(err)
	client := &http.Client{Timeout: deadline, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	ts.Check(err)
	defer response.Body.Close()
	_, err = io.Copy(ts.Stdout(), io.LimitReader(response.Body, 1<<20))
	ts.Check(err)
	if got := strconv.Itoa(response.StatusCode); got != args[0] {
		ts.Fatalf("%s %s: status %s, want %s", args[1], args[2], got, args[0])
	}
}
