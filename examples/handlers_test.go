// Package examples_test starts the reference handlers as partners run them, as
// processes, and delivers to each what M2M and an attacker would. It reaches nothing
// but the loopback address, and signs with crypto/hmac alone: no code of the tool's own
// can make both sides wrong in the same way.
package examples_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const secret = "m2m-handlers-test"

var sampleEvents = []string{
	"link.created", "link.opened", "user.data_request", "operation.created", "operation.cancelled",
}

// sample returns the documented body of an event, byte for byte.
func sample(t *testing.T, event string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "fixtures", "events", event+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// handlers returns what makes the command of each reference handler.
func handlers() map[string]func(*testing.T) []string {
	return map[string]func(*testing.T) []string{
		"go": goCommand, "express": expressCommand, "flask": flaskCommand,
	}
}

func TestDocumentedEvents(t *testing.T) {
	t.Parallel()
	for name, command := range handlers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, command(t))
			for range 2 {
				for _, event := range sampleEvents {
					h.deliver(t, signed(sample(t, event)), 200, "OK")
				}
			}
			h.wantLog(t,
				`link.created "link_acme_a1b2c3d4e5f6" recorded`,
				`link.opened "link_acme_a1b2c3d4e5f6" recorded`,
				`user.data_request "dr_acme_x9y8z7w6v5u4" recorded`,
				`data request "dr_acme_x9y8z7w6v5u4" not answered: no API key`,
				`operation.created "op_a1b2c3d4e5f6" recorded`,
				`operation.cancelled "op_a1b2c3d4e5f6" recorded`,
				`link.created "link_acme_a1b2c3d4e5f6" duplicate ignored`,
				`link.opened "link_acme_a1b2c3d4e5f6" duplicate ignored`,
				`user.data_request "dr_acme_x9y8z7w6v5u4" duplicate ignored`,
				`operation.created "op_a1b2c3d4e5f6" duplicate ignored`,
				`operation.cancelled "op_a1b2c3d4e5f6" duplicate ignored`,
			)
		})
	}
}

func TestCancelledBeforeCreated(t *testing.T) {
	t.Parallel()
	for name, command := range handlers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, command(t))
			h.deliver(t, signed(sample(t, "operation.cancelled")), 200, "OK")
			h.deliver(t, signed(sample(t, "operation.created")), 200, "OK")
			h.wantLog(t,
				`operation.cancelled "op_a1b2c3d4e5f6" recorded`,
				`operation.created "op_a1b2c3d4e5f6" recorded, stays cancelled`,
			)
		})
	}
}

func TestOddEventsAreLoggedSafely(t *testing.T) {
	t.Parallel()
	for name, command := range handlers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, command(t))
			for range 2 {
				h.deliver(t, signed([]byte(`{"event":"operation.created","data":{"operationId":""}}`)), 200, "OK")
			}
			h.deliver(t, signed([]byte(`{"event":"constructor","data":{"linkId":"a"}}`)), 200, "OK")
			h.wantLog(t,
				`operation.created without operationId, ignored`,
				`operation.created without operationId, ignored`,
				`"constructor" unknown, ignored`,
			)
			// A line break, an escape sequence, C1, DEL, a change of direction.
			h.deliver(t, signed([]byte(`{"event":"link.opened","data":{"linkId":"a\nb\u001b[31m\u009b\u007f\u202e"}}`)), 200, "OK")
			got := h.line(t)
			raw := strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r > '~' })
			if raw || !strings.HasPrefix(got, `link.opened "a\nb\`) || !strings.HasSuffix(got, `" recorded`) {
				t.Errorf("logged %q", got)
			}
		})
	}
}

