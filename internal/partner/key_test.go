package partner_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/partner"
)

func TestNewKeyRefusesWhatNoHeaderCanHold(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, text, message, hint string
	}{
		{"nothing", "", "is empty", ""},
		{"a trailing newline", testKeyText + "\n", "line end", "one trailing newline"},
		{"a trailing CRLF", testKeyText + "\r\n", "line end", "one trailing newline"},
		{"a newline alone", "\n", "line end", "one trailing newline"},
		{"a newline inside", "m2m_test_a\nX-Evil: 1", "control characters", ""},
		{"a tab", "m2m_test_\ta", "control characters", ""},
		{"NUL", "m2m_test_\x00", "control characters", ""},
		{"DEL", "m2m_test_\x7f", "control characters", ""},
		{"a space before", " " + testKeyText, "space", "white space"},
		{"a space behind", testKeyText + " ", "space", "white space"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			key, err := partner.NewKey(c.text)
			var bad *partner.KeyError
			if !errors.As(err, &bad) {
				t.Fatalf("error %v, want a *KeyError", err)
			}
			if !strings.Contains(bad.Message, c.message) || !strings.Contains(bad.Hint, c.hint) {
				t.Errorf("got %q, hint %q; want %q, hint %q in them", bad.Message, bad.Hint, c.message, c.hint)
			}
			if strings.Contains(bad.Message+bad.Hint, "m2m_test") {
				t.Errorf("the error quotes the key: %q", bad.Message)
			}
			if !key.IsZero() {
				t.Error("a key came with the error")
			}
		})
	}
}

func TestNewKeyTakesEverythingElseByteForByte(t *testing.T) {
	t.Parallel()
	for _, text := range []string{testKeyText, "a b", "a,b", `"quoted"`, "clé", "\xff\xfe"} {
		if _, err := partner.NewKey(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestKeyPrintsOnlyItsFingerprint(t *testing.T) {
	t.Parallel()
	key := newKey(t, testKeyText)
	type outside struct {
		Answer partner.Answer
		hidden partner.Key
	}
	holder := outside{partner.Answer{Key: key}, key}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%10s", "%w"} {
		for _, value := range []any{key, &key, []partner.Key{key}, holder, &holder} {
			text := fmt.Sprintf(verb, value)
			bare := strings.ToLower(strings.NewReplacer(" ", "", "0x", "").Replace(text))
			for _, secret := range []string{testKeyText, fmt.Sprintf("%x", testKeyText)} {
				if strings.Contains(bare, secret) {
					t.Errorf("%s of a %T shows the key: %s", verb, value, text)
				}
			}
		}
		// fmt asks no type about these two.
		if verb == "%p" || verb == "%w" {
			continue
		}
		if got, want := fmt.Sprintf(verb, key), key.Fingerprint(); got != want {
			t.Errorf("%s: got %q, want %q", verb, got, want)
		}
	}
	encoded, err := json.Marshal(map[string]any{"key": key})
	if want := `{"key":"` + key.Fingerprint() + `"}`; err != nil || string(encoded) != want {
		t.Errorf("JSON: got %s, %v; want %s", encoded, err, want)
	}
	// sha256 of the key, by openssl.
	if got, want := key.String(), "sha256:5fbae4da"; got != want {
		t.Errorf("fingerprint: got %q, want %q", got, want)
	}
	if got, want := (partner.Key{}).String(), "none"; got != want {
		t.Errorf("the zero key: got %q, want %q", got, want)
	}
}

func TestKeyHidesItself(t *testing.T) {
	t.Parallel()
	key := newKey(t, testKeyText)
	if got, want := string(key.Hide([]byte("not "+testKeyText+"!"))), "not "+key.Fingerprint()+"!"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := string(partner.Key{}.Hide([]byte("none"))); got != "none" {
		t.Errorf("the zero key: got %q", got)
	}
}

func TestKeyKind(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]endpoint.KeyKind{
		testKeyText: endpoint.TestKey, liveKeyText: endpoint.LiveKey, otherKeyText: endpoint.UnknownKey,
	} {
		if got := newKey(t, text).Kind(); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	if got := (partner.Key{}).Kind(); got != endpoint.UnknownKey {
		t.Errorf("the zero key: got %q", got)
	}
}
