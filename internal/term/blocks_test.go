package term_test

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/partner"
	"github.com/leapfinancial/m2m/internal/sign"
	"github.com/leapfinancial/m2m/internal/term"
	"github.com/leapfinancial/m2m/internal/verify"
)

const (
	opened    = `{"event":"link.opened","data":{"linkId":"link_acme_1","referenceId":"user_1","fee":100.00,"name":"Ana"}}`
	timestamp = "1769437800"
)

func newKey(tb testing.TB) sign.Key {
	tb.Helper()
	key, err := sign.NewKey("a secret of this test")
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func present() time.Time { return time.Date(2026, 1, 26, 14, 30, 0, 200_000_000, time.Local) }

func sent(response *delivery.Response) delivery.Record {
	return delivery.Record{
		Event: "link.opened", Latency: 4 * time.Millisecond, Response: response,
		Request: delivery.Request{
			Method: "POST", URL: "http://localhost:3000/webhooks/m2m", Body: []byte(opened),
			Headers: delivery.Headers{{Name: "X-M2M-Event", Value: "link.opened"}},
		},
	}
}

// received returns a delivery that is one hour old, and its verdict.
func received(tb testing.TB, signature string, tolerance time.Duration) (delivery.Record, sign.Verdict) {
	tb.Helper()
	record := sent(&delivery.Response{Status: 200})
	record.Time, record.Latency = present(), 0
	record.Request.Headers = append(record.Request.Headers,
		delivery.Header{Name: "X-M2M-Timestamp", Value: timestamp}, delivery.Header{Name: "X-M2M-Signature", Value: signature})
	clock := sign.Clock{Now: time.Unix(1769437800+3600, 0), Tolerance: tolerance}
	return record, verify.Judge{Keys: []sign.Key{newKey(tb)}, Clock: clock}.Record("", record).Verdict
}

func right(tb testing.TB) string { tb.Helper(); return newKey(tb).Sign(timestamp, []byte(opened)) }

// shows runs a block without and with colour, which may differ in escape sequences
// alone, and compares it.
func shows(t *testing.T, redact bool, show func(*term.Printer), want string) {
	t.Helper()
	var plain, colored bytes.Buffer
	show(term.New(&plain, term.Options{Redact: redact}))
	show(term.New(&colored, term.Options{Redact: redact, Color: true}))
	if diff := cmp.Diff(want, plain.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	stripped := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(colored.String(), "")
	if diff := cmp.Diff(plain.String(), stripped); diff != "" {
		t.Errorf("colour changes more than colour (-without +with):\n%s", diff)
	}
	if !strings.Contains(colored.String(), "\x1b[") {
		t.Error("colour shows none")
	}
	if strings.Contains(plain.String(), "\x1b") {
		t.Error("there is colour without colour")
	}
}

func TestSent(t *testing.T) {
	t.Parallel()
	const head = "--> link.opened  link_acme_1  POST http://localhost:3000/webhooks/m2m\n"
	const body = "    {\n      \"event\": \"link.opened\",\n      \"data\": {\n        \"linkId\": \"link_acme_1\",\n" +
		"        \"referenceId\": \"user_1\",\n        \"fee\": 100.00,\n        \"name\": \"Ana\"\n      }\n    }\n"
	for name, c := range map[string]struct {
		record          delivery.Record
		expected, whole bool
		want            string
	}{
		"accepted": {sent(&delivery.Response{Status: 200, StatusText: "OK", Body: []byte("OK")}), true, false, head + "<-- 200 OK  4 ms\n"},
		"accepted, whole": {
			sent(&delivery.Response{Status: 200, StatusText: "OK", Headers: delivery.Headers{{Name: "X-A", Value: "b\x1b"}}, Body: []byte("OK")}), true, true,
			head + "    X-M2M-Event: link.opened\n" + body + "<-- 200 OK  4 ms\n    X-A: b\\u001b\n    OK\n",
		},
		"refused": {
			sent(&delivery.Response{Status: 401, Body: []byte("Invalid\x1b[2J signature\nline 2\r\n")}), false, false,
			head + "<-- 401 Unauthorized  4 ms\n    Invalid\\u001b[2J signature\n    line 2\n",
		},
		"refused at length": {
			sent(&delivery.Response{Status: 500, StatusText: "Oh\u202eno", Body: []byte(strings.Repeat("x\n", 20))}), false, false,
			head + "<-- 500 Oh\\u202eno  4 ms\n" + strings.Repeat("    x\n", 8) + "    … 24 more bytes\n",
		},
		"a redirect": {
			sent(&delivery.Response{Status: 302, Headers: delivery.Headers{{Name: "location", Value: "http://\x07"}}}), false, false,
			head + "<-- 302 Found  4 ms\n    a redirect to http://\\u0007, which is not followed\n",
		},
		"a long answer": {
			sent(&delivery.Response{Status: 404, Body: []byte("ab"), Truncated: true}), false, false,
			head + "<-- 404 Not Found  4 ms\n    ab\n    the answer is longer than 2 bytes; the rest was not read\n",
		},
		"no answer": {
			func() delivery.Record {
				r := sent(nil)
				r.Error = &delivery.Error{Kind: "refused", Message: "nothing\n there"}
				return r
			}(), false, false,
			head + "<-- no answer (refused): nothing\\u000a there\n",
		},
		"no event": {
			delivery.Record{Request: delivery.Request{Method: "POST", URL: "http://a/", Body: []byte("hello")}, Response: &delivery.Response{Status: 299}}, true, false,
			"--> 5 bytes  POST http://a/\n<-- 299  <1 ms\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shows(t, false, func(p *term.Printer) { p.Sent(c.record, term.Expectation{Met: c.expected}, c.whole) }, c.want)
		})
	}
}

func TestSentSaysWhatWasExpected(t *testing.T) {
	t.Parallel()
	const head = "--> link.opened  link_acme_1  POST http://localhost:3000/webhooks/m2m\n"
	record := sent(&delivery.Response{Status: 200, Body: []byte("ok")})
	for want, expected := range map[string]term.Expectation{
		"<-- 200 OK  4 ms\n    expected 401\n    ok\n":     {Status: "401"},
		"<-- 200 OK  4 ms\n    expected \\u001b\n    ok\n": {Status: "\x1b"},
		"<-- 200 OK  4 ms\n    ok\n":                       {},
		"<-- 200 OK  4 ms\n":                               {Met: true, Status: "2xx,401"},
	} {
		shows(t, false, func(p *term.Printer) { p.Sent(record, expected, false) }, head+want)
	}
}

func TestReceived(t *testing.T) {
	t.Parallel()
	zeros := "sha256=" + strings.Repeat("0", 64)
	const head = "--> 14:30:00 link.opened  link_acme_1  user_1  104 B  "
	const foot = "<-- 200 OK  <1 ms\n"
	comparison := func(received string) string {
		return "    received  " + received + "   computed  " + right(t)[:15] + "…\n"
	}
	for name, c := range map[string]struct {
		signature string
		tolerance time.Duration
		named     string
		want      string
	}{
		"valid":          {right(t), 0, "", head + "valid, signed 60 min ago\n" + foot},
		"too old":        {right(t), time.Minute, "", head + "INVALID: the signature matches, but it is too old, signed 60 min ago\n" + foot},
		"forged":         {zeros, 0, "", head + "INVALID: signature does not match\n" + comparison("sha256=00000000…") + foot},
		"forged and old": {zeros, time.Minute, "", head + "INVALID: signature does not match; its timestamp is 60 min ago as well\n" + comparison("sha256=00000000…") + foot},
		"malformed": {"x\x1b", 0, "", head + "INVALID: the signature is malformed: it has to be sha256= and 64 lowercase hex digits\n" +
			comparison(`x\u001b`) + foot},
		"another event": {right(t), 0, "link\x1b.created", head + "valid, signed 60 min ago\n    the X-M2M-Event header says link\\u001b.created\n" + foot},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			record, verdict := received(t, c.signature, c.tolerance)
			if c.named != "" {
				record.Request.Headers.Set(delivery.EventHeader, c.named)
			}
			payload, err := delivery.ReadPayload(record.Request.Body)
			if err != nil {
				t.Fatal(err)
			}
			shows(t, false, func(p *term.Printer) {
				p.Received(term.Incoming{Record: record, Payload: payload, Verdict: verdict}, false, false)
			}, c.want)
			var out bytes.Buffer
			term.New(&out, term.Options{}).Received(term.Incoming{Record: record, Payload: payload, Verdict: verdict}, true, true)
			if c.signature != right(t) && strings.Contains(out.String(), right(t)) {
				t.Errorf("the right signature is in\n%s", out.String())
			}
		})
	}
}

