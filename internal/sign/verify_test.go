package sign_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/sign"
)

const (
	sentAt     = 1769437800
	sentAtText = "1769437800"
)

// signed returns a message that k signed, with the text as its timestamp.
func signed(k sign.Key, timestamp, body string) sign.Message {
	return sign.Message{
		Signature: k.Sign(timestamp, []byte(body)), HasSignature: true,
		Timestamp: timestamp, HasTimestamp: true,
		Body: []byte(body),
	}
}

func TestFreshness(t *testing.T) {
	t.Parallel()
	const tolerance = 5 * time.Minute
	sent := time.Unix(sentAt, 0)
	k, forger := key(t, "secret"), key(t, "another secret")
	cases := map[string]struct {
		timestamp string // of sentAt when empty
		signer    sign.Key
		now       time.Time
		tolerance time.Duration
		reason    sign.Reason
		freshness sign.Reason
		age       float64
	}{
		"just sent": {
			signer: k, now: sent, tolerance: tolerance,
		},
		"a fraction of a second old": {
			signer: k, now: sent.Add(200 * time.Millisecond), tolerance: tolerance, age: 0.2,
		},
		"as old as the tolerance allows": {
			signer: k, now: sent.Add(tolerance), tolerance: tolerance, age: 300,
		},
		"a nanosecond older than that": {
			signer: k, now: sent.Add(tolerance + 1), tolerance: tolerance,
			reason: sign.TooOld, freshness: sign.TooOld, age: 300.000000001,
		},
		"as far ahead as the tolerance allows": {
			signer: k, now: sent.Add(-tolerance), tolerance: tolerance, age: -300,
		},
		"a nanosecond further ahead": {
			signer: k, now: sent.Add(-tolerance - 1), tolerance: tolerance,
			reason: sign.InFuture, freshness: sign.InFuture, age: -300.000000001,
		},
		"old, and nobody asks": {
			signer: k, now: sent.Add(time.Hour), age: 3600,
		},
		"ahead, and nobody asks": {
			signer: k, now: sent.Add(-time.Hour), age: -3600,
		},
		"the smallest tolerance is not none": {
			signer: k, now: sent.Add(time.Hour), tolerance: 1,
			reason: sign.TooOld, freshness: sign.TooOld, age: 3600,
		},
		"genuine and old is too old": {
			signer: k, now: sent.Add(time.Hour), tolerance: tolerance,
			reason: sign.TooOld, freshness: sign.TooOld, age: 3600,
		},
		"forged and old is forged, and its age is told": {
			signer: forger, now: sent.Add(time.Hour), tolerance: tolerance,
			reason: sign.SignatureMismatch, freshness: sign.TooOld, age: 3600,
		},
		"forged and ahead is forged, and its age is told": {
			signer: forger, now: sent.Add(-time.Hour), tolerance: tolerance,
			reason: sign.SignatureMismatch, freshness: sign.InFuture, age: -3600,
		},
		"milliseconds lie far ahead": {
			timestamp: "1769437800000",
			signer:    k, now: sent, tolerance: tolerance,
			reason: sign.InFuture, freshness: sign.InFuture, age: sentAt - 1769437800000,
		},
		"the largest timestamp lies ahead": {
			timestamp: "9223372036854775807",
			signer:    k, now: sent, tolerance: tolerance,
			reason: sign.InFuture, freshness: sign.InFuture, age: -math.MaxInt64,
		},
		"the largest timestamp lies ahead of any clock": {
			timestamp: "9223372036854775807",
			signer:    k, now: time.Time{}, tolerance: tolerance,
			reason: sign.InFuture, freshness: sign.InFuture, age: -math.MaxInt64 - 62135596800,
		},
		"a timestamp of 0 is old": {
			timestamp: "0",
			signer:    k, now: sent, tolerance: tolerance,
			reason: sign.TooOld, freshness: sign.TooOld, age: sentAt,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timestamp := c.timestamp
			if timestamp == "" {
				timestamp = sentAtText
			}
			clock := sign.Clock{Now: c.now, Tolerance: c.tolerance}
			got := sign.Verify(signed(c.signer, timestamp, "{}"), []sign.Key{k}, clock)
			if got.Reason != c.reason || got.Freshness != c.freshness {
				t.Errorf("got reason %q with freshness %q, want %q with %q", got.Reason, got.Freshness, c.reason, c.freshness)
			}
			if got.Authentic() != (c.signer.Fingerprint() == k.Fingerprint()) {
				t.Errorf("got authentic %t for a message signed by %s", got.Authentic(), c.signer)
			}
			// Relative to the age, because a float64 holds no nanoseconds of an eon.
			if allowed := 1e-9*math.Abs(c.age) + 1e-9; !got.HasAge || math.Abs(got.Age-c.age) > allowed {
				t.Errorf("got age %v (known: %t), want %v", got.Age, got.HasAge, c.age)
			}
		})
	}
}

