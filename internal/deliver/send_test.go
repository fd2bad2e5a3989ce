package deliver_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
)

// newSender returns a sender whose clock goes on by a millisecond a reading.
func newSender(tb testing.TB, timeout time.Duration) *deliver.Sender {
	tb.Helper()
	var ticks atomic.Int64
	client := endpoint.NewClient(&http.Transport{}, endpoint.ClientOptions{Timeout: timeout})
	tb.Cleanup(client.CloseIdle)
	return &deliver.Sender{
		Client: client,
		Now:    func() time.Time { return present().Add(time.Duration(ticks.Add(1)) * time.Millisecond) },
		NewID:  func() string { return "an-id" },
	}
}

// rawServer answers each connection with the text and hands on what it read, head
// and body.
func rawServer(tb testing.TB, text string) (address string, requests <-chan string) {
	tb.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	seen := make(chan string, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			seen <- readRaw(conn)
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	}()
	return listener.Addr().String(), seen
}

func readRaw(conn net.Conn) string {
	var raw strings.Builder
	in, length := bufio.NewReader(conn), 0
	for {
		line, err := in.ReadString('\n')
		raw.WriteString(line)
		if value, found := strings.CutPrefix(line, "Content-Length: "); found {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
		if err != nil || line == "\r\n" {
			break
		}
	}
	_, _ = io.CopyN(&raw, in, int64(length))
	return raw.String()
}

func send(tb testing.TB, sender *deliver.Sender, request delivery.Request) delivery.Record {
	tb.Helper()
	record, err := sender.Send(tb.Context(), request, 1)
	if err != nil {
		tb.Fatal(err)
	}
	return record
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK"

func TestWireIsAsTheRecordSays(t *testing.T) {
	t.Parallel()
	const signature = "X-M2M-Signature: "
	for name, c := range map[string]struct {
		edits []string
		want  []string // header lines that are there, once
		none  []string // names, in lower case, that are not
	}{
		"as documented": {nil, []string{
			"Content-Type: application/json", "User-Agent: m2m/test", "X-M2M-Event: link.opened", "X-M2M-Timestamp: " + timestamp,
			"Content-Length: " + strconv.Itoa(len(opened)), signature,
		}, []string{"accept-encoding", "transfer-encoding"}},
		"another host":                  {[]string{"hOST: hooks.test"}, []string{"Host: hooks.test"}, nil},
		"another agent, lower case":     {[]string{"user-agent: other"}, []string{"User-Agent: other"}, nil},
		"another agent, upper case":     {[]string{"USER-AGENT: other"}, []string{"User-Agent: other"}, nil},
		"no agent":                      {[]string{"user-agent:"}, nil, []string{"user-agent"}},
		"no event":                      {[]string{"x-m2m-event:"}, []string{signature}, []string{"x-m2m-event"}},
		"the user's own spelling":       {[]string{"x-TRACE: 1"}, []string{"x-TRACE: 1"}, nil},
		"ours in the documented one":    {[]string{"x-m2m-event: other"}, []string{"X-M2M-Event: other"}, nil},
		"a header that is there twice":  {[]string{"X-Trace: 1", "X-Trace: 2"}, []string{"X-Trace: 1", "X-Trace: 2"}, nil},
		"no content type":               {[]string{"Content-Type:"}, nil, []string{"content-type"}},
		"nothing of it signed any more": {[]string{"X-M2M-Signature:", "X-M2M-Timestamp:"}, nil, []string{"x-m2m-signature", "x-m2m-timestamp"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, requests := rawServer(t, ok)
			spec := newSpec(t, "http://"+address+"/hooks?a=b", c.edits...)
			send(t, newSender(t, 10*time.Second), spec.Request([]byte(opened), timestamp))
			head, body, _ := strings.Cut(<-requests, "\r\n\r\n")
			if body != opened {
				t.Errorf("got body %q, want %q", body, opened)
			}
			if !strings.HasPrefix(head, "POST /hooks?a=b HTTP/1.1\r\n") {
				t.Errorf("got %q", head)
			}
			for _, line := range c.want {
				if strings.Count(head+"\r\n", "\r\n"+line) != 1 {
					t.Errorf("%q is not once in\n%s", line, head)
				}
			}
			for _, name := range c.none {
				if strings.Contains(strings.ToLower(head), "\r\n"+name+":") {
					t.Errorf("%s is in\n%s", name, head)
				}
			}
			if strings.Count(strings.ToLower(head), "\r\nuser-agent:") > 1 || strings.Count(strings.ToLower(head), "\r\nhost:") != 1 {
				t.Errorf("one header too many in\n%s", head)
			}
		})
	}
}

func TestSendRecordsTheAnswer(t *testing.T) {
	t.Parallel()
	address, _ := rawServer(t, "HTTP/1.1 302 Over There\r\nLocation: http://hooks.test/\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\n\xff\x00!")
	request := newSpec(t, "http://"+address).Request([]byte(opened), timestamp)
	record, err := newSender(t, 10*time.Second).Send(t.Context(), request, 3)
	if err != nil {
		t.Fatal(err)
	}
	want := delivery.Record{
		ID: "an-id", Time: present().Add(time.Millisecond), Event: "link.opened", Request: request, Attempt: 3, Latency: time.Millisecond,
		Response: &delivery.Response{
			Status: 302, StatusText: "Over There", Body: []byte("\xff\x00!"),
			Headers: delivery.Headers{
				{Name: "Content-Length", Value: "3"}, {Name: "Location", Value: "http://hooks.test/"},
				{Name: "X-Two", Value: "1"}, {Name: "X-Two", Value: "2"},
			},
		},
	}
	if diff := cmp.Diff(want, record); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSendKeepsTheBeginningOfALongAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), endpoint.MaxAnswer+1))
	}))
	t.Cleanup(server.Close)
	record := send(t, newSender(t, 10*time.Second), newSpec(t, server.URL).Request([]byte(opened), timestamp))
	if !record.Response.Truncated || len(record.Response.Body) != endpoint.MaxAnswer {
		t.Errorf("got %d bytes, truncated %t", len(record.Response.Body), record.Response.Truncated)
	}
}

