package listen_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/listen"
	"github.com/leapfinancial/m2m/internal/sign"
)

const (
	secret = "a secret of this test"
	opened = `{"event":"link.opened","data":{"linkId":"link_acme_1","referenceId":"user_1"}}`
)

func present() time.Time { return time.Date(2026, 1, 26, 14, 30, 0, 0, time.UTC) }

func newKey(tb testing.TB, secret string) sign.Key {
	tb.Helper()
	key, err := sign.NewKey(secret)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// newOptions returns a receiver's options and the channel that its deliveries go to.
func newOptions(tb testing.TB) (listen.Options, <-chan listen.Delivery) {
	tb.Helper()
	done := make(chan listen.Delivery, 100)
	var ids atomic.Int64
	return listen.Options{
		Keys:      []sign.Key{newKey(tb, secret)},
		Tolerance: 5 * time.Minute,
		MaxBody:   1 << 20,
		Scheme:    "http",
		Now:       present,
		NewID:     func() string { return fmt.Sprint("id-", ids.Add(1)) },
		Done:      func(d listen.Delivery) { done <- d },
	}, done
}

// serve starts a receiver on a port of its own.
func serve(tb testing.TB, options listen.Options) *httptest.Server {
	tb.Helper()
	server := httptest.NewServer(listen.NewServer(options))
	tb.Cleanup(server.Close)
	return server
}

// signed returns a delivery of the body, signed in the present.
func signed(tb testing.TB, url string, body io.Reader, bytes []byte) *http.Request {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, url, body)
	if err != nil {
		tb.Fatal(err)
	}
	stamp(tb, request, present(), bytes)
	return request
}

func stamp(tb testing.TB, request *http.Request, at time.Time, body []byte) {
	tb.Helper()
	timestamp := sign.FormatTimestamp(at)
	request.Header.Set(delivery.TimestampHeader, timestamp)
	request.Header.Set(delivery.SignatureHeader, newKey(tb, secret).Sign(timestamp, body))
}

func post(tb testing.TB, url, body string) *http.Request {
	tb.Helper()
	return signed(tb, url, bytes.NewReader([]byte(body)), []byte(body))
}

type answer struct {
	status int
	header http.Header
	body   string
}

func do(tb testing.TB, client *http.Client, request *http.Request) answer {
	tb.Helper()
	got, err := try(client, request)
	if err != nil {
		tb.Fatal(err)
	}
	return got
}

// try is do for goroutines that must not end the test.
func try(client *http.Client, request *http.Request) (answer, error) {
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(body)}, err
}

// receive returns what a channel brings, and ends the test when nothing comes.
func receive[T any](tb testing.TB, from <-chan T, what string) T {
	tb.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(time.Minute): // a busy machine is no failure
		tb.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// saves returns an Options.Save that hands on the record that a line holds.
func saves(t *testing.T, save func(delivery.Record) error) func([]byte) error {
	t.Helper()
	return func(line []byte) error {
		record, err := delivery.Parse(line)
		if err != nil {
			return err
		}
		return save(record)
	}
}
