package diagnose

import (
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/fixtures"
	"github.com/leapfinancial/m2m/internal/sign"
)

// TestDocumentedOrder keeps of a documented payload what a handler would that parsed
// it into a map: its members sorted, its numbers shortened. The signature is over
// the documented bytes.
func TestDocumentedOrder(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(fixtures.FS, "events/*.json")
	if err != nil || len(names) != 5 {
		t.Fatalf("got %d samples and error %v, want 5", len(names), err)
	}
	var samples [][]byte
	for _, name := range names {
		sample, err := fs.ReadFile(fixtures.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, sample)
	}
	key := newKey(t, "secret")
	for i, sample := range samples {
		var payload map[string]any
		if err := json.Unmarshal(sample, &payload); err != nil {
			t.Fatal(err)
		}
		kept, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		delivery := Delivery{ContentLength: -1, Message: sign.Message{
			Signature: key.Sign("1769437800", sample), HasSignature: true,
			Timestamp: "1769437800", HasTimestamp: true, Body: kept,
		}}
		got := New([]sign.Key{key}, nil, samples...).Diagnose(delivery, Thorough)
		if got.Cause() != ReserializedJSON || !strings.Contains(got.Message(), "members in the documented order") {
			t.Errorf("%s: got %s: %s", names[i], got.Cause(), got.Message())
		}
		others := slices.Delete(slices.Clone(samples), i, i+1)
		if got := New([]sign.Key{key}, nil, others...).Diagnose(delivery, Quick); got.Cause() != Unknown {
			t.Errorf("%s: got %s without its sample", names[i], got.Cause())
		}
	}
}
