package cmd

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// esc is in whatever a fault says of its own: it must not get to a terminal.
const esc = "\x1b]0;owned\a\u202e"

// fault is one way not to answer as a server should.
type fault struct {
	name, does string
	// serve has one connection, which is closed afterwards; nil takes none.
	serve func(s *faultServer, conn net.Conn)
	// secure has the client speak TLS, and what is served over it. It names the host of
	// the certificate and how long that is still valid; "" serves without.
	secure   bool
	host     string
	validFor time.Duration
	// stalls says that only the client's timeout ends it, large that it is a lot.
	stalls, large bool
}

// answering reads a request and then says the text.
func answering(text string) func(*faultServer, net.Conn) {
	return func(_ *faultServer, conn net.Conn) {
		takeRequest(conn)
		_, _ = io.WriteString(conn, text)
	}
}

// resetting does the same, and ends in a reset.
func resetting(text string) func(*faultServer, net.Conn) {
	return func(s *faultServer, conn net.Conn) {
		answering(text)(s, conn)
		_ = conn.(*net.TCPConn).SetLinger(0)
	}
}

// stalling reads a request, says the text, and then one byte of the rest a second, until
// the client goes.
func stalling(text, rest string) func(*faultServer, net.Conn) {
	return func(s *faultServer, conn net.Conn) {
		answering(text)(s, conn)
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			awaitEnd(s, conn)
		}()
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for i := 0; ; i++ {
			if i < len(rest) {
				_, _ = io.WriteString(conn, rest[i:i+1])
			}
			select {
			case <-tick.C:
			case <-gone:
				return
			}
		}
	}
}

