package partner_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/partner"
)

// answers serves one answer after the other, and the last for ever.
func answers(t *testing.T, list ...func(http.ResponseWriter)) (origin string, requests *int) {
	t.Helper()
	requests = new(int)
	origin = serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		list[min(*requests, len(list)-1)](w)
		*requests++
	}))
	return origin, requests
}

// with returns an answer of that status, header lines and body.
func with(status int, body string, headers ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const fulfilledBody = `{"success":true,"data":{"dataRequestId":"dr_acme_x9y8z7w6v5u4","status":"fulfilled",` +
	`"linkId":"l","fulfilledAt":"2026-01-26T14:35:00.000Z","message":"ok"}}`

func TestReplyIsTheDocumentedRequestOnTheWire(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	wire := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			wire <- err.Error()
			return
		}
		defer func() { _ = conn.Close() }()
		var text strings.Builder
		in := bufio.NewReader(io.TeeReader(conn, &text))
		request, err := http.ReadRequest(in)
		if err == nil {
			_, err = io.Copy(io.Discard, request.Body)
		}
		if err != nil {
			text.WriteString(err.Error())
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(fulfilledBody), fulfilledBody)
		wire <- text.String()
	}()

	client, _ := newClient()
	answer := sampleAnswer(t, "http://"+listener.Addr().String())
	if _, err := client.Reply(t.Context(), answer); err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(<-wire, "\r\n\r\n")
	if want := compact(t, readFile(t, "testdata/reply.json")); body != want {
		t.Errorf("body: got  %s\nwant %s", body, want)
	}
	for _, want := range []string{
		"PUT /partner/data-requests/dr_acme_x9y8z7w6v5u4 HTTP/1.1",
		"Host: " + listener.Addr().String(),
		"X-API-Key: " + testKeyText,
		"Content-Type: application/json",
		"User-Agent: m2m/test",
		fmt.Sprintf("Content-Length: %d", len(body)),
	} {
		if !strings.Contains(head+"\r\n", want+"\r\n") {
			t.Errorf("no line %q in\n%s", want, head)
		}
	}
}

