package delivery_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// whole returns a record in which every member is set.
func whole() delivery.Record {
	age := 0.2
	return delivery.Record{
		ID:    "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
		Time:  time.Date(2026, 1, 26, 14, 30, 0, 123_000_000, time.UTC),
		Event: "operation.created",
		Request: delivery.Request{
			Method:  "POST",
			URL:     "http://localhost:3000/webhooks/m2m",
			Remote:  "127.0.0.1:51234",
			Headers: delivery.Headers{{Name: "X-M2M-Signature", Value: "sha256=00"}},
			Body:    []byte(`{"send":100.00}`),
		},
		Verification: &delivery.Verification{
			Valid:      true,
			SignedAt:   time.Date(2026, 1, 26, 14, 30, 0, 0, time.UTC),
			AgeSeconds: &age,
			Secret:     "sha256:3f9a1c22",
		},
		Response: &delivery.Response{
			Status:  200,
			Headers: delivery.Headers{{Name: "Content-Type", Value: "text/plain"}},
			Body:    []byte("OK"),
		},
		Attempt: 1,
		Latency: 4100 * time.Microsecond,
	}
}

func line(tb testing.TB, record delivery.Record) string {
	tb.Helper()
	text, err := record.Line()
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

func parse(tb testing.TB, text string) delivery.Record {
	tb.Helper()
	record, err := delivery.Parse([]byte(text))
	if err != nil {
		tb.Fatalf("parsing %q: %v", text, err)
	}
	return record
}

// TestLineIsTheDocumentedForm compares with the record as docs and scripts know
// it, member by member and in that order.
func TestLineIsTheDocumentedForm(t *testing.T) {
	t.Parallel()
	const want = `{"type":"delivery","id":"1b4e28ba-2fa1-41d2-883f-0016d3cca427",` +
		`"time":"2026-01-26T14:30:00.123Z","event":"operation.created",` +
		`"request":{"method":"POST","url":"http://localhost:3000/webhooks/m2m","remote":"127.0.0.1:51234",` +
		`"headers":[{"name":"X-M2M-Signature","value":"sha256=00"}],"body":"{\"send\":100.00}"},` +
		`"verification":{"valid":true,"signedAt":"2026-01-26T14:30:00Z","ageSeconds":0.2,"secret":"sha256:3f9a1c22"},` +
		`"response":{"status":200,"headers":[{"name":"Content-Type","value":"text/plain"}],"body":"OK"},` +
		`"attempt":1,"latencyMs":4.1}` + "\n"
	got := line(t, whole())
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	if diff := cmp.Diff(whole(), parse(t, got)); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestLineLeavesOutWhatDoesNotApply(t *testing.T) {
	t.Parallel()
	const want = `{"type":"delivery","request":{"headers":[],"body":""}}` + "\n"
	if got := line(t, delivery.Record{}); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

func TestLineOfAFailedDelivery(t *testing.T) {
	t.Parallel()
	record := delivery.Record{
		Verification: &delivery.Verification{Reason: "signature_mismatch"},
		Error:        &delivery.Error{Kind: "refused", Message: "nothing listens", Hint: "start it"},
	}
	const want = `{"type":"delivery","request":{"headers":[],"body":""},` +
		`"verification":{"valid":false,"reason":"signature_mismatch"},` +
		`"error":{"kind":"refused","message":"nothing listens"}}` + "\n"
	got := line(t, record)
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	record.Error.Hint = "" // shown, not recorded
	if diff := cmp.Diff(record, parse(t, got), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestBodiesComeBackByteForByte(t *testing.T) {
	t.Parallel()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	cases := map[string]struct {
		body   string
		member string // as it stands in the line
	}{
		"empty":                    {"", `"body":""`},
		"text":                     {"hello", `"body":"hello"`},
		"JSON as documented":       {"{\n  \"send\": 100.00\n}", `"body":"{\n  \"send\": 100.00\n}"`},
		"NUL":                      {"a\x00b", `"body":"a\u0000b"`},
		"line ends":                {"a\r\nb\n", `"body":"a\r\nb\n"`},
		"HTML is left as it is":    {"<a href='x'>&</a>", `"body":"<a href='x'>&</a>"`},
		"the line separators":      {"a\u2028b\u2029", `"body":"a\u2028b\u2029"`},
		"a byte order mark":        {"\ufeff{}", "\"body\":\"\ufeff{}\""},
		"accents and emoji":        {"José 🙏🏽", `"body":"José 🙏🏽"`},
		"a replacement character":  {"a\ufffdb", "\"body\":\"a\ufffdb\""},
		"escapes of its own":       {`{"a":"\u00e9\/"}`, `"body":"{\"a\":\"\\u00e9\\/\"}"`},
		"Latin-1":                  {"Jos\xe9", `"bodyBase64":"Sm9z6Q=="`},
		"a surrogate in UTF-8":     {"\xed\xa0\x80", `"bodyBase64":"7aCA"`},
		"cut inside a rune":        {"caf\xc3", `"bodyBase64":"Y2Fmww=="`},
		"every byte there is":      {string(every), `"bodyBase64":"AAEC`},
		"a delivery record's line": {line(t, whole()), `"body":"{\"type\":\"delivery\",`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			record := delivery.Record{
				Request:  delivery.Request{Body: []byte(c.body)},
				Response: &delivery.Response{Status: 500, Body: []byte(c.body), Truncated: true},
			}
			text := line(t, record)
			if got := strings.Count(text, c.member); got != 2 {
				t.Errorf("got %s, want %s in it twice", text, c.member)
			}
			if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
				t.Errorf("got %q, want one line", text)
			}
			back := parse(t, text)
			if string(back.Request.Body) != c.body || string(back.Response.Body) != c.body {
				t.Errorf("got %q and %q back, want %q", back.Request.Body, back.Response.Body, c.body)
			}
			if !back.Response.Truncated {
				t.Error("the truncated answer came back whole")
			}
		})
	}
}

func TestTimesInALine(t *testing.T) {
	t.Parallel()
	mexico := time.FixedZone("", -6*3600)
	cases := map[string]struct {
		moment         time.Time
		time, signedAt string // empty: left out
	}{
		"whole seconds have decimals all the same": {
			time.Date(2026, 1, 26, 14, 30, 0, 0, time.UTC), "2026-01-26T14:30:00.000Z", "2026-01-26T14:30:00Z",
		},
		"what is below a millisecond is cut": {
			time.Date(2026, 1, 26, 14, 30, 0, 123_999_999, time.UTC), "2026-01-26T14:30:00.123Z", "2026-01-26T14:30:00Z",
		},
		"another zone becomes UTC": {
			time.Date(2026, 1, 26, 8, 30, 0, 0, mexico), "2026-01-26T14:30:00.000Z", "2026-01-26T14:30:00Z",
		},
		"the last second of 9999": {
			time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), "9999-12-31T23:59:59.000Z", "9999-12-31T23:59:59Z",
		},
		"the year 10000":        {time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "", ""},
		"the year 10000 in UTC": {time.Date(9999, 12, 31, 23, 0, 0, 0, mexico), "", ""},
		"before the year 0":     {time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), "", ""},
		"no time":               {time.Time{}, "", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := line(t, delivery.Record{
				Time:         c.moment,
				Verification: &delivery.Verification{SignedAt: c.moment},
			})
			var got struct {
				Time         string
				Verification struct{ SignedAt string }
			}
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatal(err)
			}
			if got.Time != c.time || got.Verification.SignedAt != c.signedAt {
				t.Errorf("got %q and %q, want %q and %q", got.Time, got.Verification.SignedAt, c.time, c.signedAt)
			}
			parse(t, text)
		})
	}
}

func TestLatencyInALine(t *testing.T) {
	t.Parallel()
	for latency, want := range map[time.Duration]string{
		4100 * time.Microsecond:    `"latencyMs":4.1}`,
		1234567 * time.Nanosecond:  `"latencyMs":1.235}`,
		30 * time.Second:           `"latencyMs":30000}`,
		0:                          `"body":""}}`,
		-time.Second:               `"body":""}}`,
		400 * time.Nanosecond:      `"body":""}}`,
		1500 * time.Nanosecond * 2: `"latencyMs":0.003}`,
	} {
		if got := line(t, delivery.Record{Latency: latency}); !strings.HasSuffix(got, want+"\n") {
			t.Errorf("%v: got %s, want %s at the end", latency, got, want)
		}
	}
}

func TestRound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		x        float64
		decimals int
		want     float64
	}{{1.2345, 3, 1.235}, {-1.26, 1, -1.3}, {1234.5, 0, 1235}, {0.0004, 3, 0}, {4.1, 3, 4.1}} {
		if got := delivery.Round(c.x, c.decimals); got != c.want {
			t.Errorf("Round(%v, %d): got %v, want %v", c.x, c.decimals, got, c.want)
		}
	}
}
