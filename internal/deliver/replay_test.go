package deliver_test

import (
	"testing"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
)

// TestReplaySendsNoAPIKey has a capture hold one, as those that people put together by
// hand do: it is for the Partner API, and for nobody that deliveries are sent to.
func TestReplaySendsNoAPIKey(t *testing.T) {
	t.Parallel()
	target, err := endpoint.ParseTarget("localhost")
	if err != nil {
		t.Fatal(err)
	}
	captured := delivery.Request{Headers: delivery.Headers{
		{Name: "x-api-key", Value: "m2m_live_1"}, {Name: "X-API-Key", Value: "m2m_live_2"}, {Name: "X-Note", Value: "stays"},
	}}
	got := deliver.Spec{Target: target}.Replay(captured, "")
	if len(got.Headers) != 1 || got.Headers[0].Name != "X-Note" {
		t.Errorf("got %v", got.Headers)
	}
}

func TestReplayLeavesTheOldConnectionBehind(t *testing.T) {
	t.Parallel()
	target, err := endpoint.ParseTarget("localhost")
	if err != nil {
		t.Fatal(err)
	}
	var captured delivery.Request
	for _, name := range []string{
		"Host", "connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Upgrade", "Expect", "Content-Length", "Transfer-Encoding",
		":authority", "not a name", "X-Note",
	} {
		captured.Headers = append(captured.Headers, delivery.Header{Name: name, Value: "x"})
	}
	captured.Headers = append(captured.Headers, delivery.Header{Name: "X-Broken", Value: "a\r\nb"})
	got := deliver.Spec{Target: target}.Replay(captured, "")
	if len(got.Headers) != 1 || got.Headers[0].Name != "X-Note" {
		t.Errorf("got %v", got.Headers)
	}
}