// refusing returns a loopback address that refuses connections until the end of the
// test: its port belongs to a connection, so that nobody else gets it.
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
	t.Cleanup(func() { _ = conn.Close() })
	_ = listener.Close()
	return conn.LocalAddr().String()
}

func TestSendRecordsWhyThereIsNoAnswer(t *testing.T) {
	t.Parallel()
	nobody := refusing(t)
	held := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-held }))
	t.Cleanup(func() {
		close(held)
		silent.Close()
	})
	rubbish, _ := rawServer(t, "SSH-2.0-OpenSSH_9.9\r\n\r\n")
	gone, _ := rawServer(t, "")
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	for kind, target := range map[string]string{
		"refused":  "http://" + nobody,
		"timeout":  silent.URL,
		"protocol": "http://" + rubbish,
		"reset":    "http://" + gone,
		"tls":      secure.URL,
	} {
		timeout := 10 * time.Second
		if kind == "timeout" {
			timeout = 50 * time.Millisecond
		}
		record := send(t, newSender(t, timeout), newSpec(t, target).Request([]byte(opened), timestamp))
		if record.Error == nil || record.Error.Kind != kind || record.Error.Message == "" || record.Response != nil {
			t.Errorf("got %+v and %+v, want %s", record.Error, record.Response, kind)
		}
		if record.Latency <= 0 || record.Event != "link.opened" || record.Attempt != 1 {
			t.Errorf("%s: got %+v", kind, record)
		}
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	t.Parallel()
	cause := errors.New("the user pressed Ctrl-C")
	ctx, cancel := context.WithCancelCause(t.Context())
	held := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel(cause)
		<-held
	}))
	t.Cleanup(func() {
		close(held)
		server.Close()
	})
	record, err := newSender(t, 10*time.Second).Send(ctx, newSpec(t, server.URL).Request([]byte(opened), timestamp), 1)
	if !errors.Is(err, cause) || record.Error != nil || record.Response != nil {
		t.Errorf("got %+v and error %v, want %v", record, err, cause)
	}
}