func TestHeadersAreThoseThatAreSent(t *testing.T) {
	t.Parallel()
	got := partner.Answer{}.Headers("$M2M_API_KEY", "m2m/1.0")
	want := []partner.Header{
		{Name: "X-API-Key", Value: "$M2M_API_KEY"},
		{Name: "Content-Type", Value: "application/json"},
		{Name: "User-Agent", Value: "m2m/1.0"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := (partner.Answer{}).Headers("x", ""); len(got) != 2 {
		t.Errorf("without a user agent: got %v", got)
	}
}

func TestReplyRetries(t *testing.T) {
	t.Parallel()
	date := func(after time.Duration) string { return answeredAt.Add(after).Format(http.TimeFormat) }
	ok := with(200, fulfilledBody)
	cases := []struct {
		name       string
		answers    []func(http.ResponseWriter)
		tries      int
		pauses     []time.Duration
		status     int
		retryAfter time.Duration
	}{
		{"a success is not repeated", []func(http.ResponseWriter){ok}, 1, nil, 200, 0},
		{"503 and then a success", []func(http.ResponseWriter){with(503, ""), ok}, 2, []time.Duration{time.Second}, 200, 0},
		{"429, 500 and then a success", []func(http.ResponseWriter){with(429, ""), with(500, ""), ok}, 3,
			[]time.Duration{time.Second, 2 * time.Second}, 200, 0},
		{"never more than three tries", []func(http.ResponseWriter){with(502, "")}, 3,
			[]time.Duration{time.Second, 2 * time.Second}, 502, 0},
		{"a refusal after an error ends it", []func(http.ResponseWriter){with(500, ""), with(409, "")}, 2,
			[]time.Duration{time.Second}, 409, 0},
		{"400 is not repeated", []func(http.ResponseWriter){with(400, "")}, 1, nil, 400, 0},
		{"401 is not repeated", []func(http.ResponseWriter){with(401, "")}, 1, nil, 401, 0},
		{"408 is not repeated", []func(http.ResponseWriter){with(408, "")}, 1, nil, 408, 0},
		{"404 that asks to come again is not", []func(http.ResponseWriter){with(404, "", "Retry-After: 5")}, 1, nil, 404, 5 * time.Second},
		{"Retry-After in seconds", []func(http.ResponseWriter){with(429, "", "Retry-After: 7"), ok}, 2,
			[]time.Duration{7 * time.Second}, 200, 0},
		{"Retry-After as a date", []func(http.ResponseWriter){with(503, "", "Retry-After: "+date(30*time.Second)), ok}, 2,
			[]time.Duration{30 * time.Second}, 200, 0},
		{"Retry-After of a minute", []func(http.ResponseWriter){with(429, "", "Retry-After: 60"), ok}, 2,
			[]time.Duration{time.Minute}, 200, 0},
		{"Retry-After of more ends it", []func(http.ResponseWriter){with(429, "", "Retry-After: 61"), ok}, 1, nil, 429, 61 * time.Second},
		{"a date of more ends it", []func(http.ResponseWriter){with(503, "", "Retry-After: "+date(time.Hour)), ok}, 1, nil, 503, time.Hour},
		{"a number that nothing holds ends it", []func(http.ResponseWriter){with(503, "", "Retry-After: "+strings.Repeat("9", 40))},
			1, nil, 503, 365 * 24 * time.Hour},
		{"a number that a Duration cannot hold ends it", []func(http.ResponseWriter){with(503, "", "Retry-After: 9300000000")},
			1, nil, 503, 365 * 24 * time.Hour},
		{"Retry-After shorter than the own pause", []func(http.ResponseWriter){with(429, "", "Retry-After: 0"), ok}, 2,
			[]time.Duration{time.Second}, 200, 0},
		{"a date that is past", []func(http.ResponseWriter){with(429, "", "Retry-After: "+date(-time.Hour)), ok}, 2,
			[]time.Duration{time.Second}, 200, 0},
		{"a date that is past, to the end", []func(http.ResponseWriter){with(429, "", "Retry-After: "+date(-time.Hour))}, 3,
			[]time.Duration{time.Second, 2 * time.Second}, 429, 0},
		{"Retry-After of nonsense", []func(http.ResponseWriter){with(429, "", "Retry-After: -5"), with(429, "", "Retry-After: soon"), ok},
			3, []time.Duration{time.Second, 2 * time.Second}, 200, 0},
		{"what the last answer asks for is told", []func(http.ResponseWriter){with(429, "", "Retry-After: 3")}, 3,
			[]time.Duration{3 * time.Second, 3 * time.Second}, 429, 3 * time.Second},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			origin, requests := answers(t, c.answers...)
			client, pauses := newClient()
			var retries []partner.Retry
			client.OnRetry = func(r partner.Retry) { retries = append(retries, r) }
			outcome, err := client.Reply(t.Context(), sampleAnswer(t, origin))
			if err != nil {
				t.Fatal(err)
			}
			if outcome.Tries != c.tries || *requests != c.tries || outcome.Status != c.status {
				t.Errorf("got status %d after %d tries and %d requests, want %d after %d",
					outcome.Status, outcome.Tries, *requests, c.status, c.tries)
			}
			if !reflect.DeepEqual(*pauses, c.pauses) {
				t.Errorf("paused %v, want %v", *pauses, c.pauses)
			}
			if outcome.RetryAfter != c.retryAfter {
				t.Errorf("retry after %s, want %s", outcome.RetryAfter, c.retryAfter)
			}
			for i, retry := range retries {
				if retry.Try != i+1 || retry.Pause != c.pauses[i] || retry.Status < 429 {
					t.Errorf("retry %d was told as %+v", i+1, retry)
				}
			}
			if len(retries) != len(c.pauses) {
				t.Errorf("%d retries were told, want %d", len(retries), len(c.pauses))
			}
		})
	}
}

func TestReplySendsTheSameBodyEachTime(t *testing.T) {
	t.Parallel()
	var bodies []string
	origin := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body)+r.Header.Get("X-API-Key"))
		w.WriteHeader(http.StatusInternalServerError)
	}))
	client, _ := newClient()
	answer := sampleAnswer(t, origin)
	if _, err := client.Reply(t.Context(), answer); err != nil {
		t.Fatal(err)
	}
	want := string(answer.Body) + testKeyText
	if !reflect.DeepEqual(bodies, []string{want, want, want}) {
		t.Errorf("got %q", bodies)
	}
}

func TestReplyDoesNotRepeatANetworkFailure(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	origin := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	client, pauses := newClient()
	outcome, err := client.Reply(t.Context(), sampleAnswer(t, origin))
	var failure *endpoint.Error
	if !errors.As(err, &failure) || failure.Kind != endpoint.Refused {
		t.Fatalf("got %v, want a refused connection", err)
	}
	if outcome.Tries != 1 || len(*pauses) != 0 || outcome.Fulfilled {
		t.Errorf("got %+v and the pauses %v", outcome, *pauses)
	}
	if strings.Contains(err.Error(), testKeyText) {
		t.Errorf("the error shows the key: %v", err)
	}
}

func TestReplyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	interrupted := errors.New("interrupted")
	origin, requests := answers(t, with(503, ""))
	ctx, cancel := context.WithCancelCause(t.Context())
	client, _ := newClient()
	client.Sleep = nil
	client.OnRetry = func(partner.Retry) { cancel(interrupted) }
	outcome, err := client.Reply(ctx, sampleAnswer(t, origin))
	if !errors.Is(err, interrupted) || outcome.Tries != 1 || *requests != 1 {
		t.Errorf("got %+v after %d requests, %v; want an interruption after the first", outcome, *requests, err)
	}
	if err := partner.Sleep(t.Context(), time.Nanosecond); err != nil {
		t.Errorf("a sleep that nothing interrupts: %v", err)
	}
}
