package sign_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/sign"
)

func TestNewKeyRefusesAnEmptySecret(t *testing.T) {
	t.Parallel()
	if _, err := sign.NewKey(""); !errors.Is(err, sign.ErrEmptySecret) {
		t.Errorf("got error %v, want %v", err, sign.ErrEmptySecret)
	}
}

func TestZeroKeyPanicsOnSign(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("the zero Key signed")
		}
	}()
	sign.Key{}.Sign("1769437800", nil)
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	// printf %s m2m-dev-secret | sha256sum
	const want = "sha256:60e64234"
	if got := key(t, "m2m-dev-secret").Fingerprint(); got != want {
		t.Errorf("got %s from the key, want %s", got, want)
	}
	if got := sign.Fingerprint([]byte("m2m-dev-secret")); got != want {
		t.Errorf("got %s from the bytes, want %s", got, want)
	}
}

// TestNothingSecretIsPrinted prints keys and verdicts in every way there is, and
// looks for the secret, and for the signature that would let a log sign, in every
// spelling that comes to mind.
func TestNothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	const secret = "a-secret-nobody-may-see"
	k := key(t, secret)
	body := []byte(`{"event":"link.opened"}`)
	signature := k.Sign("1769437800", body)
	message := func(signature, timestamp string) sign.Message {
		return sign.Message{
			Signature: signature, HasSignature: true, Timestamp: timestamp, HasTimestamp: true, Body: body,
		}
	}
	verify := func(m sign.Message, tolerance time.Duration) sign.Verdict {
		clock := sign.Clock{Now: time.Unix(1769437800, 0), Tolerance: tolerance}
		return sign.Verify(m, []sign.Key{k}, clock)
	}
	// fmt calls no method of what it finds in an unexported field.
	type holder struct{ key sign.Key }
	type deepHolder struct{ keys map[string][]*holder }

	verifier := sign.NewVerifier([]sign.Key{k})
	verifier.Verify(message(signature, "1769437800"), sign.Clock{})

	values := map[string]any{
		"verifier":                verifier,
		"what it points to":       *verifier,
		"verifier in a field":     struct{ v *sign.Verifier }{verifier},
		"key":                     k,
		"pointer to a key":        &k,
		"keys":                    []sign.Key{k},
		"key in a hidden field":   holder{k},
		"pointer to the same":     &holder{k},
		"hidden fields all over":  deepHolder{map[string][]*holder{"a": {{k}}}},
		"verdict: valid":          verify(message(signature, "1769437800"), 0),
		"verdict: too old":        verify(message(k.Sign("1", body), "1"), time.Minute),
		"verdict: mismatch":       verify(message(sign.Prefix+strings.Repeat("0", 64), "1769437800"), 0),
		"verdict: uppercase":      verify(message("sha256="+strings.ToUpper(signature[7:]), "1769437800"), 0),
		"verdict: plus sign":      verify(message(signature, "+1769437800"), 0),
		"pointer to a verdict":    &sign.Verdict{Key: k},
		"verdict in an error":     fmt.Errorf("checking: %v", sign.Verdict{Key: k}),
		"key in an error":         fmt.Errorf("checking with %+v", k),
		"verdict without a match": verify(message("", "1769437800"), 0),
	}
	spellings := map[string]string{
		"the secret":                  secret,
		"the secret in hex":           hex.EncodeToString([]byte(secret)),
		"the secret as decimal bytes": decimals(secret),
		"the secret as hex bytes":     strings.TrimSuffix(fmt.Sprintf("%#v", []byte(secret))[len("[]byte{"):], "}"),
		"the secret in base64":        base64.StdEncoding.EncodeToString([]byte(secret)),
		"the MAC":                     signature[len(sign.Prefix):],
		"the MAC's end":               signature[len(sign.Prefix)+8:][:8],
	}
	for name, value := range values {
		for how, printed := range printings(t, value) {
			for what, spelling := range spellings {
				if strings.Contains(strings.ToLower(printed), strings.ToLower(spelling)) {
					t.Errorf("%s, printed with %s, shows %s: %s", name, how, what, printed)
				}
			}
		}
	}
}

func TestPrintedKeyIsItsFingerprint(t *testing.T) {
	t.Parallel()
	k := key(t, "m2m-dev-secret")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(verb, k); !strings.Contains(got, k.Fingerprint()) {
			t.Errorf("%s: got %s, want the fingerprint %s in it", verb, got, k.Fingerprint())
		}
	}
}

func printings(t *testing.T, value any) map[string]string {
	t.Helper()
	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "% x", "%X", "%d", "%o", "%T"} {
		printed[verb] = fmt.Sprintf(verb, value)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	printed["json.Marshal"] = string(encoded)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("text", "value", value)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "value", value)
	printed["slog"] = log.String()
	return printed
}

// decimals spells bytes as %v does, without the brackets.
func decimals(text string) string {
	return strings.Trim(fmt.Sprintf("%d", []byte(text)), "[]")
}