func TestFreshnessIsNotJudgedWithoutATimestamp(t *testing.T) {
	t.Parallel()
	k := key(t, "secret")
	clock := sign.Clock{Now: time.Unix(sentAt, 0).Add(time.Hour), Tolerance: time.Minute}
	malformed := signed(k, "+"+sentAtText, "{}")
	absent := signed(k, sentAtText, "{}")
	absent.HasTimestamp = false
	for name, m := range map[string]sign.Message{"malformed": malformed, "absent": absent} {
		got := sign.Verify(m, []sign.Key{k}, clock)
		if got.HasAge || got.Freshness != "" || got.Age != 0 || !got.SignedAt().IsZero() {
			t.Errorf("%s: got freshness %q, age %v and %v, want none", name, got.Freshness, got.Age, got.SignedAt())
		}
	}
}

func TestHeadersCountOnlyWhenTheyAreThere(t *testing.T) {
	t.Parallel()
	k := key(t, "secret")
	m := signed(k, sentAtText, "{}")
	m.HasSignature = false
	if got := sign.Verify(m, []sign.Key{k}, sign.Clock{}).Reason; got != sign.MissingSignature {
		t.Errorf("without the signature: got %q, want %q", got, sign.MissingSignature)
	}
	m = signed(k, sentAtText, "{}")
	m.HasTimestamp = false
	if got := sign.Verify(m, []sign.Key{k}, sign.Clock{}).Reason; got != sign.MissingTimestamp {
		t.Errorf("without the timestamp: got %q, want %q", got, sign.MissingTimestamp)
	}
}

func TestSeveralKeys(t *testing.T) {
	t.Parallel()
	older, newer, other := key(t, "old"), key(t, "new"), key(t, "other")
	var none sign.Key
	// What anybody can compute: the MAC with a key of no bytes.
	const empty = "sha256=2e37961f6cd8b3590ee73d2f41cce191ea3bf6e027a8ad10ba33d820492f26f9"
	forged := sign.Message{
		Signature: empty, HasSignature: true,
		Timestamp: sentAtText, HasTimestamp: true, Body: []byte("{}"),
	}
	cases := map[string]struct {
		message sign.Message
		keys    []sign.Key
		want    sign.Key // the zero Key for a mismatch
	}{
		"the only one matches":              {signed(older, sentAtText, "{}"), []sign.Key{older}, older},
		"the first of two matches":          {signed(older, sentAtText, "{}"), []sign.Key{older, newer}, older},
		"the second of two matches":         {signed(newer, sentAtText, "{}"), []sign.Key{older, newer}, newer},
		"one after a zero Key matches":      {signed(newer, sentAtText, "{}"), []sign.Key{none, newer}, newer},
		"none of two matches":               {signed(other, sentAtText, "{}"), []sign.Key{older, newer}, none},
		"no keys match nothing":             {signed(older, sentAtText, "{}"), nil, none},
		"no keys do not match an empty key": {forged, nil, none},
		"a zero Key matches nothing":        {signed(older, sentAtText, "{}"), []sign.Key{none}, none},
		"a zero Key is not the empty key":   {forged, []sign.Key{none, none}, none},
		"nor next to a real one":            {forged, []sign.Key{older, none}, none},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := sign.Verify(c.message, c.keys, sign.Clock{})
			var want sign.Reason
			if c.want == none {
				want = sign.SignatureMismatch
			}
			if got.Reason != want || got.Key.Fingerprint() != c.want.Fingerprint() {
				t.Errorf("got reason %q under key %s, want %q under %s", got.Reason, got.Key, want, c.want)
			}
		})
	}
}

