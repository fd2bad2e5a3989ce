package partner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/partner"
)

const (
	sampleID      = "dr_acme_x9y8z7w6v5u4"
	testKeyText   = "m2m_test_9f8e7d6c5b4a"
	liveKeyText   = "m2m_live_9f8e7d6c5b4a"
	otherKeyText  = "key-without-a-kind"
	sampleRequest = "../../fixtures/events/user.data_request.json"
)

// askedAt and answeredAt are the moments of the documented samples.
var (
	askedAt    = time.Date(2026, 1, 26, 14, 30, 0, 0, time.UTC)
	answeredAt = askedAt.Add(5 * time.Minute)
)

func readFile(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func compact(tb testing.TB, data []byte) string {
	tb.Helper()
	var buf bytes.Buffer
	if err := json.Compact(&buf, data); err != nil {
		tb.Fatal(err)
	}
	return buf.String()
}

func newKey(tb testing.TB, text string) partner.Key {
	tb.Helper()
	key, err := partner.NewKey(text)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func parseUserData(tb testing.TB, text string) partner.UserData {
	tb.Helper()
	userData, err := partner.ParseUserData([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return userData
}

func parseURL(tb testing.TB, text string) *url.URL {
	tb.Helper()
	u, err := url.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return u
}

func clockAt(moment time.Time) func() time.Time {
	return func() time.Time { return moment }
}

// newClient returns a client that never really waits, and the pauses it was asked
// for.
func newClient() (*partner.Client, *[]time.Duration) {
	var pauses []time.Duration
	return &partner.Client{
		HTTP:      endpoint.NewClient(&http.Transport{}, endpoint.ClientOptions{Timeout: 10 * time.Second}),
		UserAgent: "m2m/test",
		Now:       clockAt(answeredAt),
		Sleep: func(_ context.Context, d time.Duration) error {
			pauses = append(pauses, d)
			return nil
		},
	}, &pauses
}

// newUndialledClient returns a client that fails the test when it makes a request.
func newUndialledClient(t *testing.T) *partner.Client {
	t.Helper()
	client, _ := newClient()
	client.HTTP = endpoint.NewClient(&http.Transport{
		// The first thing that a transport does with any request.
		Proxy: func(r *http.Request) (*url.URL, error) {
			t.Errorf("a request was made: %s %s", r.Method, r.URL)
			return nil, errors.New("not in this test")
		},
	}, endpoint.ClientOptions{})
	return client
}

// sampleAnswer returns the documented answer, to be sent to the server at origin.
func sampleAnswer(t *testing.T, origin string) partner.Answer {
	t.Helper()
	return partner.Answer{
		Endpoint:      parseURL(t, origin+endpoint.ReplyPath(sampleID)),
		DataRequestID: sampleID,
		Body:          []byte(compact(t, readFile(t, "testdata/reply.json"))),
		Key:           newKey(t, testKeyText),
	}
}

// replies collects what a mock received. Safe for concurrent use.
type replies struct {
	mu  sync.Mutex
	all []partner.Received
}

func (r *replies) add(received partner.Received) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, received)
}

func (r *replies) only(t *testing.T) partner.Received {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) != 1 {
		t.Fatalf("the mock told of %d replies, want 1", len(r.all))
	}
	return r.all[0]
}

// clock is a clock that a test moves.
type clock struct{ moment time.Time }

func (c *clock) now() time.Time { return c.moment }

// newMock returns a mock that knows the documented data request, asked at askedAt,
// and whose clock stands at answeredAt.
func newMock(tb testing.TB) (*partner.Mock, *clock, *replies) {
	tb.Helper()
	c, r := &clock{moment: askedAt}, &replies{}
	mock := partner.NewMock(partner.MockOptions{Now: c.now, OnReply: r.add})
	if err := mock.Remember(readFile(tb, sampleRequest)); err != nil {
		tb.Fatal(err)
	}
	c.moment = answeredAt
	return mock, c, r
}

func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}
