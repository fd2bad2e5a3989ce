package endpoint_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

// listen opens a loopback port that closes at the end of the test.
func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// serve hands every connection to handle, and closes it afterwards. It returns the
// address, "host:port". At the end of the test it waits for the handlers.
func serve(t *testing.T, handle func(*net.TCPConn)) string {
	t.Helper()
	listener := listen(t, "127.0.0.1:0")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			handle(conn.(*net.TCPConn))
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return listener.Addr().String()
}

// answer reads one request, writes the text and, with reset, breaks the connection
// off hard.
func answer(text string, reset bool) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		readRequest(conn)
		_, _ = io.WriteString(conn, text)
		if reset {
			_ = conn.SetLinger(0)
		}
	}
}

func readRequest(conn *net.TCPConn) {
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err == nil {
		_, _ = io.Copy(io.Discard, request.Body)
	}
}

// waitForClose returns when the other side has gone.
func waitForClose(conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) }

// unusedAddress returns a loopback address that refuses connections until the end
// of the test: its port belongs to a connection, so that nobody else gets it, and
// nobody listens on it.
func unusedAddress(t *testing.T) string {
	t.Helper()
	listener := listen(t, "127.0.0.1:0")
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.LocalAddr().String()
}

// client returns a client that is shut at the end of the test. No test of it may
// meet the proxy of the machine that it runs on.
func client(t *testing.T, options endpoint.ClientOptions) *endpoint.Client {
	t.Helper()
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.Proxy = nil
	return clientOn(t, base, options)
}

func clientOn(t *testing.T, base *http.Transport, options endpoint.ClientOptions) *endpoint.Client {
	t.Helper()
	c := endpoint.NewClient(base, options)
	t.Cleanup(c.CloseIdle)
	return c
}

// post sends a small delivery to url.
func post(t *testing.T, c *endpoint.Client, url string) (endpoint.Answer, error) {
	t.Helper()
	return c.Do(t.Context(), newPost(t, url))
}

func newPost(t *testing.T, url string) *http.Request {
	t.Helper()
	body := bytes.NewReader([]byte(`{"event":"link.opened"}`))
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return request
}

// wantKind fails the test unless err is an *endpoint.Error of that kind that has
// words for a person.
func wantKind(t *testing.T, err error, kind endpoint.Kind) endpoint.Error {
	t.Helper()
	var failure *endpoint.Error
	if !errors.As(err, &failure) {
		t.Fatalf("got error %v, want one of kind %s", err, kind)
	}
	if failure.Kind != kind || failure.Message == "" || failure.Error() != failure.Message {
		t.Fatalf("got kind %s with %q, want kind %s", failure.Kind, failure.Message, kind)
	}
	return *failure
}

// certificate returns a self-signed server certificate for the name, valid until
// then, and its PEM.
func certificate(t *testing.T, name string, notAfter time.Time) (tls.Certificate, []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             notAfter.Add(-24 * time.Hour),
		NotAfter:              notAfter,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	chain := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}
	return chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func pemOf(certificate *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
}

// quiet is for servers whose complaints are what the test is about.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
