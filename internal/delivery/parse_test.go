package delivery_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leapfinancial/m2m/internal/delivery"
)

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ text, want string }{
		"both bodies": {
			`{"type":"delivery","request":{"headers":[],"body":"a","bodyBase64":"YQ=="}}`,
			"request: it has both body and bodyBase64",
		},
		"neither body": {
			`{"type":"delivery","request":{"headers":[]}}`,
			"request: it has neither body nor bodyBase64",
		},
		"a body of null": {
			`{"type":"delivery","request":{"body":null}}`,
			"request: it has neither body nor bodyBase64",
		},
		"both bodies in the answer": {
			`{"type":"delivery","request":{"body":""},"response":{"body":"","bodyBase64":""}}`,
			"response: it has both body and bodyBase64",
		},
		"base64 that is none": {
			`{"type":"delivery","request":{"bodyBase64":"%%"}}`, "request: bodyBase64: illegal base64",
		},
		"base64 cut short": {
			`{"type":"delivery","request":{"bodyBase64":"YQ"}}`, "request: bodyBase64: illegal base64",
		},
		"no request":            {`{"type":"delivery"}`, "not a delivery record: it has no request"},
		"neither type":          {`{"event":"link.opened","data":{}}`, "not a delivery record: it has no request"},
		"null":                  {`null`, "not a delivery record: it has no request"},
		"a list":                {`[]`, "not a delivery record: a JSON array"},
		"a number":              {`17`, "not a delivery record: a JSON number"},
		"a body that is a list": {`{"request":{"body":[]}}`, "not a delivery record: request.body is a JSON array"},
		"headers that are no list": {
			`{"request":{"body":"","headers":{"a":"b"}}}`, "not a delivery record: request.headers is a JSON object",
		},
		"text":             {`hello`, "not JSON: column 1:"},
		"an end too early": {`{"type":"delivery","request":{`, "not JSON: column 30:"},
		"more than one":    {`{"request":{"body":""}} {}`, "not JSON: column 25:"},
		"nothing":          {``, "not JSON: column 0:"},
		"not UTF-8":        {"{\"request\":{\"body\":\"\xff\"}}", "not valid UTF-8"},
		"a time that is none": {
			`{"time":"soon","request":{"body":""}}`, `time: "soon" is not an RFC 3339 time`,
		},
		"a time without a zone": {
			`{"time":"2026-01-26T14:30:00","request":{"body":""}}`, `"2026-01-26T14:30:00" is not an RFC 3339 time`,
		},
		"a signing time that is none": {
			`{"request":{"body":""},"verification":{"valid":true,"signedAt":"1769437800"}}`,
			`signedAt: "1769437800" is not an RFC 3339 time`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			record, err := delivery.Parse([]byte(c.text))
			if err == nil {
				t.Fatalf("got %+v, want an error", record)
			}
			if errors.Is(err, delivery.ErrOtherType) {
				t.Errorf("got %v, want no other type", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want %q in it", err, c.want)
			}
		})
	}
}

func TestParseKnowsOtherTypes(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"ready":                       `{"type":"ready","url":"http://localhost:3000","secret":"sha256:3f9a1c22"}`,
		"one with a request, too":     `{"type":"verification","request":{"body":""}}`,
		"one that names things alike": `{"type":"reply","request":"PUT","attempt":"first"}`,
	} {
		if _, err := delivery.Parse([]byte(text)); !errors.Is(err, delivery.ErrOtherType) {
			t.Errorf("%s: got %v, want %v", name, err, delivery.ErrOtherType)
		}
	}
}

func TestParseTakesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	got := parse(t, `{"newer":{"a":[1]},"request":{"body":"a","trailers":[],"headers":null},"time":""}`)
	if string(got.Request.Body) != "a" || !got.Time.IsZero() {
		t.Errorf("got %+v, want the body alone", got)
	}
}

// FuzzParse: what parses prints, and what was printed parses to an equal record
// and prints to the same bytes.
func FuzzParse(f *testing.F) {
	f.Add([]byte(line(f, whole())))
	for _, seed := range []string{
		`{"request":{"body":""}}`,
		`{"type":"delivery","request":{"bodyBase64":"/w=="},"response":{"status":204}}`,
		`{"time":"9999-12-31T23:59:59.9999-01:00","request":{"body":"\u0000\u2028\ud800"}}`,
		`{"time":"0000-01-01T00:00:00+01:00","latencyMs":1e300,"request":{"body":"<>&"}}`,
		`{"latencyMs":0.0001,"request":{"headers":[{"name":"x-m2m-event","value":"é"}],"body":"a"}}`,
		`{"error":{"kind":"dns","message":"x"},"verification":{"ageSeconds":-0.0},"request":{"body":"a"}}`,
		`{"type":"ready"}`, `[]`, ``, "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		record, err := delivery.Parse(text)
		if err != nil {
			return
		}
		printed := line(t, record)
		back := parse(t, printed)
		if diff := cmp.Diff(asWritten(record), asWritten(back), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("read back (-want +got):\n%s", diff)
		}
		if again := line(t, back); again != printed {
			t.Errorf("printed again:\ngot  %swant %s", again, printed)
		}
	})
}

// asWritten takes from a record what a line does not keep. Latency it leaves to
// the comparison of the lines.
func asWritten(record delivery.Record) delivery.Record {
	keep := func(t time.Time, unit time.Duration) time.Time {
		if year := t.UTC().Year(); year < 0 || year > 9999 {
			return time.Time{}
		}
		return t.UTC().Truncate(unit)
	}
	record.Latency = 0
	record.Time = keep(record.Time, time.Millisecond)
	record.Request.Headers = spelled(record.Request.Headers)
	if record.Verification != nil {
		verification := *record.Verification
		verification.SignedAt = keep(verification.SignedAt, time.Second)
		record.Verification = &verification
	}
	if record.Response != nil {
		response := *record.Response
		response.Headers = spelled(response.Headers)
		record.Response = &response
	}
	return record
}

func spelled(headers delivery.Headers) delivery.Headers {
	var all delivery.Headers
	for _, header := range headers {
		all = append(all, delivery.Header{Name: delivery.Canonical(header.Name), Value: header.Value})
	}
	return all
}