// awaitEnd says nothing until the client goes.
func awaitEnd(_ *faultServer, conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// repeating says the first text once and the other one until nobody listens, or size
// bytes are out; 0 is no bound.
func repeating(first, again string, size int) func(*faultServer, net.Conn) {
	block := []byte(strings.Repeat(again, 1+64<<10/len(again)))
	return func(s *faultServer, conn net.Conn) {
		answering(first)(s, conn)
		for sent := 0; size == 0 || sent < size; sent += len(block) {
			if _, err := conn.Write(block); err != nil {
				return
			}
		}
	}
}

const (
	okLine = "HTTP/1.1 200 OK" + esc + "\r\n"
	okBody = okLine + "Content-Type: text/plain\r\nX-Note: a" + "\u009b31m\u202e" + "\r\n"
	hour   = time.Hour
	own    = "localhost"
)

// faults are all of them, in the order of docs/testing.md.
func faults() []fault {
	return []fault{
		{name: "refuse", does: "refuses the connection"},
		{name: "close", does: "takes the connection and closes it", serve: func(*faultServer, net.Conn) {}},
		{name: "reset", does: "takes the request and resets the connection", serve: resetting("")},
		{name: "reset-in-headers", does: "resets the connection inside the answer's headers", serve: resetting(okLine + "Content-Le")},
		{name: "reset-in-body", does: "resets the connection inside the answer's body", serve: resetting(okBody + "Content-Length: 100\r\n\r\nhalf" + esc)},
		{name: "half-close", does: "closes its own direction alone, and says nothing", serve: halfClose},
		{name: "silence", does: "takes the request and never answers", serve: stalling("", ""), stalls: true},
		{name: "drip-headers", does: "says a byte of its headers a second", serve: stalling("", okBody), stalls: true},
		{name: "drip-body", does: "says a byte of its body a second", serve: stalling(okBody+"Content-Length: 1000\r\n\r\n", esc), stalls: true},
		{name: "interim-storm", does: "sends interim answers (1xx) without end", serve: repeating("", "HTTP/1.1 103 Early Hints"+esc+"\r\nLink: </style.css>\r\n\r\n", 0), large: true},
		{name: "header-flood", does: "sends headers without end", serve: repeating(okLine, "X-Note: more\r\n", 0), large: true},
		{name: "length-too-long", does: "closes before its `Content-Length` is reached", serve: answering(okBody + "Content-Length: 100\r\n\r\nshort" + esc)},
		{name: "length-too-short", does: "says more than its `Content-Length`", serve: answering(okBody + "Content-Length: 2\r\n\r\nOK, and more" + esc)},
		{name: "length-negative", does: "says `Content-Length: -1`", serve: answering(okBody + "Content-Length: -1\r\n\r\nOK")},
		{name: "broken-chunk", does: "breaks its chunked encoding", serve: answering(okBody + "Transfer-Encoding: chunked\r\n\r\n" + esc + "\r\n")},
		{name: "gzip-bomb", does: "answers 100 MB of zeros, packed with gzip", serve: answering(okBody + gzipBomb()), large: true},
		{name: "huge", does: "answers 100 MB", serve: repeating(okBody+fmt.Sprintf("Content-Length: %d\r\n\r\n", 100<<20), "x", 100<<20), large: true},
		{name: "endless", does: "answers without end", serve: repeating(okBody+"\r\n", "x"+esc, 0), large: true},
		{name: "deep", does: "answers JSON that nests 400 000 deep", serve: answering(okBody + "\r\n" + strings.Repeat("[", 400_000) + strings.Repeat("]", 400_000)), large: true},
		{name: "http-0.9", does: "answers in HTTP/0.9: a body alone", serve: answering("<html>" + esc + "</html>\n")},
		{name: "not-http", does: "speaks another protocol", serve: answering("220 mail" + esc + " ESMTP\r\n")},
		{name: "tls-wrong-name", does: "has a certificate for another name", secure: true, host: "elsewhere.test", validFor: hour, serve: answering(okBody + "\r\n")},
		{name: "tls-expired", does: "has a certificate that has expired", secure: true, host: own, validFor: -hour, serve: answering(okBody + "\r\n")},
		{name: "tls-silence", does: "never answers in the TLS handshake", secure: true, serve: awaitEnd, stalls: true},
		{name: "plain-on-tls", does: "speaks plain HTTP on a port asked by https", secure: true, serve: answering("HTTP/1.1 400 Bad Request\r\n\r\n" + esc)},
		{name: "tls-on-plain", does: "speaks TLS on a port asked by http", serve: answering("\x15\x03\x01\x00\x02\x02\x46")},
	}
}

func halfClose(s *faultServer, conn net.Conn) {
	takeRequest(conn)
	_ = conn.(*net.TCPConn).CloseWrite()
	awaitEnd(s, conn)
}

// gzipBomb returns the rest of an answer whose body is small and becomes 100 MB.
func gzipBomb() string {
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	zeros := make([]byte, 1<<20)
	for range 100 {
		_, _ = w.Write(zeros)
	}
	_ = w.Close()
	return fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", packed.Len(), packed.String())
}

func takeRequest(conn net.Conn) {
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err == nil {
		_, _ = io.Copy(io.Discard, request.Body)
	}
}

// faultServer is a server with one fault, on a loopback port of its own.
type faultServer struct {
	fault
	origin string
	// authority is a file of PEM that a client may trust the certificate by; empty where
	// there is none.
	authority string
	listener  net.Listener
	config    *tls.Config
	// serving ends with the test.
	serving context.Context
	conns   sync.WaitGroup
}

// start starts it. It ends, with all of its goroutines, at the end of the test.
func (f fault) start(t *testing.T) *faultServer {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serving, end := context.WithCancel(context.Background())
	s := &faultServer{fault: f, listener: listener, origin: "http://" + listener.Addr().String(), serving: serving}
	if f.secure {
		s.origin = "https://" + listener.Addr().String()
	}
	if f.host != "" {
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		s.origin = "https://localhost:" + port
		s.certify(t)
	}
	if f.serve == nil {
		// Its port stays taken, by a connection, so that nobody else gets it.
		s.origin = "http://" + refusing(t)
	}
	s.conns.Go(s.accept)
	t.Cleanup(func() {
		end()
		_ = listener.Close()
		s.conns.Wait()
	})
	return s
}

func (s *faultServer) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return // closed at the end
		}
		s.conns.Go(func() {
			defer func() { _ = conn.Close() }()
			defer context.AfterFunc(s.serving, func() { _ = conn.Close() })()
			if s.config == nil {
				s.serve(s, conn)
				return
			}
			secure := tls.Server(conn, s.config)
			defer func() { _ = secure.Close() }()
			if secure.Handshake() == nil {
				s.serve(s, secure)
			}
		})
	}
}

// refusing returns a loopback address that refuses connections until the end of the
// test.
func refusing(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	t.Cleanup(func() { _ = conn.Close() })
	return conn.LocalAddr().String()
}

// certify gives the server a certificate of its own.
func (s *faultServer) certify(t *testing.T) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(s.validFor)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: end.Add(-24 * time.Hour), NotAfter: end,
		IsCA: true, BasicConstraintsValid: true, DNSNames: []string{s.host},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	s.config = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}}}
	s.authority = filepath.Join(t.TempDir(), "authority.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(s.authority, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
