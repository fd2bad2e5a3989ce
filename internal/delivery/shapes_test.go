package delivery

import (
	"strings"
	"time"
)

// shapes returns the records that the commands write, one of each shape, by what
// it shows.
func shapes() map[string]Record {
	age, ahead := 0.2, -3600.0
	moment := time.Date(2026, 1, 26, 14, 30, 0, 123_000_000, time.UTC)
	body := []byte("{\n  \"event\": \"operation.created\",\n  \"amount\": 100.00,\n  \"path\": \"C:\\\\a\\/b\"\n}")
	headers := Headers{
		{Name: "Host", Value: "localhost:3000"},
		{Name: "User-Agent", Value: `m2m/1.0 "quoted"`},
		{Name: "Content-Type", Value: "application/json"},
		{Name: EventHeader, Value: "operation.created"},
		{Name: TimestampHeader, Value: "1769437800"},
		{Name: SignatureHeader, Value: "sha256=" + strings.Repeat("0a", 32)},
	}
	const id = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
	const url = "http://localhost:3000/webhooks/m2m?a=1&b=<2>"
	sent := Record{
		ID: id, Time: moment, Event: "operation.created", Attempt: 1, Latency: 4100 * time.Microsecond,
		Request:  Request{Method: "POST", URL: url, Headers: headers, Body: body},
		Response: &Response{Status: 200, Headers: Headers{{Name: "Content-Type", Value: "text/plain"}}, Body: []byte("OK")},
	}
	received := sent
	received.Attempt = 0
	received.Request.Remote = "127.0.0.1:51234"
	received.Verification = &Verification{
		Valid: true, SignedAt: moment.Truncate(time.Second), AgeSeconds: &age, Secret: "sha256:3f9a1c22",
	}
	with := func(record Record, edit func(*Record)) Record {
		edit(&record)
		return record
	}
	withBody := func(body string) Record {
		return with(received, func(r *Record) { r.Request.Body = []byte(body) })
	}
	return map[string]Record{
		"nothing at all": {},
		"sent":           sent,
		"printed, not sent": with(sent, func(r *Record) {
			r.Attempt, r.Latency, r.Response = 0, 0, nil
		}),
		"sent, and no answer": with(sent, func(r *Record) {
			r.Response, r.Error = nil, &Error{Kind: "refused", Message: `dial "localhost:3000": nothing listens`}
		}),
		"not sent at all": {Error: &Error{Kind: "dns", Message: "no such host"}},
		"sent, and a long answer": with(sent, func(r *Record) {
			r.Response = &Response{Status: 500, Body: []byte("<html>\n\t\u00e9"), Truncated: true}
		}),
		"sent, and an answer that is no text": with(sent, func(r *Record) {
			r.Response = &Response{Status: 502, Body: []byte("\xff\xfe")}
		}),
		"sent without its headers": with(sent, func(r *Record) { r.Request.Headers = nil }),
		"received":                 received,
		"received, forged": with(received, func(r *Record) {
			r.Verification = &Verification{Reason: "signature_mismatch", SignedAt: moment.Truncate(time.Second), AgeSeconds: &ahead}
		}),
		"received, and why it is forged": with(received, func(r *Record) {
			r.Verification = &Verification{Reason: "signature_mismatch", Diagnosis: &Diagnosis{
				Cause: "secret-quoted", Causes: []string{"secret-quoted", "missing-newline"}, Message: `the "secret"`, Fix: "take off",
			}}
		}),
		"received, and one cause": with(received, func(r *Record) {
			r.Verification = &Verification{Reason: "signature_mismatch", Diagnosis: &Diagnosis{Cause: "lf"}}
		}),
		"received without a timestamp": with(received, func(r *Record) {
			r.Verification = &Verification{Reason: "missing_timestamp"}
			r.Request.Headers = headers[:4]
		}),
		"received, headers in another case": with(received, func(r *Record) {
			r.Request.Headers = Headers{{Name: "x-m2m-event", Value: "link.opened"}, {Name: "X-m2m-SIGNATURE", Value: "é"[:0]}}
		}),
		"an empty body":                 withBody(""),
		"text":                          withBody("hello"),
		"accents and emoji":             withBody(`{"name":"José 🙏🏽"}`),
		"control characters":            withBody("a\x00b\x1b[31m\u202e\u2028\x7f\t\r\n\b\f"),
		"no text":                       withBody("Jos\xe9"),
		"backslashes":                   withBody(`\\\"\\\\\\n\\\\\u00e9\/` + strings.Repeat(`\`, 9)),
		"quotes":                        withBody(`""""""""""` + "\n\n\n\n\n\n\n\n\n" + `"`),
		"a long body without escapes":   withBody(strings.Repeat("x", 5000)),
		"a record as a body, as JSON":   withBody(`{"type":"delivery","request":{"headers":[],"body":"{\"a\":1}"}}`),
		"a body that ends in an escape": withBody("abcdefg\n"),
	}
}

// foreign returns lines that Record.Line does not write.
func foreign() map[string]string {
	const headers = `"headers":[{"name":"X-M2M-Signature","value":"a"}]`
	return map[string]string{
		"nothing":                     ``,
		"no JSON":                     `hello`,
		"null":                        `null`,
		"a ready line":                `{"type":"ready","url":"http://localhost:3000","secret":"sha256:3f9a1c22"}`,
		"a longer type":               `{"type":"delivery2","request":{` + headers + `,"body":""}}`,
		"no type":                     `{"request":{` + headers + `,"body":"a"}}`,
		"members in another order":    `{"request":{"body":"a",` + headers + `},"type":"delivery"}`,
		"spaces":                      `{ "type": "delivery", "request": {` + headers + `, "body": "a"}}`,
		"a blank after it":            `{"type":"delivery","request":{` + headers + `,"body":"a"}}` + "\r",
		"something after it":          `{"type":"delivery","request":{` + headers + `,"body":"a"}}{}`,
		"an unknown member":           `{"type":"delivery","new":1,"request":{` + headers + `,"body":"a"}}`,
		"a member twice":              `{"type":"delivery","request":{` + headers + `,"body":"a","body":"b"}}`,
		"a request twice":             `{"type":"delivery","request":{` + headers + `,"body":"a"},"request":{"body":"b"}}`,
		"a member in capitals":        `{"type":"delivery","request":{` + headers + `,"BODY":"a"}}`,
		"both bodies":                 `{"type":"delivery","request":{` + headers + `,"body":"a","bodyBase64":"YQ=="}}`,
		"neither body":                `{"type":"delivery","request":{` + headers + `}}`,
		"a body of null":              `{"type":"delivery","request":{` + headers + `,"body":null}}`,
		"headers of null":             `{"type":"delivery","request":{"headers":null,"body":"a"}}`,
		"headers as an object":        `{"type":"delivery","request":{"headers":{"a":"b"},"body":"a"}}`,
		"a header without a value":    `{"type":"delivery","request":{"headers":[{"name":"X-M2M-Event"}],"body":"a"}}`,
		"a header twice":              `{"type":"delivery","request":{"headers":[{"name":"X-M2M-Event","value":"a"},{"name":"x-m2m-event","value":"b"}],"body":"a"}}`,
		"an escape in a header":       `{"type":"delivery","request":{"headers":[{"name":"X-M2M-Event","value":"\u0061"}],"body":"a"}}`,
		"an escape in a header name":  `{"type":"delivery","request":{"headers":[{"name":"X-M2M\u002dEvent","value":"a"}],"body":"a"}}`,
		"a name that only folds":      `{"type":"delivery","request":{"headers":[{"name":"X-M2M-ſignature","value":"a"}],"body":"a"}}`,
		"a surrogate pair":            `{"type":"delivery","request":{` + headers + `,"body":"\ud83d\ude4f"}}`,
		"half a surrogate pair":       `{"type":"delivery","request":{` + headers + `,"body":"\ud83d"}}`,
		"an escape that is none":      `{"type":"delivery","request":{` + headers + `,"body":"\x"}}`,
		"half an escape":              `{"type":"delivery","request":{` + headers + `,"body":"\u00"}}`,
		"a control character":         `{"type":"delivery","request":{` + headers + `,"body":"` + "\x01" + `"}}`,
		"not UTF-8":                   `{"type":"delivery","request":{` + headers + `,"body":"` + "\xff" + `"}}`,
		"UTF-8 broken by an escape":   `{"type":"delivery","request":{` + headers + `,"body":"` + "\xc3" + `\n` + "\xa9" + `"}}`,
		"not UTF-8 in the id":         `{"type":"delivery","id":"` + "\xff" + `","request":{` + headers + `,"body":"a"}}`,
		"a time that is none":         `{"type":"delivery","time":"2026-02-30T00:00:00Z","request":{` + headers + `,"body":"a"}}`,
		"an empty time":               `{"type":"delivery","time":"","request":{` + headers + `,"body":"a"}}`,
		"base64 that is none":         `{"type":"delivery","request":{` + headers + `,"bodyBase64":"Y"}}`,
		"base64 over lines":           `{"type":"delivery","request":{` + headers + `,"bodyBase64":"YQ\n=="}}`,
		"base64 that is none, answer": `{"type":"delivery","request":{` + headers + `,"body":"a"},"response":{"headers":[],"bodyBase64":"Y"}}`,
		"a status that is a text":     `{"type":"delivery","request":{` + headers + `,"body":"a"},"response":{"status":"200","headers":[],"body":""}}`,
		"a status with a fraction":    `{"type":"delivery","request":{` + headers + `,"body":"a"},"response":{"status":200.0,"headers":[],"body":""}}`,
		"an answer without a body":    `{"type":"delivery","request":{` + headers + `,"body":"a"},"response":{"headers":[]}}`,
		"an attempt with an exponent": `{"type":"delivery","request":{` + headers + `,"body":"a"},"attempt":1e3}`,
		"an attempt out of range":     `{"type":"delivery","request":{` + headers + `,"body":"a"},"attempt":99999999999999999999}`,
		"a latency with a zero first": `{"type":"delivery","request":{` + headers + `,"body":"a"},"latencyMs":01}`,
		"a latency without a digit":   `{"type":"delivery","request":{` + headers + `,"body":"a"},"latencyMs":1.}`,
		"a latency of 400 digits":     `{"type":"delivery","request":{` + headers + `,"body":"a"},"latencyMs":1` + strings.Repeat("0", 400) + `}`,
		"a latency out of range":      `{"type":"delivery","request":{` + headers + `,"body":"a"},"latencyMs":1e999}`,
		"a latency with an exponent":  `{"type":"delivery","request":{` + headers + `,"body":"a"},"latencyMs":1e-7}`,
		"valid that is a number":      `{"type":"delivery","request":{` + headers + `,"body":"a"},"verification":{"valid":1}}`,
		"an error without a message":  `{"type":"delivery","request":{` + headers + `,"body":"a"},"error":{"kind":"dns"}}`,
	}
}
