package examples_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The handler built as the documentation builds one has the traps that its comment tells
// of, and no others.
func TestDocumentedHandler(t *testing.T) {
	t.Parallel()
	// NODE_ENV keeps the stack traces in the answers, off standard error.
	h := start(t, nodeCommand(t, "testdata/documented/server.js"), "M2M_API_KEY="+testKey, "NODE_ENV=test")
	a := newAPI(t)
	body := operation(t, "op_1")
	plain := signed(body)
	signature := plain.headers["X-M2M-Signature"]

	tests := []struct {
		name     string
		delivery delivery
		status   int
		body     string
	}{
		{"a sample", signed(sample(t, "operation.created")), 200, "OK"},
		{"unusual spelling", signed([]byte(unusualSpelling)), 200, "OK"},
		{"charset", plain.with("Content-Type", "application/json; charset=utf-8"), 200, "OK"},
		{"unknown event", signed(bytes.Replace(body, []byte("operation.created"), []byte("constructor"), 1)), 200, "OK"},
		{"a data request", signed(stringifiedRequest(t, "dr_1", a.URL)), 200, "OK"},
		{"no prefix", plain.with("X-M2M-Signature", strings.TrimPrefix(signature, "sha256=")), 200, "OK"},
		{"an hour old", signedWith(secret, unix(time.Now().Add(-time.Hour)), body), 200, "OK"},
		{"another secret", signedWith("another", unix(time.Now()), body), 401, "Invalid signature"},
		{"empty key", signedWith("", unix(time.Now()), body), 401, "Invalid signature"},
		{"no timestamp", plain.without("X-M2M-Timestamp"), 401, "Invalid signature"},
		{"256 KiB", signed(append(body, bytes.Repeat([]byte(" "), 256<<10)...)), 413, "PayloadTooLargeError: "},
		{"no signature", plain.without("X-M2M-Signature"), 500, "TypeError: "},
		{"empty signature", plain.with("X-M2M-Signature", ""), 500, "RangeError"},
		{"short signature", plain.with("X-M2M-Signature", signature[:40]), 500, "RangeError"},
		{"signed, not JSON", signed([]byte("hello")), 500, "SyntaxError: "},
		{"another content type", plain.with("Content-Type", "text/plain"), 500, "TypeError: "},
		{"GET", delivery{method: http.MethodGet}, 404, "Cannot GET"},
	}
	for _, test := range tests {
		status, body, err := h.post(test.delivery)
		if err != nil || status != test.status || !strings.Contains(body, test.body) {
			t.Errorf("%s: got %d %q, %v, want %d %q", test.name, status, body, err, test.status, test.body)
		}
	}

	h.wantLog(t,
		"Operation created: op_a1b2c3d4e5f6", "Operation created: op_odd", "Operation created: op_1",
		"Unknown event: constructor", "Data request: dr_1", "Operation created: op_1", "Operation created: op_1",
	)
	a.Close()
	if len(a.puts) > 0 {
		t.Errorf("it sent %s, want nothing: the documented handler leaves that to its reader", <-a.puts)
	}
}
