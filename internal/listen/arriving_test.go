package listen_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/listen"
	"github.com/leapfinancial/m2m/internal/partner"
)

const (
	asksFirst = "Expect: 100-continue\r\n" // and is told when its body is being read
	toldSo    = "HTTP/1.1 100 Continue\r\n\r\n"
	dataPath  = "/partner/data-requests/dr_acme_1"
)

// withMock has the options take the reply to one data request, and fails on any.
func withMock(tb testing.TB, options *listen.Options) {
	tb.Helper()
	mock := partner.NewMock(partner.MockOptions{Now: present, OnReply: func(r partner.Received) {
		if r.Status != http.StatusUnauthorized {
			tb.Errorf("a reply that had not arrived was answered %d", r.Status)
		}
	}})
	if err := mock.Remember([]byte(`{"event":"user.data_request","data":{"dataRequestId":"dr_acme_1","linkId":"link_acme_1",` +
		`"referenceId":"user_1","requiredFields":["name.secondName"],` +
		`"replyEndpoint":"http://localhost:3000/partner/data-requests/dr_acme_1","expiresAt":"2026-01-26T15:30:00.000Z"}}`)); err != nil {
		tb.Fatal(err)
	}
	options.PartnerAPI = mock
}

// TestWhatHasNotArrivedIsBrokenOffAtTheEnd has the end begin while a body is being read
// and another delivery is in hand: the one is broken off at once, the other finished.
func TestWhatHasNotArrivedIsBrokenOffAtTheEnd(t *testing.T) {
	t.Parallel()
	const refused = "HTTP/1.1 405 "
	put := func(headers string) string {
		return "PUT " + dataPath + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "Content-Length: 100\r\n\r\n"
	}
	for name, c := range map[string]struct {
		// The answer begins with begun when the head has been read; then comes more.
		head, begun, more string
	}{
		"a body that is told":             {wire(t, asksFirst+"Content-Length: 100\r\n", "", ""), toldSo, opened},
		"a body of which nothing is here": {wire(t, asksFirst+"Content-Length: 100\r\n", "", ""), toldSo, ""},
		"a body in chunks":                {wire(t, asksFirst+"Transfer-Encoding: chunked\r\n", "", ""), toldSo, "2\r\n{}\r\n"},
		"half a chunk":                    {wire(t, asksFirst+"Transfer-Encoding: chunked\r\n", "", ""), toldSo, "20\r\n{}"},
		"a large body":                    {wire(t, asksFirst+"Content-Length: 500000\r\n", "", ""), toldSo, strings.Repeat("a", 400_000)},
		"a reply to a data request":       {put("X-API-Key: m2m_test_abc\r\n" + asksFirst), toldSo, "{"},
		"a reply that is not read":        {put(""), "", "{"},
		"what was refused":                {"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n", refused, "{"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options, done := newOptions(t)
			options.Deadlines.Drain = time.Hour
			withMock(t, &options)
			saving, release := make(chan struct{}), make(chan struct{})
			options.Save = func([]byte) error {
				saving <- struct{}{}
				<-release
				return nil
			}
			receiver := run(t, options, nil)
			conn := dial(t, receiver.listeners[0].Addr().String())
			if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, c.head); err != nil {
				t.Fatal(err)
			}
			reader, begun := bufio.NewReader(conn), make([]byte, len(c.begun))
			if _, err := io.ReadFull(reader, begun); err != nil || string(begun) != c.begun {
				t.Fatalf("got %q and %v, want %q", begun, err, c.begun)
			}
			if _, err := io.WriteString(conn, c.more); err != nil {
				t.Fatal(err)
			}
			client, request, answered := newClient(t), post(t, receiver.url(), opened), make(chan int, 1)
			go func() {
				got, err := try(client, request)
				if err != nil {
					t.Error(err)
				}
				answered <- got.status
			}()
			receive(t, saving, "Save")
			receiver.stop()
			rest, err := io.ReadAll(reader)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection was left open")
			}
			if c.begun == toldSo && len(rest) > 0 {
				t.Errorf("half a request was answered %q", rest)
			}
			close(release)
			receiver.wantTheWholeAlone(t, answered, done)
		})
	}
}

// TestAStreamThatHasNotArrivedIsBrokenOffAtTheEnd is the same for HTTP/2, where a whole
// delivery and half a one share their connection.
func TestAStreamThatHasNotArrivedIsBrokenOffAtTheEnd(t *testing.T) {
	t.Parallel()
	donor := httptest.NewUnstartedServer(http.NotFoundHandler())
	donor.EnableHTTP2 = true
	donor.StartTLS()
	t.Cleanup(donor.Close)
	t.Cleanup(donor.Client().CloseIdleConnections)
	donor.Client().Transport.(*http.Transport).ExpectContinueTimeout = time.Hour
	options, done := newOptions(t)
	options.Deadlines.Drain = time.Hour
	saving, release := make(chan struct{}), make(chan struct{})
	options.Save = func([]byte) error {
		saving <- struct{}{}
		<-release
		return nil
	}
	receiver := run(t, options, &donor.TLS.Certificates[0])
	url := "https://" + receiver.listeners[0].Addr().String()

	whole, answered := post(t, url, opened), make(chan int, 1)
	go func() {
		got, err := try(donor.Client(), whole)
		if err != nil {
			t.Error(err)
		}
		answered <- got.status
	}()
	receive(t, saving, "Save")

	reading, failed := make(chan struct{}), make(chan error, 1)
	body, rest := io.Pipe()
	t.Cleanup(func() { _ = rest.Close() })
	half := signed(t, url, body, []byte(opened))
	half.Header.Set("Expect", "100-continue")
	half = half.WithContext(httptrace.WithClientTrace(context.WithoutCancel(t.Context()), &httptrace.ClientTrace{
		Got100Continue: func() { close(reading) },
	}))
	go func() {
		_, err := try(donor.Client(), half)
		failed <- err
	}()
	receive(t, reading, "the body to be read")
	if _, err := io.WriteString(rest, opened[:10]); err != nil {
		t.Fatal(err)
	}
	receiver.stop()
	if receive(t, failed, "the half delivery") == nil {
		t.Error("half a delivery was answered")
	}
	close(release)
	receiver.wantTheWholeAlone(t, answered, done)
}

// wantTheWholeAlone waits for the end, and expects of two deliveries the one that was
// whole.
func (r running) wantTheWholeAlone(t *testing.T, answered <-chan int, done <-chan listen.Delivery) {
	t.Helper()
	if got := receive(t, answered, "the answer"); got != http.StatusOK {
		t.Errorf("the whole delivery was answered %d, want 200", got)
	}
	if err := receive(t, r.ended, "the end"); err != nil {
		t.Error(err)
	}
	if len(done) != 1 {
		t.Errorf("got %d deliveries, want the whole one", len(done))
	}
}