func TestConcurrentDuplicates(t *testing.T) {
	t.Parallel()
	for name, command := range handlers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, command(t))
			const deliveries = 20
			d := signed(sample(t, "operation.created"))
			barrier := make(chan struct{})
			var done sync.WaitGroup
			for range deliveries {
				done.Go(func() {
					<-barrier
					if status, body, err := h.post(d); err != nil || status != 200 {
						t.Errorf("got %d %q, %v, want 200", status, body, err)
					}
				})
			}
			close(barrier)
			done.Wait()

			want := []string{`operation.created "op_a1b2c3d4e5f6" recorded`}
			for range deliveries - 1 {
				want = append(want, `operation.created "op_a1b2c3d4e5f6" duplicate ignored`)
			}
			h.wantLog(t, want...)
		})
	}
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	body := sample(t, "operation.created")
	tampered := signed(body)
	tampered.body = bytes.Replace(body, []byte("100.00"), []byte("900.00"), 1)
	if bytes.Equal(tampered.body, body) {
		t.Fatal("nothing was tampered with")
	}
	good := signed(body)
	large := bytes.Replace(body, []byte(`"data": {`),
		[]byte(`"data": { "note": "`+strings.Repeat("x", 256<<10)+`",`), 1)
	if len(large) < 256<<10 {
		t.Fatal("the large body is not large")
	}
	now := time.Now()

	tests := []struct {
		name     string
		delivery delivery
		status   int
		body     string
	}{
		{"content type with a charset", good.with("Content-Type", "application/json; charset=utf-8"), 200, "OK"},
		{"another content type", good.with("Content-Type", "text/plain"), 200, "OK"},
		{"no content type", good.without("Content-Type"), 200, "OK"},
		{"lower-case header names", good.lowerCase(), 200, "OK"},
		{"no event header", good.without("X-M2M-Event"), 200, "OK"},
		{"256 KiB", signed(large), 200, "OK"},
		{"unknown event", signed(bytes.Replace(body, []byte("operation.created"), []byte("operation.paused"), 1)), 200, "OK"},
		{"known event without an id", signed([]byte(`{"event":"operation.created","data":null}`)), 200, "OK"},

		{"no signature", good.without("X-M2M-Signature"), 401, "Invalid signature"},
		{"empty signature", good.with("X-M2M-Signature", ""), 401, "Invalid signature"},
		{"short signature", good.with("X-M2M-Signature", good.headers["X-M2M-Signature"][:63]), 401, "Invalid signature"},
		{"no prefix", good.with("X-M2M-Signature", good.headers["X-M2M-Signature"][len("sha256="):]), 401, "Invalid signature"},
		{"71 characters in more bytes", good.with("X-M2M-Signature", "sha256="+strings.Repeat("\xe9", 64)), 401, "Invalid signature"},
		{"no timestamp", good.without("X-M2M-Timestamp"), 401, "Invalid signature"},
		{"timestamp that is no number", signedWith(secret, "soon", body), 401, "Invalid signature"},
		{"timestamp with a sign", signedWith(secret, "+"+unix(now), body), 401, "Invalid signature"},
		{"timestamp in milliseconds", signedWith(secret, unix(now)+"000", body), 401, "Invalid signature"},
		{"wrong secret", signedWith("another", unix(now), body), 401, "Invalid signature"},
		{"empty secret", signedWith("", unix(now), body), 401, "Invalid signature"},
		{"stale", signedWith(secret, unix(now.Add(-time.Hour)), body), 401, "Invalid signature"},
		{"future", signedWith(secret, unix(now.Add(time.Hour)), body), 401, "Invalid signature"},
		{"tampered body", tampered, 401, "Invalid signature"},
		{"tampered timestamp", good.with("X-M2M-Timestamp", unix(now.Add(time.Minute))), 401, "Invalid signature"},
		{"unsigned and not JSON", delivery{method: http.MethodPost, body: []byte("{")}, 401, "Invalid signature"},
		{"unsigned and empty", delivery{method: http.MethodPost}, 401, "Invalid signature"},

		{"authentic, not JSON", signed([]byte("hello")), 400, "Not an event"},
		{"authentic, null", signed([]byte("null")), 400, "Not an event"},
		{"authentic, a list", signed([]byte(`["operation.created"]`)), 400, "Not an event"},
		{"authentic, empty", signed(nil), 400, "Not an event"},
		{"a byte more than 1 MiB", signed(bytes.Repeat([]byte(" "), 1<<20+1)), 413, "Payload Too Large"},
		{"GET", good.as(http.MethodGet), 405, "Method Not Allowed"},
		{"PUT", good.as(http.MethodPut), 405, "Method Not Allowed"},
		{"OPTIONS", good.as(http.MethodOptions), 405, "Method Not Allowed"},
	}
	all := handlers()
	for name, command := range careless() { // without a habit they are as good
		all["careless "+name] = command
	}
	for name, command := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, command(t))
			for _, test := range tests {
				t.Run(test.name, func(t *testing.T) {
					h.deliver(t, test.delivery, test.status, test.body)
				})
			}
			t.Run("another path", func(t *testing.T) {
				elsewhere := *h
				elsewhere.url += "/"
				if status, _, err := elsewhere.post(good); err != nil || status != 404 {
					t.Errorf("got %d, %v, want 404", status, err)
				}
			})
			t.Run("authentic, neither a body nor its length", func(t *testing.T) {
				headers := "Host: localhost\r\nConnection: close\r\n"
				for name, value := range signed(nil).headers {
					headers += name + ": " + value + "\r\n"
				}
				if got := h.raw(t, "POST /webhooks/m2m HTTP/1.1\r\n"+headers+"\r\n"); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
					t.Errorf("got %q, want 400", got)
				}
			})
			t.Run("a good one after garbage", func(t *testing.T) {
				h.raw(t, "\x16\x03\x01\x02\x00 no HTTP at all\r\n\r\n")
				h.deliver(t, good, 200, "OK")
			})
		})
	}
}

func TestNoSecretNoStart(t *testing.T) {
	t.Parallel()
	for name, command := range handlers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, env := range [][]string{nil, {"M2M_WEBHOOK_SECRET="}} {
				output, err := run(t, command(t), append(env, "PORT=0"))
				if err == nil || !strings.Contains(output, "M2M_WEBHOOK_SECRET") {
					t.Errorf("with %q: got %q, %v, want a word about the secret and a failure", env, output, err)
				}
			}
		})
	}
}