func TestComputed(t *testing.T) {
	t.Parallel()
	first, second := key(t, "first"), key(t, "second")
	const zeros = "sha256=0000000000000000000000000000000000000000000000000000000000000000"
	message := func(edit func(*sign.Message)) sign.Message {
		m := signed(first, sentAtText, "{}")
		edit(&m)
		return m
	}
	whole := first.Sign(sentAtText, []byte("{}"))
	beginning := whole[:len("sha256=")+8] + "…"
	cases := map[string]struct {
		message sign.Message
		keys    []sign.Key
		want    string
	}{
		"a match has none":              {message(func(*sign.Message) {}), []sign.Key{first}, ""},
		"a mismatch, by the first key":  {message(func(m *sign.Message) { m.Signature = zeros }), []sign.Key{first, second}, beginning},
		"a malformed signature":         {message(func(m *sign.Message) { m.Signature = whole[7:] }), []sign.Key{first}, beginning},
		"an empty signature":            {message(func(m *sign.Message) { m.Signature = "" }), []sign.Key{first}, beginning},
		"no signature has none":         {message(func(m *sign.Message) { m.HasSignature = false }), []sign.Key{first}, ""},
		"no timestamp has none":         {message(func(m *sign.Message) { m.Signature, m.HasTimestamp = zeros, false }), []sign.Key{first}, ""},
		"a malformed timestamp as well": {message(func(m *sign.Message) { m.Timestamp = "x" }), []sign.Key{first}, ""},
		"no keys have none":             {message(func(m *sign.Message) { m.Signature = zeros }), nil, ""},
		"a zero Key has none":           {message(func(m *sign.Message) { m.Signature = zeros }), []sign.Key{{}}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := sign.Verify(c.message, c.keys, sign.Clock{}).Computed; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSignedAt(t *testing.T) {
	t.Parallel()
	k := key(t, "secret")
	cases := map[string]struct {
		timestamp string
		want      time.Time
	}{
		"the sample's moment":      {sentAtText, time.Date(2026, 1, 26, 14, 30, 0, 0, time.UTC)},
		"the epoch":                {"0", time.Unix(0, 0).UTC()},
		"the last second of 9999":  {"253402300799", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		"the first of the year on": {"253402300800", time.Time{}},
		"the largest timestamp":    {"9223372036854775807", time.Time{}},
	}
	for name, c := range cases {
		if got := sign.Verify(signed(k, c.timestamp, "{}"), []sign.Key{k}, sign.Clock{}).SignedAt(); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestFormatTimestamp(t *testing.T) {
	t.Parallel()
	moment := time.Unix(sentAt, 999_999_999).In(time.FixedZone("CST", -6*3600))
	if got := sign.FormatTimestamp(moment); got != sentAtText {
		t.Errorf("got %s, want %s", got, sentAtText)
	}
	if seconds, ok := sign.ParseTimestamp(sign.FormatTimestamp(time.Unix(-1, 0))); ok {
		t.Errorf("a moment before 1970 came back as %d", seconds)
	}
}

func TestShorten(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("0123456789abcdef", 4)
	cases := map[string]struct{ signature, want string }{
		"a signature":             {"sha256=" + digits, "sha256=01234567…"},
		"one without its prefix":  {digits, "01234567…"},
		"sixteen digits":          {"sha256=0123456789abcdef", "sha256=01234567…"},
		"eight are halved":        {"sha256=01234567", "sha256=0123…"},
		"one shows nothing":       {"sha256=0", "sha256=…"},
		"nothing but the prefix":  {"sha256=", "sha256=…"},
		"nothing at all":          {"", "…"},
		"an uppercase one is cut": {"SHA256=" + digits, "SHA256=0…"},
	}
	for name, c := range cases {
		if got := sign.Shorten(c.signature); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestEveryReasonHasWords(t *testing.T) {
	t.Parallel()
	said := map[string]sign.Reason{}
	for _, reason := range []sign.Reason{
		"", sign.MissingSignature, sign.MalformedSignature, sign.MissingTimestamp,
		sign.MalformedTimestamp, sign.SignatureMismatch, sign.TooOld, sign.InFuture,
	} {
		text := reason.Text()
		if text == "" || text == string(reason) {
			t.Errorf("%q has no words", reason)
		}
		if other, ok := said[text]; ok {
			t.Errorf("%q and %q have the same words", reason, other)
		}
		said[text] = reason
	}
}
