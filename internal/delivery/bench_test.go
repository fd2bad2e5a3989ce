package delivery

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/sign"
)

// benchmarkLine returns the line of a received record whose body is 1 KiB, indented
// as the documented samples are, or compact.
func benchmarkLine(b *testing.B, compact bool) []byte {
	b.Helper()
	member := "\n    \"operationId\": \"op_a1b2c3d4e5f6\",\n    \"last4\": \"4242\",\n    \"send\": 100.00,"
	body := []byte("{\n  \"event\": \"operation.created\",\n  \"data\": {" + strings.Repeat(member, 8) + "\n    \"note\": \"\"\n  }\n}")
	if compact {
		var buf bytes.Buffer
		if err := json.Compact(&buf, body); err != nil {
			b.Fatal(err)
		}
		body = buf.Bytes()
	}
	note := `"note":"`
	if !compact {
		note = `"note": "`
	}
	body = bytes.Replace(body, []byte(note), []byte(note+strings.Repeat("x", 1024-len(body))), 1)
	record := shapes()["received"]
	record.Request.Body = body
	return written(b, record)
}

func BenchmarkScan(b *testing.B) {
	for _, c := range []struct {
		name    string
		compact bool
	}{{"indented", false}, {"compact", true}} {
		b.Run(c.name, func(b *testing.B) {
			line := benchmarkLine(b, c.compact)
			var scanner Scanner
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				if !scanner.fast(line) {
					b.Fatalf("left to Parse: %s", line)
				}
			}
		})
	}
}

// BenchmarkVerifyRecord is what a record of a batch costs but for its reading.
func BenchmarkVerifyRecord(b *testing.B) {
	key, err := sign.NewKey("m2m-dev-secret")
	if err != nil {
		b.Fatal(err)
	}
	line := benchmarkLine(b, false)
	record, err := Parse(line)
	if err != nil {
		b.Fatal(err)
	}
	record.Request.Headers.Set(SignatureHeader, key.Sign("1769437800", record.Request.Body))
	line = written(b, record)
	var scanner Scanner
	verifier := sign.NewVerifier([]sign.Key{key})
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		scanned, err := scanner.Scan(line)
		if err != nil {
			b.Fatal(err)
		}
		verdict := verifier.VerifyRaw(sign.RawMessage{
			Signature: scanned.Signature, HasSignature: scanned.HasSignature,
			Timestamp: scanned.Timestamp, HasTimestamp: scanned.HasTimestamp,
			Body: scanned.Body,
		}, sign.Clock{})
		if !verdict.Valid() {
			b.Fatalf("got %q, want it valid", verdict.Reason)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	line := benchmarkLine(b, false)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(line); err != nil {
			b.Fatal(err)
		}
	}
}