func TestVerified(t *testing.T) {
	t.Parallel()
	judge := func(signature string) verify.Result {
		record, _ := received(t, signature, 0)
		clock := sign.Clock{Now: time.Unix(1769437800+3600, 0)}
		return verify.Judge{Keys: []sign.Key{newKey(t)}, Clock: clock}.Record("a\x1b.http:1", record)
	}
	shows(t, false, func(p *term.Printer) { p.Verified(judge(right(t)), false) },
		"valid    link.opened  link_acme_1  signed 2026-01-26T14:30:00Z, 60 min ago  secret "+newKey(t).Fingerprint()+"\n")
	shows(t, false, func(p *term.Printer) { p.Verified(judge("sha256="+strings.Repeat("0", 64)), true) },
		"INVALID  signature does not match  link.opened  link_acme_1  a\\u001b.http:1\n"+
			"         received  sha256=00000000…   computed  "+right(t)[:15]+"…\n")
}

func TestReply(t *testing.T) {
	t.Parallel()
	reply := partner.Received{
		At: present(), DataRequestID: "dr_acme_1\x1b", ReferenceID: "user_1", Status: 200, Key: "sha256:01234567", KeyKind: "test",
		Fields: []partner.Field{
			{Path: "name.secondName", Present: true, Value: []byte(`"Carlos"`)}, {Path: "dob"},
		},
		Extra: []string{"paymentMethod", "x\u202e"}, Warnings: []string{"dob: it is required and missing"}, After: 1500 * time.Millisecond,
	}
	want := func(value string) string {
		return "--> 14:30:00 PUT  dr_acme_1\\u001b  user_1  API key sha256:01234567 (test)\n" +
			"    name.secondName  " + value + "\n    dob              MISSING\n" +
			"    not asked for: paymentMethod, x\\u202e\n    warning: dob: it is required and missing\n" +
			"<-- 200 OK  1.5 s after the data request\n"
	}
	shows(t, false, func(p *term.Printer) { p.Reply(reply) }, want(`"Carlos"`))
	shows(t, true, func(p *term.Printer) { p.Reply(reply) }, want(`"•••"`))
	refused := partner.Received{At: present(), DataRequestID: "dr", Status: 401, Code: "UNAUTHORIZED", Message: "no\nkey", KeyKind: "none"}
	shows(t, false, func(p *term.Printer) { p.Reply(refused) },
		"--> 14:30:00 PUT  dr  no API key\n<-- 401 Unauthorized  UNAUTHORIZED: no\\u000akey\n")
}

