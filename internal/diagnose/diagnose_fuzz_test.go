package diagnose

import (
	"reflect"
	"testing"
	"time"
)

// FuzzDiagnose: the search ends in time, gives the same answer again, and shows no
// secret. Of a delivery whose signature is right for other bytes, it names no cause.
func FuzzDiagnose(f *testing.F) {
	for _, body := range nasty(f) {
		f.Add(toolSecret, toolTimestamp, "sha256=00", body, uint8(Quick))
	}
	for _, signature := range []string{"", "sha256=", hexSignature(make([]byte, 32)), "QUJD", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "\x00\xff"} {
		f.Add("whsec_ \"c2VjcmV0\"\n", "1769437800000", signature, []byte(`{"timestamp":"2026-01-26T14:30:00.000Z","a":[1.0,"\u00e9"]}`+"\r\n"), uint8(Thorough))
	}
	f.Add("s", "-1", "SHA256=ab", []byte("\x1f\x8b\x08\x00"), uint8(Thorough))
	f.Fuzz(func(t *testing.T, secret, timestamp, signature string, body []byte, effort uint8) {
		if secret == "" {
			t.Skip("no secret")
		}
		c := capture{Secret: []byte(secret), Timestamp: timestamp, Body: body, Signature: signature}
		began := time.Now()
		got := c.diagnose(t, Effort(1+effort%uint8(Thorough)))
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %v", took)
		}
		if got.Tried > maxCombinations || got.Cost > maxBytes+len(body)+shortest {
			t.Errorf("tried %d combinations at a cost of %d", got.Tried, got.Cost)
		}
		if again := c.diagnose(t, Effort(1+effort%uint8(Thorough))); !reflect.DeepEqual(again, got) {
			t.Errorf("got %+v, and then %+v", got, again)
		}
		if len(secret) > 12 { // else it stands in the words by chance
			c.expectNoSecret(t, got)
		}
		for _, finding := range got.Findings {
			if finding.Cause == "" || finding.Message == "" || finding.Fix == "" {
				t.Errorf("half a finding: %+v", finding)
			}
		}
		// No reading of the body has these bytes at its end.
		c.Signature = hexSignature(hmacSHA256(c.Secret, []byte(timestamp+"."), body, []byte("\x00 signed, and never sent \xff")))
		if got := c.diagnose(t, Effort(1+effort%uint8(Thorough))); len(got.Findings) != 1 || got.Cause() != Unknown {
			t.Errorf("got %q, want %s", causesOf(got), Unknown)
		}
	})
}
