package delivery

import (
	"encoding/base64"
	"math"
	"testing"
	"time"
	"unicode/utf8"
)

// reflected is Line by way of encoding/json and the structs that Parse reads with:
// what Line has to write, byte for byte.
func reflected(r Record) ([]byte, error) {
	wire := wireRecord{
		Type:    Type,
		ID:      r.ID,
		Event:   r.Event,
		Request: r.Request.wire(),
		Error:   r.Error,
		Attempt: r.Attempt,
	}
	wire.Time = formatTime(r.Time, timeForm)
	if ms := Round(float64(r.Latency)/float64(time.Millisecond), 3); ms > 0 {
		wire.LatencyMs = &ms
	}
	if v := r.Verification; v != nil {
		wire.Verification = &wireVerification{
			Valid: v.Valid, Reason: v.Reason, AgeSeconds: v.AgeSeconds, Secret: v.Secret, Diagnosis: v.Diagnosis,
		}
		wire.Verification.SignedAt = formatTime(v.SignedAt, time.RFC3339)
	}
	if r.Response != nil {
		wire.Response = r.Response.wire()
	}
	return EncodeLine(wire)
}

// timeForm is RFC 3339 with exactly three decimals.
const timeForm = "2006-01-02T15:04:05.000Z07:00"

// formatTime leaves out what RFC 3339 cannot write.
func formatTime(t time.Time, form string) string {
	t = t.UTC()
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return ""
	}
	return t.Format(form)
}

func (r Request) wire() *wireMessage {
	m := &wireMessage{Method: r.Method, URL: r.URL, Remote: r.Remote, Headers: canonical(r.Headers)}
	m.setBody(r.Body)
	return m
}

func (r *Response) wire() *wireMessage {
	m := &wireMessage{Status: r.Status, Headers: canonical(r.Headers), Truncated: r.Truncated}
	m.setBody(r.Body)
	return m
}

func (m *wireMessage) setBody(body []byte) {
	if utf8.Valid(body) {
		text := string(body)
		m.Body = &text
		return
	}
	encoded := base64.StdEncoding.EncodeToString(body)
	m.BodyBase64 = &encoded
}

// canonical spells M2M's headers as documented and makes an absent list an empty
// one, so that the JSON has [] and not null.
func canonical(headers Headers) Headers {
	spelled := make(Headers, len(headers))
	for i, line := range headers {
		spelled[i] = Header{Name: Canonical(line.Name), Value: line.Value}
	}
	return spelled
}

func TestLineWritesWhatEncodingJSONWould(t *testing.T) {
	t.Parallel()
	number := func(x float64) Record { return Record{Verification: &Verification{AgeSeconds: &x}} }
	records := shapes()
	for name, x := range map[string]float64{
		"zero": 0, "minus zero": math.Copysign(0, -1), "the smallest without an exponent": 1e-6, "one with an exponent": 1.5e-9,
		"the largest without an exponent": 999999999999999868928, "a large one with an exponent": 1e21, "the largest": math.MaxFloat64,
		"a long fraction": -1.0 / 3, "not a number": math.NaN(), "infinite": math.Inf(-1),
	} {
		records["the age "+name] = number(x)
	}
	for name, record := range records {
		want, wantErr := reflected(record)
		got, err := record.Line()
		if string(got) != string(want) || (err == nil) != (wantErr == nil) {
			t.Errorf("%s: got  %sand %v, want %sand %v", name, got, err, want, wantErr)
		}
	}
}

// FuzzLineWritesWhatEncodingJSONWould puts any text wherever text may come from
// outside.
func FuzzLineWritesWhatEncodingJSONWould(f *testing.F) {
	for _, record := range shapes() {
		f.Add(string(record.Request.Body), 0.5, int64(record.Latency), 200)
	}
	f.Add("\x00\x7f\u0080\u2028\u202e\ufffd\ufeff\xed\xa0\x80<&>", -1e-7, int64(-1), -1)
	f.Fuzz(func(t *testing.T, text string, age float64, latency int64, number int) {
		headers := Headers{{Name: text, Value: text}, {Name: "x-m2m-event", Value: text}}
		record := Record{
			ID: text, Event: text, Time: time.UnixMilli(latency), Attempt: number, Latency: time.Duration(latency),
			Request: Request{Method: text, URL: text, Remote: text, Headers: headers, Body: []byte(text)},
			Verification: &Verification{
				Reason: text, SignedAt: time.Unix(latency, 0), AgeSeconds: &age, Secret: text,
				Diagnosis: &Diagnosis{Cause: text, Causes: []string{text, text}, Message: text, Fix: text},
			},
			Response: &Response{Status: number, Headers: headers, Body: []byte(text)},
			Error:    &Error{Kind: text, Message: text},
		}
		want, wantErr := reflected(record)
		got, err := record.Line()
		if string(got) != string(want) || (err == nil) != (wantErr == nil) {
			t.Errorf("got  %sand %v, want %sand %v", got, err, want, wantErr)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	record, err := Parse(benchmarkLine(b, false))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := record.Line(); err != nil {
			b.Fatal(err)
		}
	}
}
