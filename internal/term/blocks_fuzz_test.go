package term_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/conform"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/diagnose"
	"github.com/leapfinancial/m2m/internal/load"
	"github.com/leapfinancial/m2m/internal/partner"
	"github.com/leapfinancial/m2m/internal/sign"
	"github.com/leapfinancial/m2m/internal/term"
	"github.com/leapfinancial/m2m/internal/verify"
)

// block is one way to show things, and how the lines begin that it writes at the margin.
type block struct {
	name    string
	show    func(*term.Printer)
	margins []string
}

// blocks are all blocks, with text and body in every member that comes from outside.
func blocks(tb testing.TB, text string, body []byte, number int) []block {
	tb.Helper()
	seconds := time.Duration(number) * time.Second
	record := delivery.Record{
		ID: text, Event: text, Time: time.Unix(int64(number), 0), Attempt: number, Latency: seconds,
		Request: delivery.Request{Method: text, URL: text, Remote: text, Body: body, Headers: delivery.Headers{
			{Name: text, Value: text}, {Name: delivery.EventHeader, Value: text + "x"},
			{Name: delivery.TimestampHeader, Value: timestamp}, {Name: delivery.SignatureHeader, Value: text},
		}},
		Response: &delivery.Response{
			Status: number, StatusText: text, Headers: delivery.Headers{{Name: "Location", Value: text}}, Body: body, Truncated: number%2 == 0,
		},
	}
	failed := record
	failed.Error = &delivery.Error{Kind: text, Message: text, Hint: text}
	diagnosis := diagnose.Diagnosis{Findings: []diagnose.Finding{{Cause: diagnose.Cause(text), Message: text, Fix: text}, {Message: text, Fix: text}}}
	judge := verify.Judge{Keys: []sign.Key{newKey(tb)}, Schema: func([]byte) []verify.SchemaError {
		return []verify.SchemaError{{Path: text, Message: text}}
	}}
	forged, unsigned, genuine := record, record, record
	unsigned.Request.Headers = delivery.Headers{{Name: text + "signature", Value: text}}
	genuine.Request.Headers = delivery.Headers{
		{Name: delivery.EventHeader, Value: text}, {Name: delivery.TimestampHeader, Value: timestamp},
		{Name: delivery.SignatureHeader, Value: newKey(tb).Sign(timestamp, body)},
	}
	var all []block
	for _, r := range []delivery.Record{record, failed} {
		for _, whole := range []bool{false, true} {
			all = append(all, block{"Sent", func(p *term.Printer) { p.Sent(r, term.Expectation{Met: !whole, Status: text}, whole) }, []string{"--> ", "<-- "}})
		}
	}
	for _, r := range []delivery.Record{forged, unsigned, genuine, failed} {
		result := judge.Record(text, r)
		result.Diagnosis = diagnosis
		incoming := term.Incoming{Record: r, Payload: result.Payload, Verdict: result.Verdict, Diagnosis: diagnosis}
		if r.Error != nil || r.Attempt%2 == 0 {
			incoming.Handler = text + "x"
		}
		word := "INVALID  "
		if result.Verdict.Valid() {
			word = "valid    "
		}
		all = append(all,
			block{"Received", func(p *term.Printer) { p.Received(incoming, true, true) }, []string{"--> ", "<-- "}},
			block{"Verified", func(p *term.Printer) { p.Verified(result, true) }, []string{word}})
	}
	reply := partner.Received{
		At: record.Time, After: seconds, DataRequestID: text, ReferenceID: text, Status: number, Code: partner.Code(text), Message: text,
		Key: text, KeyKind: text, Fields: []partner.Field{{Path: text, Present: true, Value: body}, {Path: text}}, Extra: []string{text, text},
		Warnings: []string{text, text},
	}
	all = append(all, block{"Reply", func(p *term.Printer) { p.Reply(reply) }, []string{"--> ", "<-- "}})
	var results []conform.Result
	for _, outcome := range []conform.Outcome{conform.Pass, conform.Warn, conform.Fail, conform.Skip} {
		results = append(results, conform.Result{
			Case: conform.Case{ID: "accept.x", Title: "a title"}, Outcome: outcome, Said: text, Sent: text, Received: text, Why: text, Fix: text,
		})
	}
	all = append(all, block{"Group", func(p *term.Printer) {
		p.Group(results, number%2 == 0)
	}, []string{"accept "}})
	tally := load.NewTally(record.Time, func(status int) bool { return status < 300 })
	tally.Add(load.Result{Sent: record.Time, Latency: max(0, seconds), Status: number})
	tally.Add(load.Result{Sent: record.Time, Failure: &load.Failure{Kind: text, Message: text, Hint: text}})
	report := tally.Report(load.Plan{URL: text, Events: []string{text}, RateText: text, Duration: time.Second})
	return append(all, block{"Load", func(p *term.Printer) { p.Load(report) }, nil})
}

// FuzzBlocks: whatever comes from outside, no block lets a control character of it
// through, or lets it begin a line at the margin, where only the tool speaks.
func FuzzBlocks(f *testing.F) {
	for _, text := range []string{
		"", "a", "\x1b]0;title\x07", "\x1b[2J\r", "a\n--> b\n<-- 200 OK", "\u009b31m", "\x9b", "\u202e", "\xff", "\t\v\f\b\x7f", "\u2028", "\ufeff\u200b",
		"sha256=\n", strings.Repeat("\n", 20), strings.Repeat("\u0085", 40),
	} {
		f.Add(text, []byte(text), 200)
		body, err := json.Marshal(map[string]any{"event": text, "data": map[string]any{"linkId": text, "referenceId": text, text: []string{text}}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, body, -500)
		f.Add(text, []byte("{\""+text+"\":\""+text+"\"}"), 301)
	}
	f.Fuzz(func(t *testing.T, text string, body []byte, number int) {
		for _, b := range blocks(t, text, body, number%100_000) {
			for _, redact := range []bool{false, true} {
				var plain, colored bytes.Buffer
				b.show(term.New(&plain, term.Options{Redact: redact}))
				b.show(term.New(&colored, term.Options{Redact: redact, Color: true}))
				checkBlock(t, b, plain.String())
				// All that colour adds is the tool's own.
				if got := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(colored.String(), ""); got != plain.String() {
					t.Errorf("%s: %q in colour, and %q without", b.name, got, plain.String())
				}
			}
		}
	})
}

func checkBlock(t *testing.T, b block, shown string) {
	t.Helper()
	left := b.margins
	for line := range strings.Lines(shown) {
		text, whole := strings.CutSuffix(line, "\n")
		if !whole || term.Safe(text) != text {
			t.Fatalf("%s: %q is not safe in %q", b.name, line, shown)
		}
		if b.margins == nil || strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "  ") {
			continue
		}
		if len(left) == 0 || !strings.HasPrefix(line, left[0]) {
			t.Fatalf("%s: %q stands at the margin of %q", b.name, line, shown)
		}
		left = left[1:]
	}
	if len(left) > 0 {
		t.Errorf("%s: no line begins with %q in %q", b.name, left[0], shown)
	}
}