func TestRedactedBlocksShowNoPersonalData(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := term.New(&out, term.Options{Redact: true})
	p.Sent(sent(&delivery.Response{Status: 400, Body: []byte(`{"name":"Ana"}`)}), term.Expectation{}, true)
	p.Sent(sent(&delivery.Response{Status: 400, Body: []byte(`["x",{"name":"Ana"}]`)}), term.Expectation{}, false)
	if strings.Contains(out.String(), "Ana") || strings.Count(out.String(), "•••") != 3 {
		t.Errorf("got\n%s", out.String())
	}
}

// TestBlocksHideSecrets: wherever one stands in an answer, also where its end is cut off.
func TestBlocksHideSecrets(t *testing.T) {
	t.Parallel()
	hide := func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("topsecret"), []byte("sha256:0")) }
	cut := strings.Repeat("z", 1020) + "topsecret"
	for _, body := range []string{"topsecret", `{"is":"topsecret"}`, cut, `{"event":"topsecret","data":{}}`} {
		response := &delivery.Response{Status: 302, StatusText: "topsecret", Body: []byte(body), Headers: delivery.Headers{
			{Name: "Location", Value: "/?topsecret"}, {Name: "X-topsecret", Value: "topsecret"},
		}}
		for _, color := range []bool{false, true} {
			var out bytes.Buffer
			p := term.New(&out, term.Options{Hide: hide, Color: color})
			p.Sent(sent(response), term.Expectation{}, true)
			p.Sent(sent(response), term.Expectation{}, false)
			p.Line("topsecret")
			p.Table([][]string{{"topsecret"}})
			if got := out.String(); strings.Contains(got, "tops") || !strings.Contains(got, "sha") {
				t.Errorf("got\n%s", got)
			}
		}
	}
}

func TestHostileBodiesInColour(t *testing.T) {
	t.Parallel()
	record := sent(&delivery.Response{Status: 200})
	record.Request.Body = []byte("{\"a\":\"\u009b2J\x7f\u202e\xff\",\"\u2028\":[\"\\u001b\"]}\r\n")
	for _, colored := range []bool{false, true} {
		var out bytes.Buffer
		term.New(&out, term.Options{Color: colored}).Sent(record, term.Expectation{Met: true}, true)
		rest := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(out.String(), "")
		for line := range strings.SplitSeq(rest, "\n") {
			if line != term.Safe(line) {
				t.Errorf("colour %t: %q is not safe", colored, line)
			}
		}
	}
}

type closedPipe struct{ err error }

func (c closedPipe) Write([]byte) (int, error) { return 0, c.err }

func TestPrinterKeepsTheFirstError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken pipe")
	p := term.New(closedPipe{broken}, term.Options{})
	p.Line("one")
	p.Table([][]string{{"two"}})
	if !errors.Is(p.Err(), broken) {
		t.Errorf("got error %v, want %v", p.Err(), broken)
	}
}

func TestTableAlignsColumns(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	term.New(&out, term.Options{}).Table([][]string{{"é", "b", ""}, {"long", "x"}, {"a", "", "c"}})
	if got, want := out.String(), "é     b\nlong  x\na        c\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
