package verify_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/sign"
	"github.com/leapfinancial/m2m/internal/verify"
)

const (
	opened    = `{"event":"link.opened","data":{"linkId":"link_acme_1","referenceId":"user_1"}}`
	timestamp = "1769437800" // 2026-01-26T14:30:00Z
	zeros     = "sha256=0000000000000000000000000000000000000000000000000000000000000000"
)

func newKey(tb testing.TB, secret string) sign.Key {
	tb.Helper()
	key, err := sign.NewKey(secret)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func newJudge(tb testing.TB, tolerance time.Duration) verify.Judge {
	tb.Helper()
	now := time.Date(2026, 1, 26, 15, 30, 0, 250_400_000, time.UTC)
	return verify.Judge{
		Keys:  []sign.Key{newKey(tb, "new"), newKey(tb, "old")},
		Clock: sign.Clock{Now: now, Tolerance: tolerance},
	}
}

// record returns a delivery with the headers that are not empty.
func record(timestamp, signature, body string) delivery.Record {
	headers := delivery.Headers{{Name: "x-m2m-event", Value: "from.header"}}
	if timestamp != "" {
		headers = append(headers, delivery.Header{Name: "x-m2m-timestamp", Value: timestamp})
	}
	if signature != "" {
		headers = append(headers, delivery.Header{Name: "X-M2m-Signature", Value: signature})
	}
	return delivery.Record{Request: delivery.Request{Headers: headers, Body: []byte(body)}}
}

func TestLine(t *testing.T) {
	t.Parallel()
	right := newKey(t, "new").Sign(timestamp, []byte(opened))
	old := newKey(t, "old").Sign(timestamp, []byte(opened))
	const subject = `{"type":"verification","source":"f:1","event":"link.opened","id":"link_acme_1",`
	const age = `"signedAt":"2026-01-26T14:30:00Z","ageSeconds":3600.25`
	for name, c := range map[string]struct {
		record    delivery.Record
		tolerance time.Duration
		want      string
	}{
		"valid": {
			record(timestamp, right, opened), 0,
			subject + `"valid":true,` + age + `,"secret":"` + newKey(t, "new").Fingerprint() + `"}`,
		},
		"valid under the other secret": {
			record(timestamp, old, opened), 0,
			subject + `"valid":true,` + age + `,"secret":"` + newKey(t, "old").Fingerprint() + `"}`,
		},
		"too old": {
			record(timestamp, right, opened), time.Minute,
			subject + `"valid":false,"reason":"too_old","message":"the signature matches, but it is too old","freshness":"too_old",` + age + `,"secret":"` +
				newKey(t, "new").Fingerprint() + `","received":"` + right + `"}`,
		},
		"forged": {
			record(timestamp, zeros, opened), 0,
			subject + `"valid":false,"reason":"signature_mismatch","message":"signature does not match",` + age + `,"received":"` + zeros +
				`","computed":"` + right[:15] + `…"}`,
		},
		"forged and old": {
			record(timestamp, zeros, opened), time.Minute,
			subject + `"valid":false,"reason":"signature_mismatch","message":"signature does not match","freshness":"too_old",` + age + `,"received":"` + zeros +
				`","computed":"` + right[:15] + `…"}`,
		},
		"malformed": {
			record(timestamp, "<none>", opened), 0,
			subject + `"valid":false,"reason":"malformed_signature","message":"the signature is malformed: it has to be sha256= and 64 lowercase hex digits",` + age + `,"received":"<none>","computed":"` + right[:15] + `…"}`,
		},
		"without a signature": {
			record(timestamp, "", opened), 0, subject + `"valid":false,"reason":"missing_signature","message":"there is no X-M2M-Signature header",` + age + `}`,
		},
		"without a timestamp": {
			record("", right, opened), 0, subject + `"valid":false,"reason":"missing_timestamp","message":"there is no X-M2M-Timestamp header","received":"` + right + `"}`,
		},
		"text, and the event of the header": {
			record(timestamp, newKey(t, "new").Sign(timestamp, []byte("hello\n")), "hello\n"), 0,
			`{"type":"verification","source":"f:1","event":"from.header","valid":true,` + age + `,"secret":"` +
				newKey(t, "new").Fingerprint() + `"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := newJudge(t, c.tolerance).Record("f:1", c.record).Line()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want+"\n", string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !json.Valid(got) {
				t.Error("it is no JSON")
			}
		})
	}
}

// TestNoWholeComputedSignature gives the judge what an attacker would: a log of the
// verdict must not be a signature.
func TestNoWholeComputedSignature(t *testing.T) {
	t.Parallel()
	right := newKey(t, "new").Sign(timestamp, []byte(opened))
	for _, signature := range []string{zeros, zeros[:20], "x", "sha256=", right[:70], strings.ToUpper(right[:40])} {
		line, err := newJudge(t, time.Minute).Record("f:1", record(timestamp, signature, opened)).Line()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(line), right) {
			t.Errorf("%s: %s", signature, line)
		}
	}
}

func TestBodyIsJudgedAsCaptured(t *testing.T) {
	t.Parallel()
	right := newKey(t, "new").Sign(timestamp, []byte(opened))
	for _, body := range []string{opened + "\n", " " + opened, strings.Replace(opened, ",", ", ", 1), ""} {
		if got := newJudge(t, 0).Record("", record(timestamp, right, body)); got.Verdict.Reason != sign.SignatureMismatch {
			t.Errorf("%q: got %q, want a mismatch", body, got.Verdict.Reason)
		}
	}
}

func TestTwoSignaturesAreNone(t *testing.T) {
	t.Parallel()
	right := newKey(t, "new").Sign(timestamp, []byte(opened))
	twice := record(timestamp, right, opened)
	twice.Request.Headers = append(twice.Request.Headers, delivery.Header{Name: "X-M2M-Signature", Value: zeros})
	got := newJudge(t, 0).Record("", twice)
	if got.Verdict.Reason != sign.MalformedSignature || got.Received != right+", "+zeros {
		t.Errorf("got %q of %q", got.Verdict.Reason, got.Received)
	}
}

// TestWhatCanBeExplainedIs has a signature that matches nothing, one that is spelled
// wrongly, and a timestamp that is.
func TestWhatCanBeExplainedIs(t *testing.T) {
	t.Parallel()
	right := newKey(t, "new").Sign(timestamp, []byte(opened))
	for want, broken := range map[sign.Reason]delivery.Record{
		sign.SignatureMismatch:  record(timestamp, zeros, opened),
		sign.MalformedSignature: record(timestamp, strings.TrimPrefix(right, sign.Prefix), opened),
		sign.MalformedTimestamp: record("2026-01-26T14:30:00.000Z", zeros, opened),
	} {
		got := explaining(t).Record("f:1", broken)
		if got.Verdict.Reason != want || got.Diagnosis.Message() == "" {
			t.Errorf("got %q with the diagnosis %q, want %q with one", got.Verdict.Reason, got.Diagnosis.Message(), want)
		}
	}
	for _, none := range []delivery.Record{record("", zeros, opened), record(timestamp, "", opened), record(timestamp, right, opened)} {
		if got := explaining(t).Record("f:1", none); got.Diagnosis.Message() != "" {
			t.Errorf("%q has the diagnosis %q", got.Verdict.Reason, got.Diagnosis.Message())
		}
	}
}
