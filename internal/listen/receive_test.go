package listen_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/listen"
	"github.com/leapfinancial/m2m/internal/partner"
	"github.com/leapfinancial/m2m/internal/sign"
)

func TestRecordHoldsWhatWasSent(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"a payload":         opened,
		"odd spelling":      "\r\n {\"event\" :\t\"link.opened\", \"n\": 100.00}\n",
		"a body of nothing": "",
		"no UTF-8":          "{\"event\":\"\xff\xfe\x00\"}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options, done := newOptions(t)
			server := serve(t, options)
			request := post(t, server.URL+"/hooks?a=%2F", body)
			request.Header["x-m2m-event"] = []string{"from.header"}
			request.Header["x-odd"] = []string{"one", "two"}
			request.Header.Set("User-Agent", "test")
			timestamp := request.Header.Get(delivery.TimestampHeader)
			do(t, server.Client(), request)
			got := receive(t, done, "the delivery").Record.Request
			if got.Remote == "" {
				t.Error("the sender's address is missing")
			}
			want := delivery.Request{
				Method: "POST", URL: server.URL + "/hooks?a=%2F", Remote: got.Remote, Body: []byte(body),
				Headers: delivery.Headers{
					{Name: "Accept-Encoding", Value: "gzip"},
					{Name: "Content-Length", Value: strconv.Itoa(len(body))},
					{Name: "User-Agent", Value: "test"},
					{Name: "X-M2M-Event", Value: "from.header"},
					{Name: "X-M2M-Signature", Value: newKey(t, secret).Sign(timestamp, []byte(body))},
					{Name: "X-M2M-Timestamp", Value: timestamp},
					{Name: "X-Odd", Value: "one"},
					{Name: "X-Odd", Value: "two"},
				},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestRecordHoldsNoAPIKey: one has no business in a delivery, and comes all the same.
func TestRecordHoldsNoAPIKey(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	server := serve(t, options)
	const key = "m2m_test_of_somebody"
	request := post(t, server.URL, opened)
	request.Header["x-api-key"] = []string{key}
	do(t, server.Client(), request)
	got, _ := receive(t, done, "the delivery").Record.Request.Headers.Get(partner.KeyHeader)
	if want := sign.Fingerprint([]byte(key)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRecordHoldsTheVerdict(t *testing.T) {
	t.Parallel()
	age := func(seconds float64) *float64 { return &seconds }
	for name, c := range map[string]struct {
		at    time.Time
		forge bool
		want  delivery.Verification
	}{
		"valid":       {present(), false, delivery.Verification{Valid: true, SignedAt: present(), AgeSeconds: age(0), Secret: newKey(t, secret).Fingerprint()}},
		"forged":      {present(), true, delivery.Verification{Reason: "signature_mismatch", SignedAt: present(), AgeSeconds: age(0)}},
		"old":         {present().Add(-time.Hour), false, delivery.Verification{Reason: "too_old", SignedAt: present().Add(-time.Hour), AgeSeconds: age(3600), Secret: newKey(t, secret).Fingerprint()}},
		"old, forged": {present().Add(-time.Hour), true, delivery.Verification{Reason: "signature_mismatch", SignedAt: present().Add(-time.Hour), AgeSeconds: age(3600)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options, done := newOptions(t)
			server := serve(t, options)
			request := post(t, server.URL, opened)
			stamp(t, request, c.at, []byte(opened))
			right := request.Header.Get(delivery.SignatureHeader)
			if c.forge {
				request.Header.Set(delivery.SignatureHeader, "sha256="+strings.Repeat("0", 64))
			}
			do(t, server.Client(), request)
			got := receive(t, done, "the delivery")
			if diff := cmp.Diff(&c.want, got.Record.Verification); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.Record.Event != "link.opened" || got.Payload.ID != "link_acme_1" || got.Record.ID == "" || !got.Record.Time.Equal(present()) {
				t.Errorf("got %+v", got)
			}
			line, err := got.Record.Line()
			if err != nil {
				t.Fatal(err)
			}
			if c.forge && bytes.Contains(line, []byte(right)) {
				t.Error("the record of a forgery holds the right signature")
			}
		})
	}
}

func TestAnyOfSeveralKeysMayHaveSigned(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	options.Keys = []sign.Key{newKey(t, "the new one"), newKey(t, secret)}
	server := serve(t, options)
	if got := do(t, server.Client(), post(t, server.URL, opened)); got.status != http.StatusOK {
		t.Errorf("got %d, want 200", got.status)
	}
	if got, want := receive(t, done, "the delivery").Record.Verification.Secret, newKey(t, secret).Fingerprint(); got != want {
		t.Errorf("got secret %s, want %s", got, want)
	}
}

func TestRecordIsSavedBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	saving, release := make(chan delivery.Record), make(chan struct{})
	options.Save = saves(t, func(record delivery.Record) error {
		saving <- record
		<-release
		return nil
	})
	server := serve(t, options)
	answered := make(chan answer, 1)
	request := post(t, server.URL, opened)
	go func() {
		got, err := try(server.Client(), request)
		if err != nil {
			t.Error(err)
		}
		answered <- got
	}()
	record := receive(t, saving, "Save")
	if record.Response == nil || record.Response.Status != http.StatusOK || string(record.Request.Body) != opened {
		t.Errorf("got %+v to save", record)
	}
	// Nothing can be proved of an answer that has not come; a while is enough to
	// see one that goes out early.
	select {
	case got := <-answered:
		t.Errorf("answered %d before the record was saved", got.status)
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	if got := receive(t, answered, "the answer"); got.status != http.StatusOK {
		t.Errorf("got %d, want 200", got.status)
	}
	if got := receive(t, done, "the delivery"); got.SaveError != nil {
		t.Error(got.SaveError)
	}
}

func TestWhoSeesTheAnswerFindsTheRecord(t *testing.T) {
	t.Parallel()
	options, _ := newOptions(t)
	var mu sync.Mutex
	saved := map[string]bool{}
	options.Save = saves(t, func(record delivery.Record) error {
		mu.Lock()
		defer mu.Unlock()
		saved[string(record.Request.Body)] = true
		return nil
	})
	server := serve(t, options)
	for _, body := range []string{opened, "hello", `{"n":1}`, `{"n":2}`} {
		do(t, server.Client(), post(t, server.URL, body))
		mu.Lock()
		if !saved[body] {
			t.Errorf("answered without a record of %s", body)
		}
		mu.Unlock()
	}
}

func TestSaveErrorIsTheSendersToRetry(t *testing.T) {
	t.Parallel()
	full := errors.New("no space left")
	for name, all := range map[string]bool{"judged": false, "all taken": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options, done := newOptions(t)
			options.AcceptAll = all
			options.Save = func([]byte) error { return full }
			server := serve(t, options)
			got := do(t, server.Client(), post(t, server.URL, opened))
			if got.status != http.StatusInternalServerError || got.body != "Internal Server Error" {
				t.Errorf("got %d %q, want 500 without a reason", got.status, got.body)
			}
			told := receive(t, done, "the delivery")
			if !errors.Is(told.SaveError, full) || told.Record.Response.Status != http.StatusInternalServerError {
				t.Errorf("got %v and %d, want %v and 500", told.SaveError, told.Record.Response.Status, full)
			}
		})
	}
}

func TestOtherEventsAreAnsweredAndCountedAlone(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	options.Only = []string{"operation.created", "operation.cancelled"}
	var saved []string
	options.Save = saves(t, func(record delivery.Record) error {
		saved = append(saved, record.Event)
		return nil
	})
	server := serve(t, options)
	for _, c := range []struct {
		body  string
		shown bool
	}{
		{opened, false}, {`{"event":"operation.created"}`, true}, {`{}`, false}, {`{"event":"operation.cancelled"}`, true},
	} {
		if got := do(t, server.Client(), post(t, server.URL, c.body)); got.status != http.StatusOK {
			t.Errorf("%s: got %d, want 200", c.body, got.status)
		}
		if got := receive(t, done, "the delivery"); got.Shown != c.shown {
			t.Errorf("%s: got shown %t, want %t", c.body, got.Shown, c.shown)
		}
	}
	if want := []string{"operation.created", "operation.cancelled"}; !slices.Equal(saved, want) {
		t.Errorf("got %q saved, want %q", saved, want)
	}
}

func TestAcceptedSeesOnlyValidDataRequests(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	options.AcceptAll = true
	var accepted []string
	options.Accepted = func(payload []byte) { accepted = append(accepted, string(payload)) }
	server := serve(t, options)
	const asked = `{"event":"user.data_request","n":"%s"}`
	forged := post(t, server.URL, fmt.Sprintf(asked, "forged"))
	stamp(t, forged, present(), []byte("another body"))
	old := post(t, server.URL, fmt.Sprintf(asked, "old"))
	stamp(t, old, present().Add(-time.Hour), []byte(fmt.Sprintf(asked, "old")))
	header := post(t, server.URL, `{}`)
	header.Header.Set(delivery.EventHeader, partner.DataRequestEvent)
	valid := post(t, server.URL, fmt.Sprintf(asked, "valid"))
	for _, request := range []*http.Request{forged, old, header, post(t, server.URL, "text"), post(t, server.URL, opened), valid} {
		do(t, server.Client(), request)
		receive(t, done, "the delivery")
	}
	if want := []string{fmt.Sprintf(asked, "valid")}; !slices.Equal(accepted, want) {
		t.Errorf("got %q, want %q", accepted, want)
	}
}

func TestDoneIsCalledOneAtATime(t *testing.T) {
	t.Parallel()
	const senders = 50
	options, _ := newOptions(t)
	// Both without a lock: the race detector sees what is not serialised.
	inside, calls := 0, 0
	var overlaps atomic.Int64
	options.Done = func(listen.Delivery) {
		if inside++; inside != 1 {
			overlaps.Add(1)
		}
		calls++
		inside--
	}
	server := serve(t, options)
	var wait sync.WaitGroup
	for range senders {
		request := post(t, server.URL, opened)
		wait.Go(func() {
			if got, err := try(server.Client(), request); err != nil || got.status != http.StatusOK {
				t.Errorf("got %d and %v, want 200", got.status, err)
			}
		})
	}
	wait.Wait()
	server.Close()
	if calls != senders || overlaps.Load() != 0 {
		t.Errorf("got %d calls, %d of them at the same time; want %d and none", calls, overlaps.Load(), senders)
	}
}

func TestAnswerIsOutBeforeDone(t *testing.T) {
	t.Parallel()
	options, _ := newOptions(t)
	release := make(chan struct{})
	options.Done = func(listen.Delivery) { <-release }
	server := serve(t, options)
	t.Cleanup(sync.OnceFunc(func() { close(release) }))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if got := do(t, server.Client(), post(t, server.URL, opened).WithContext(ctx)); got.status != http.StatusOK {
		t.Errorf("got %d, want 200", got.status)
	}
}

func TestLatencyEndsWithTheAnswerReady(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	var mu sync.Mutex
	now := present()
	options.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(7 * time.Millisecond)
		return now
	}
	server := serve(t, options)
	do(t, server.Client(), post(t, server.URL, opened))
	if got, want := receive(t, done, "the delivery").Record.Latency, 7*time.Millisecond; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPartnerAPIIsMounted(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	mock := partner.NewMock(partner.MockOptions{Now: present, OnReply: func(partner.Received) {}})
	options.PartnerAPI = mock
	options.Accepted = func(payload []byte) {
		if err := mock.Remember(payload); err != nil {
			t.Error(err)
		}
	}
	server := serve(t, options)
	const asked = `{"event":"user.data_request","data":{"dataRequestId":"dr_acme_1","linkId":"link_acme_1",` +
		`"referenceId":"user_1","requiredFields":["name.secondName"],` +
		`"replyEndpoint":"http://localhost:3000/partner/data-requests/dr_acme_1","expiresAt":"2026-01-26T15:30:00.000Z"}}`
	do(t, server.Client(), post(t, server.URL, asked))
	receive(t, done, "the data request")
	reply := func(method, path, host string) answer {
		request := post(t, server.URL+path, "")
		request.Method, request.Header = method, http.Header{"X-Api-Key": {"m2m_test_abc"}, "Content-Type": {"application/json"}}
		body := `{"referenceId":"user_1","userData":{"name":{"secondName":"Carlos"}}}`
		request.Body, request.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		if host != "" {
			request.Host = host
		}
		return do(t, server.Client(), request)
	}
	for _, c := range []struct {
		name, method, path, host string
		status                   int
	}{
		{"a PUT from a web page", "PUT", "/partner/data-requests/dr_acme_1", "hooks.test", 421},
		{"an id that nobody asked for", "PUT", "/partner/data-requests/dr_acme_2", "", 404},
		{"a PUT to another path", "PUT", "/webhooks/m2m", "", 405},
		{"a reply", "PUT", "/partner/data-requests/dr_acme_1", "", 200},
		{"the same again", "PUT", "/partner/data-requests/dr_acme_1", "", 409},
		{"a POST to the same path", "POST", "/partner/data-requests/dr_acme_1", "", 401},
	} {
		if got := reply(c.method, c.path, c.host); got.status != c.status {
			t.Errorf("%s: got %d %s, want %d", c.name, got.status, got.body, c.status)
		}
	}
	receive(t, done, "the unsigned POST")
	server.Close()
	if len(done) != 0 {
		t.Errorf("%d replies were counted as deliveries", len(done))
	}
}
