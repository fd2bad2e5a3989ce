package webhook_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/examples/go/webhook"
)

const secret = "whsec_test_1"

var now = time.Date(2026, 1, 26, 14, 30, 0, 0, time.UTC)

const operation = `{"event":"operation.created","data":{"operationId":"op_1","amount":{"send":100.00}}}`

// output is what a Handler logs, safe to read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// newHandler fills in what a test leaves out of cfg.
func newHandler(t *testing.T, cfg webhook.Config) (*webhook.Handler, *output) {
	t.Helper()
	log := new(output)
	cfg.Secret, cfg.Log = secret, log
	cfg.Now = func() time.Time { return now }
	handler, err := webhook.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return handler, log
}

func sign(key, timestamp, body string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(timestamp + "." + body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// signed is a delivery of body, signed at the given time.
func signed(at time.Time, body string) *http.Request {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	request := httptest.NewRequest(http.MethodPost, webhook.Path, strings.NewReader(body))
	request.Header.Set("X-M2M-Timestamp", timestamp)
	request.Header.Set("X-M2M-Signature", sign(secret, timestamp, body))
	return request
}

func serve(handler http.Handler, request *http.Request) (status int, body string) {
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.String()
}

func TestNewRefusesAnEmptySecret(t *testing.T) {
	t.Parallel()
	if _, err := webhook.New(webhook.Config{}); err == nil {
		t.Error("New took an empty secret, want an error")
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	// signedAs is a delivery of the operation with the given header texts.
	signedAs := func(timestamp, signature string) *http.Request {
		request := signed(now, operation)
		request.Header.Set("X-M2M-Timestamp", timestamp)
		request.Header.Set("X-M2M-Signature", signature)
		return request
	}
	present := strconv.FormatInt(now.Unix(), 10)
	good := sign(secret, present, operation)
	without := func(header string) *http.Request {
		request := signed(now, operation)
		request.Header.Del(header)
		return request
	}
	tampered := signed(now, operation)
	tampered.Body = io.NopCloser(strings.NewReader(strings.Replace(operation, "100.00", "900.00", 1)))
	repeated := signed(now, operation)
	repeated.Header.Add("X-M2M-Signature", sign("forger", present, operation))

	const ok, refused = "OK", "Invalid signature"
	tests := []struct {
		name    string
		request *http.Request
		status  int
		body    string
	}{
		{"well signed", signed(now, operation), 200, ok},
		{"five minutes old", signed(now.Add(-5*time.Minute), operation), 200, ok},
		{"five minutes ahead", signed(now.Add(5*time.Minute), operation), 200, ok},
		{"leading zero in the timestamp", signedAs("0"+present, sign(secret, "0"+present, operation)), 200, ok},
		{"unknown event", signed(now, `{"event":"link.expired","data":[1]}`), 200, ok},
		{"known event without data", signed(now, `{"event":"link.opened"}`), 200, ok},
		{"known event with a number as id", signed(now, `{"event":"link.opened","data":{"linkId":7}}`), 200, ok},
		{"a MiB", signed(now, operation+strings.Repeat(" ", webhook.MaxBody-len(operation))), 200, ok},

		{"a second more than five minutes old", signed(now.Add(-5*time.Minute-time.Second), operation), 401, refused},
		{"a second more than five minutes ahead", signed(now.Add(5*time.Minute+time.Second), operation), 401, refused},
		{"no signature", without("X-M2M-Signature"), 401, refused},
		{"no timestamp", without("X-M2M-Timestamp"), 401, refused},
		{"empty signature", signedAs(present, ""), 401, refused},
		{"short signature", signedAs(present, good[:len(good)-8]), 401, refused},
		{"long signature", signedAs(present, good+"00"), 401, refused},
		{"signature without its prefix", signedAs(present, strings.TrimPrefix(good, "sha256=")), 401, refused},
		{"signature in capitals", signedAs(present, "sha256="+strings.ToUpper(good[len("sha256="):])), 401, refused},
		{"signature that is no hex", signedAs(present, "sha256="+strings.Repeat("é", 32)), 401, refused},
		{"one hex digit changed", signedAs(present, flipLast(good)), 401, refused},
		{"second signature by somebody else", repeated, 401, refused},
		{"another secret", signedAs(present, sign("whsec_test_2", present, operation)), 401, refused},
		{"an empty secret", signedAs(present, sign("", present, operation)), 401, refused},
		{"timestamp with a sign", signedAs("+"+present, sign(secret, "+"+present, operation)), 401, refused},
		{"timestamp with an underscore", signedAs("1_769_437_800", sign(secret, "1_769_437_800", operation)), 401, refused},
		{"timestamp in milliseconds", signedAs(present+"000", sign(secret, present+"000", operation)), 401, refused},
		{"timestamp of 2^63", signedAs("9223372036854775808", sign(secret, "9223372036854775808", operation)), 401, refused},
		{"timestamp below 2^63", signedAs("9223372036854775807", sign(secret, "9223372036854775807", operation)), 401, refused},
		{"timestamp a second later than signed", signedAs(strconv.FormatInt(now.Unix()+1, 10), good), 401, refused},
		{"body changed", tampered, 401, refused},
		{"unsigned and not JSON", httptest.NewRequest(http.MethodPost, webhook.Path, strings.NewReader("{")), 401, refused},

		{"signed, not JSON", signed(now, "hello"), 400, "Not an event"},
		{"signed, empty", signed(now, ""), 400, "Not an event"},
		{"signed, null", signed(now, "null"), 400, "Not an event"},
		{"signed, a list", signed(now, "[]"), 400, "Not an event"},
		{"signed, no event in it", signed(now, "{}"), 400, "Not an event"},
		{"more than a MiB", signed(now, strings.Repeat(" ", webhook.MaxBody+1)), 413, "Payload Too Large"},
		{"GET", httptest.NewRequest(http.MethodGet, webhook.Path, http.NoBody), 405, "Method Not Allowed"},
		{"PUT", httptest.NewRequest(http.MethodPut, webhook.Path, strings.NewReader("{}")), 405, "Method Not Allowed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			handler, log := newHandler(t, webhook.Config{})
			status, body := serve(handler, test.request)
			if status != test.status || body != test.body {
				t.Errorf("got %d %q, want %d %q", status, body, test.status, test.body)
			}
			if logged := log.String(); (logged != "") != (test.status == 200) {
				t.Errorf("logged %q after a %d", logged, test.status)
			}
		})
	}
}

func flipLast(signature string) string {
	last := byte('0')
	if strings.HasSuffix(signature, "0") {
		last = '1'
	}
	return signature[:len(signature)-1] + string(last)
}

func TestLog(t *testing.T) {
	t.Parallel()
	const cancellation = `{"event":"operation.cancelled","data":{"operationId":"op_1"}}`
	tests := []struct {
		name   string
		bodies []string
		want   string
	}{
		{
			"a repeat has no second effect",
			[]string{operation, operation, strings.Replace(operation, "op_1", "op_2", 1)},
			"operation.created \"op_1\" recorded\n" +
				"operation.created \"op_1\" duplicate ignored\n" +
				"operation.created \"op_2\" recorded\n",
		},
		{
			"events about one thing are not each other's repeats",
			[]string{operation, cancellation},
			"operation.created \"op_1\" recorded\noperation.cancelled \"op_1\" recorded\n",
		},
		{
			"cancelled before created stays cancelled",
			[]string{cancellation, operation},
			"operation.cancelled \"op_1\" recorded\noperation.created \"op_1\" recorded, stays cancelled\n",
		},
		{
			"links are told apart by link id",
			[]string{`{"event":"link.created","data":{"linkId":"a"}}`, `{"event":"link.created","data":{"linkId":"b"}}`},
			"link.created \"a\" recorded\nlink.created \"b\" recorded\n",
		},
		{
			"events without an id are not each other's repeats",
			[]string{`{"event":"link.opened"}`, `{"event":"link.opened","data":{"linkId":7}}`},
			"link.opened without linkId, ignored\nlink.opened without linkId, ignored\n",
		},
		{
			"nothing from a payload reaches the log raw",
			[]string{"{\"event\":\"link.opened\",\"data\":{\"linkId\":\"a\\nb\\u001b[31m\\u202e\\u009b\"}}", `{"event":"\u001b"}`},
			"link.opened \"a\\nb\\x1b[31m\\u202e\\u009b\" recorded\n\"\\x1b\" unknown, ignored\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			handler, log := newHandler(t, webhook.Config{})
			for _, body := range test.bodies {
				if status, _ := serve(handler, signed(now, body)); status != http.StatusOK {
					t.Errorf("%s: got %d, want 200", body, status)
				}
			}
			if got := log.String(); got != test.want {
				t.Errorf("log:\ngot  %q\nwant %q", got, test.want)
			}
		})
	}
}

// full is a writer that takes nothing until there is room.
type full struct {
	output
	room bool
}

func (f *full) Write(p []byte) (int, error) {
	if !f.room {
		return 0, errors.New("no space left")
	}
	return f.output.Write(p)
}

func TestAnEffectThatCannotBeWrittenIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	effects := new(full)
	handler, log := newHandler(t, webhook.Config{Effects: effects})
	if status, body := serve(handler, signed(now, operation)); status != 500 || body != "Internal Server Error" {
		t.Errorf("got %d %q, want 500", status, body)
	}
	effects.room = true
	if status, body := serve(handler, signed(now, operation)); status != 200 {
		t.Errorf("sent again: got %d %q, want 200", status, body)
	}
	if got, want := effects.String(), "operation.created \"op_1\"\n"; got != want {
		t.Errorf("effects: got %q, want %q", got, want)
	}
	want := "operation.created not recorded: no space left\noperation.created \"op_1\" recorded\n"
	if got := log.String(); got != want {
		t.Errorf("log: got %q, want %q", got, want)
	}
}

func TestConcurrentDuplicatesHaveOneEffect(t *testing.T) {
	t.Parallel()
	const deliveries = 64
	handler, log := newHandler(t, webhook.Config{})
	start := make(chan struct{})
	var done sync.WaitGroup
	for range deliveries {
		request := signed(now, operation)
		done.Go(func() {
			<-start
			if status, _ := serve(handler, request); status != http.StatusOK {
				t.Errorf("got %d, want 200", status)
			}
		})
	}
	close(start)
	done.Wait()
	if got := strings.Count(log.String(), " recorded\n"); got != 1 {
		t.Errorf("recorded %d times, want once", got)
	}
	if got := strings.Count(log.String(), " duplicate ignored\n"); got != deliveries-1 {
		t.Errorf("ignored %d times, want %d", got, deliveries-1)
	}
}
