package sign_test

import (
	"testing"

	"github.com/leapfinancial/m2m/internal/sign"
)

// change returns the message with one byte of its signature, timestamp or body
// changed: the byte at that place in the three joined, by the bits of flip.
func change(m sign.Message, at int, flip byte) sign.Message {
	flipped := func(text []byte, at int) []byte {
		changed := append([]byte(nil), text...)
		changed[at] ^= flip
		return changed
	}
	switch {
	case at < len(m.Signature):
		m.Signature = string(flipped([]byte(m.Signature), at))
	case at < len(m.Signature)+len(m.Timestamp):
		m.Timestamp = string(flipped([]byte(m.Timestamp), at-len(m.Signature)))
	default:
		m.Body = flipped(m.Body, at-len(m.Signature)-len(m.Timestamp))
	}
	return m
}

func size(m sign.Message) int { return len(m.Signature) + len(m.Timestamp) + len(m.Body) }

func TestEveryBitCounts(t *testing.T) {
	t.Parallel()
	k := key(t, "secret")
	m := signed(k, sentAtText, `{"event":"link.opened"}`)
	if got := sign.Verify(m, []sign.Key{k}, sign.Clock{}); !got.Valid() {
		t.Fatalf("unchanged: got %q, want it valid", got.Reason)
	}
	for at := range size(m) {
		for bit := range 8 {
			if sign.Verify(change(m, at, 1<<bit), []sign.Key{k}, sign.Clock{}).Valid() {
				t.Errorf("still valid with bit %d of byte %d changed", bit, at)
			}
		}
	}
}

// FuzzVerify: what is signed verifies when its timestamp is well formed, and stops
// verifying when any byte of signature, timestamp or body changes.
func FuzzVerify(f *testing.F) {
	seeds := 0
	for _, v := range loadVectors(f) {
		if v.Timestamp == nil {
			continue
		}
		f.Add(v.Secret, *v.Timestamp, v.body(), uint(seeds*7), byte(1)<<(seeds%8))
		seeds++
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, secret, timestamp string, body []byte, at uint, flip byte) {
		k, err := sign.NewKey(secret)
		if err != nil {
			t.Skip("an empty secret is no key")
		}
		keys := []sign.Key{k}
		m := signed(k, timestamp, string(body))
		got := sign.Verify(m, keys, sign.Clock{})
		if _, wellFormed := sign.ParseTimestamp(timestamp); got.Valid() != wellFormed {
			t.Fatalf("unchanged: got valid %t with reason %q, and a well-formed timestamp %t",
				got.Valid(), got.Reason, wellFormed)
		}
		if flip == 0 {
			return
		}
		place := int(at % uint(size(m)))
		if sign.Verify(change(m, place, flip), keys, sign.Clock{}).Valid() {
			t.Fatalf("still valid with byte %d changed by %#02x", place, flip)
		}
	})
}
