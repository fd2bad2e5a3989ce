package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/sign"
)

func newKey(tb testing.TB, secret string) sign.Key {
	tb.Helper()
	key, err := sign.NewKey(secret)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func TestASignatureThatMatchesNeedsNoExplanation(t *testing.T) {
	t.Parallel()
	for _, timestamp := range []string{toolTimestamp, "2026-01-26T14:30:00Z", "+1769437800", "1769437800.5", " 1769437800", ""} {
		key := newKey(t, toolSecret)
		body := []byte(`{"event":"link.opened"}`)
		for _, effort := range []Effort{Quick, Thorough} {
			got := New([]sign.Key{key}, nil).Diagnose(Delivery{ContentLength: 7, Message: sign.Message{
				Signature: key.Sign(timestamp, body), HasSignature: true, Timestamp: timestamp, HasTimestamp: true, Body: body,
			}}, effort)
			if len(got.Findings) != 0 || got.Cause() != "" || got.Message() != "" || got.Fix() != "" {
				t.Errorf("timestamp %q: got %+v, want no findings", timestamp, got.Findings)
			}
		}
	}
}

func TestTheTimestampIsThatOfTheHeader(t *testing.T) {
	t.Parallel()
	key := newKey(t, toolSecret)
	const text = `{"timestamp":"2026-01-26T14:30:00.000Z"}`
	for _, c := range []struct {
		name              string
		timestamp, signed string
		missing           bool
		want              []Cause
	}{
		{name: "an empty header and the body alone", signed: text, want: []Cause{TimestampNotSigned}},
		{name: "no header and the body alone", missing: true, signed: text, want: []Cause{TimestampNotSigned}},
		{name: "no header and the body's time", missing: true, signed: "2026-01-26T14:30:00.000Z." + text, want: []Cause{TimestampFromBody}},
		{name: "leading zeros", timestamp: "001769437800", signed: "001769437800000." + text, want: []Cause{TimestampMillis}},
		{name: "milliseconds that are no whole second", timestamp: "1769437800", signed: "1769437800123." + text, want: []Cause{Unknown}},
		{name: "a malformed header", timestamp: "1769437800s", signed: "1769437800." + text, want: []Cause{Unknown}},
		{name: "seconds that were taken for milliseconds", timestamp: "1769437800", signed: "1769437." + text, want: []Cause{Unknown}},
	} {
		got := New([]sign.Key{key}, nil).Diagnose(Delivery{ContentLength: -1, Message: sign.Message{
			Signature: hexSignature(hmacSHA256([]byte(toolSecret), []byte(c.signed))), HasSignature: true,
			Timestamp: c.timestamp, HasTimestamp: !c.missing, Body: []byte(text),
		}}, Thorough)
		if diff := cmp.Diff(c.want, causesOf(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestAHeaderWithoutAMACIsDescribed(t *testing.T) {
	t.Parallel()
	const digits = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, c := range []struct{ signature, want string }{
		{"", "nothing in the signature header"},
		{"sha256=", "nothing in the signature header"},
		{"sha256=" + digits[:56], "56 hex digits, and a SHA-256 has 64"},
		{"sha256=" + digits + ", sha256=" + digits, "more than one signature"},
		{"sha256=secret", "neither hex nor base64"},
		{"t=1,v1=" + digits, "neither hex nor base64"},
	} {
		delivery := unexplained([]byte("{}"))
		delivery.Signature = c.signature
		got := New([]sign.Key{newKey(t, toolSecret)}, nil).Diagnose(delivery, Thorough)
		if got.Cause() != Unknown || !strings.Contains(got.Message(), c.want) || got.Fix() == "" {
			t.Errorf("%q: got %+v, want %s and %q", c.signature, got.Findings, Unknown, c.want)
		}
	}
}

func TestUnknownSaysWhatWasTried(t *testing.T) {
	t.Parallel()
	keys := []sign.Key{newKey(t, "the-new-secret"), newKey(t, "the-old-secret")}
	diagnoser := New(keys, []Other{{newKey(t, stagingSecret), "the secret of profile staging"}, {newKey(t, toolSecret), "the development secret"}})
	got := diagnoser.Diagnose(unexplained([]byte("{}")), Thorough)
	for _, want := range []string{
		keys[0].Fingerprint(), keys[1].Fingerprint(), "profile staging", "the development secret", "combinations",
	} {
		if !strings.Contains(got.Message(), want) {
			t.Errorf("got %q, want it to say %q", got.Message(), want)
		}
	}
}

// TestNoSecretIsPrinted prints a Diagnoser in every way there is.
func TestNoSecretIsPrinted(t *testing.T) {
	t.Parallel()
	const secret = "\"quoted-secret\""
	diagnoser := New([]sign.Key{newKey(t, secret)}, []Other{{newKey(t, stagingSecret), "staging"}})
	for _, value := range []any{diagnoser, *diagnoser, struct{ d *Diagnoser }{diagnoser}, struct{ d Diagnoser }{*diagnoser}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			printed := strings.ToLower(fmt.Sprintf(verb, value))
			for _, text := range []string{strings.Trim(secret, `"`), stagingSecret} {
				for _, spelling := range []string{text, fmt.Sprintf("%x", text), strings.Trim(fmt.Sprintf("%d", []byte(text)), "[]")} {
					if strings.Contains(printed, spelling) {
						t.Errorf("%s of %T shows a secret: %s", verb, value, printed)
					}
				}
			}
		}
	}
}

func TestALengthThatDisagreesIsTold(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]bool{-1: false, 2: false, 3: true, 0: true} {
		delivery := unexplained([]byte("{}"))
		delivery.ContentLength = length
		got := New([]sign.Key{newKey(t, toolSecret)}, nil).Diagnose(delivery, Quick)
		if told := strings.Contains(got.Message(), "Content-Length"); told != want {
			t.Errorf("length %d: got %q, want it told: %t", length, got.Message(), want)
		}
	}
}

// TestEitherOfTwoKeysIsVaried has the old secret of a rotation in quotes.
func TestEitherOfTwoKeysIsVaried(t *testing.T) {
	t.Parallel()
	c := genuine([]byte(`{"a":1}`))
	diagnoser := New([]sign.Key{newKey(t, "the-new-secret"), newKey(t, `"`+toolSecret+`"`)}, nil)
	if got := causesOf(diagnoser.Diagnose(c.delivery(), Quick)); !slices.Equal(got, []Cause{SecretQuoted}) {
		t.Errorf("got %q, want %s", got, SecretQuoted)
	}
}

// TestConcurrentDiagnosesAgree shares one Diagnoser, and shows that a delivery is
// always told the same.
func TestConcurrentDiagnosesAgree(t *testing.T) {
	t.Parallel()
	body := samples(t)["events/operation.created.json"]
	diagnoser := New([]sign.Key{newKey(t, "whsec_"+toolSecret+"\n")}, nil)
	delivery := genuine(body).delivery()
	delivery.Body = append(slices.Clone(body), '\n')
	want := diagnoser.Diagnose(delivery, Thorough)
	if !slices.Equal(causesOf(want), []Cause{TrailingNewline, SecretWhitespace, SecretPrefix}) {
		t.Fatalf("got %q", causesOf(want))
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if diff := cmp.Diff(want, diagnoser.Diagnose(delivery, Thorough)); diff != "" {
				t.Errorf("another time (-first +now):\n%s", diff)
			}
		})
	}
	group.Wait()
}

// TestAMalformedHeaderIsSaidToBeOne where it is all that is wrong.
func TestAMalformedHeaderIsSaidToBeOne(t *testing.T) {
	t.Parallel()
	key := newKey(t, toolSecret)
	body := []byte(`{"event":"link.opened"}`)
	right := key.Sign("1769437800", body)
	for _, c := range []struct{ timestamp, signature, want string }{
		{"2026-01-26T14:30:00Z", right, "1769437800 was signed"},
		{"1769437800.5", right, "1769437800 was signed"},
		{" 1769437800", right, "1769437800 was signed"},
		{"1769437800", `"` + right + `"`, "quotes or white space around the signature"},
		{"1769437800", right + "\n", "quotes or white space around the signature"},
		{"soon", right, "nothing tried matches"},
	} {
		got := New([]sign.Key{key}, nil).Diagnose(Delivery{ContentLength: -1, Message: sign.Message{
			Signature: c.signature, HasSignature: true, Timestamp: c.timestamp, HasTimestamp: true, Body: body,
		}}, Quick)
		if got.Cause() != Unknown || !strings.Contains(got.Message(), c.want) {
			t.Errorf("%q, %q: got %s: %s", c.timestamp, c.signature, got.Cause(), got.Message())
		}
	}
}
