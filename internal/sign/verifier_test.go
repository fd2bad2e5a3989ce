package sign_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/sign"
)

func raw(m sign.Message) sign.RawMessage {
	return sign.RawMessage{
		Signature: []byte(m.Signature), HasSignature: m.HasSignature,
		Timestamp: []byte(m.Timestamp), HasTimestamp: m.HasTimestamp,
		Body: m.Body,
	}
}

// TestVerifierForgets judges every vector twice with one Verifier: nothing of a
// message may be left over for the next.
func TestVerifierForgets(t *testing.T) {
	t.Parallel()
	byKey := map[string]*sign.Verifier{}
	for range 2 {
		for _, v := range loadVectors(t) {
			k := key(t, v.Secret)
			if byKey[v.Secret] == nil {
				byKey[v.Secret] = sign.NewVerifier([]sign.Key{key(t, "another"), {}, k})
			}
			clock := sign.Clock{Now: time.Unix(sentAt, 0), Tolerance: time.Minute}
			want := sign.Verify(v.message(), []sign.Key{key(t, "another"), {}, k}, clock)
			got := byKey[v.Secret].Verify(v.message(), clock)
			if diff := cmp.Diff(want, got, cmp.Comparer(sameKey)); diff != "" {
				t.Errorf("%s (-alone +reused):\n%s", v.Name, diff)
			}
			got = byKey[v.Secret].VerifyRaw(raw(v.message()), clock)
			if diff := cmp.Diff(want, got, cmp.Comparer(sameKey)); diff != "" {
				t.Errorf("%s (-alone +raw):\n%s", v.Name, diff)
			}
		}
	}
}

func sameKey(a, b sign.Key) bool { return a.Fingerprint() == b.Fingerprint() }

func TestVerifierMAC(t *testing.T) {
	t.Parallel()
	first, second := key(t, "first"), key(t, "second")
	const zeros = "sha256=0000000000000000000000000000000000000000000000000000000000000000"
	byFirst, bySecond := first.Sign(sentAtText, []byte("{}")), second.Sign(sentAtText, []byte("{}"))
	message := func(signature string) sign.Message {
		m := signed(first, sentAtText, "{}")
		m.Signature = signature
		return m
	}
	withoutTime := message(zeros)
	withoutTime.HasTimestamp = false
	v := sign.NewVerifier([]sign.Key{first, second})
	for _, c := range []struct {
		name    string
		message sign.Message
		want    string
	}{
		{"one signed by the first key", message(byFirst), byFirst},
		{"one signed by the second", message(bySecond), bySecond},
		{"a forged one, by the first", message(zeros), byFirst},
		{"a malformed one, by the first", message("none"), byFirst},
		{"one without a timestamp has none", withoutTime, ""},
	} {
		v.Verify(c.message, sign.Clock{})
		mac, ok := v.MAC()
		got := ""
		if ok {
			got = sign.Prefix + hex.EncodeToString(mac[:])
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestVerifierTakesNoMemory(t *testing.T) {
	k := key(t, "secret")
	v := sign.NewVerifier([]sign.Key{key(t, "another"), k})
	m := signed(k, sentAtText, strings.Repeat("x", 1024))
	rawMessage, clock := raw(m), sign.Clock{Now: time.Unix(sentAt, 0), Tolerance: time.Minute}
	if !v.Verify(m, clock).Valid() || !v.VerifyRaw(rawMessage, clock).Valid() {
		t.Fatal("the message is not valid")
	}
	if got := testing.AllocsPerRun(100, func() { v.Verify(m, clock) }); got != 0 {
		t.Errorf("got %v allocations, want none", got)
	}
	if got := testing.AllocsPerRun(100, func() { v.VerifyRaw(rawMessage, clock) }); got != 0 {
		t.Errorf("got %v allocations of a raw message, want none", got)
	}
}

func TestTimestampsAtTheLimit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"9223372036854775807":    true,
		"0009223372036854775807": true,
		"9223372036854775808":    false,
		"9223372036854775810":    false,
		"18446744073709551616":   false,
		"99999999999999999999":   false,
		"17/":                    false,
		"17:":                    false,
		"":                       false,
	} {
		if seconds, ok := sign.ParseTimestamp(text); ok != want {
			t.Errorf("%q: got %d and %t, want %t", text, seconds, ok, want)
		}
	}
}

func BenchmarkVerifier(b *testing.B) {
	k := key(b, "m2m-dev-secret")
	v := sign.NewVerifier([]sign.Key{k})
	m := raw(signed(k, sentAtText, strings.Repeat("x", 1024)))
	b.ReportAllocs()
	for b.Loop() {
		if !v.VerifyRaw(m, sign.Clock{}).Valid() {
			b.Fatal("not valid")
		}
	}
}
