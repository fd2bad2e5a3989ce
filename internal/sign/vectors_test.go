package sign_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os/exec"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/fixtures"
	"github.com/leapfinancial/m2m/internal/sign"
)

// vector is one of fixtures/vectors/signatures.json: a header that is absent there
// is nil here.
type vector struct {
	Name       string      `json:"name"`
	Secret     string      `json:"secret"`
	Timestamp  *string     `json:"timestamp"`
	Body       *string     `json:"body"`
	BodyBase64 []byte      `json:"bodyBase64"`
	Signature  *string     `json:"signature"`
	Valid      bool        `json:"valid"`
	Reason     sign.Reason `json:"reason"`
}

func (v vector) body() []byte {
	if v.Body != nil {
		return []byte(*v.Body)
	}
	return v.BodyBase64
}

func (v vector) message() sign.Message {
	m := sign.Message{Body: v.body()}
	if v.Signature != nil {
		m.Signature, m.HasSignature = *v.Signature, true
	}
	if v.Timestamp != nil {
		m.Timestamp, m.HasTimestamp = *v.Timestamp, true
	}
	return m
}

// loadVectors fails the test for an empty list, an unknown member and a vector
// that contradicts itself, so that no vector can go unchecked.
func loadVectors(tb testing.TB) []vector {
	tb.Helper()
	text, err := fs.ReadFile(fixtures.FS, "vectors/signatures.json")
	if err != nil {
		tb.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var vectors []vector
	if err := decoder.Decode(&vectors); err != nil {
		tb.Fatal(err)
	}
	if len(vectors) < 40 {
		tb.Fatalf("only %d vectors, want at least 40", len(vectors))
	}
	seen := map[string]bool{}
	for _, v := range vectors {
		switch {
		case v.Name == "" || seen[v.Name]:
			tb.Errorf("vector %q: the name is empty or stands there twice", v.Name)
		case (v.Body == nil) == (v.BodyBase64 == nil):
			tb.Errorf("vector %q: want one of body and bodyBase64", v.Name)
		case v.Valid != (v.Reason == ""):
			tb.Errorf("vector %q: valid is %t and the reason %q", v.Name, v.Valid, v.Reason)
		}
		seen[v.Name] = true
	}
	return vectors
}

func key(tb testing.TB, secret string) sign.Key {
	tb.Helper()
	k, err := sign.NewKey(secret)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func TestVectorsForward(t *testing.T) {
	t.Parallel()
	for _, v := range loadVectors(t) {
		if !v.Valid {
			continue
		}
		if got := key(t, v.Secret).Sign(*v.Timestamp, v.body()); got != *v.Signature {
			t.Errorf("%s: got signature %s, want %s", v.Name, got, *v.Signature)
		}
	}
}

func TestVectorsBack(t *testing.T) {
	t.Parallel()
	for _, v := range loadVectors(t) {
		verdict := sign.Verify(v.message(), []sign.Key{key(t, v.Secret)}, sign.Clock{})
		if verdict.Valid() != v.Valid || verdict.Reason != v.Reason {
			t.Errorf("%s: got valid %t with reason %q, want %t with %q",
				v.Name, verdict.Valid(), verdict.Reason, v.Valid, v.Reason)
		}
		if verdict.Authentic() != v.Valid {
			t.Errorf("%s: got authentic %t, want %t", v.Name, verdict.Authentic(), v.Valid)
		}
	}
}

func TestVectorsNameEveryReason(t *testing.T) {
	t.Parallel()
	seen := map[sign.Reason]bool{}
	for _, v := range loadVectors(t) {
		seen[v.Reason] = true
	}
	for _, reason := range []sign.Reason{
		"", sign.MissingSignature, sign.MalformedSignature, sign.MissingTimestamp,
		sign.MalformedTimestamp, sign.SignatureMismatch,
	} {
		if !seen[reason] {
			t.Errorf("no vector with the reason %q", reason)
		}
	}
}

func TestVectorsHoldTheSamples(t *testing.T) {
	t.Parallel()
	bodies := map[string]bool{}
	for _, v := range loadVectors(t) {
		if v.Valid {
			bodies[string(v.body())] = true
		}
	}
	samples, err := fs.Glob(fixtures.FS, "events/*.json")
	if err != nil || len(samples) != 5 {
		t.Fatalf("got %d samples and error %v, want 5", len(samples), err)
	}
	for _, name := range samples {
		sample, err := fs.ReadFile(fixtures.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		if !bodies[string(sample)] {
			t.Errorf("%s: no valid vector has these bytes for a body", name)
		}
	}
}

// TestVectorsAgreeWithOpenSSL holds the vectors against an implementation that is
// not ours.
func TestVectorsAgreeWithOpenSSL(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed, so the vectors are checked against our own code alone")
	}
	for _, v := range loadVectors(t) {
		if !v.Valid {
			continue
		}
		hexKey := "hexkey:" + hex.EncodeToString([]byte(v.Secret))
		command := exec.CommandContext(t.Context(), openssl, "dgst", "-sha256", "-mac", "HMAC", "-macopt", hexKey)
		command.Stdin = strings.NewReader(*v.Timestamp + "." + string(v.body()))
		printed, err := command.Output()
		if err != nil {
			t.Fatalf("%s: running openssl: %v", v.Name, err)
		}
		words := strings.Fields(string(printed))
		if len(words) == 0 {
			t.Fatalf("%s: openssl printed nothing", v.Name)
		}
		if got := sign.Prefix + words[len(words)-1]; got != *v.Signature {
			t.Errorf("%s: got %s from openssl, want %s", v.Name, got, *v.Signature)
		}
	}
}
