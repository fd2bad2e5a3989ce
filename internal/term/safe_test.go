package term_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/term"
)

func TestSafe(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        "",
		"plain, é, 漢, \U0001f600": "plain, é, 漢, \U0001f600",
		`a backslash \n stays`:    `a backslash \n stays`,
		"\x1b[31mred\x1b[0m":      `\u001b[31mred\u001b[0m`,
		"a\r\n\tb\x00":            `a\u000d\u000a\u0009b\u0000`,
		"DEL \x7f":                `DEL \u007f`,
		"C1 \u0080\u009b2J\u009f": `C1 \u0080\u009b2J\u009f`,
		"\u00a0":                  "\u00a0",
		"bidi \u202e\u2066\u2069": `bidi \u202e\u2066\u2069`,
		"\u061c\u200e\u200f":      `\u061c\u200e\u200f`,
		"\u2028\u2029":            `\u2028\u2029`,
		"\u200b\u2060":            `\u200b\u2060`,
		"\ufeffBOM":               `\ufeffBOM`,
		"raw \x9b and \xff\xfe":   `raw \x9b and \xff\xfe`,
		"cut \xe2\x80":            `cut \xe2\x80`,
		"\ufffd":                  `\ufffd`,
		"::error::x":              `\u003a:error::x`,
		"a ::stop-commands::x":    `a \u003a:stop-commands::x`,
		"x ##[add-mask]y":         `x #\u0023[add-mask]y`,
		"\u00a0::debug::x":        "\u00a0" + `\u003a:debug::x`,
		"##vso[task.setvariable]": `#\u0023vso[task.setvariable]`,
		"##teamcity[buildStop]":   `#\u0023teamcity[buildStop]`,
		"###[x]":                  `##\u0023[x]`,
		"[::1]:3000, ::1, a::b":   "[::1]:3000, ::1, a::b",
		"## a heading":            "## a heading",
	} {
		if got := term.Safe(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// FuzzSafe checks that nothing a terminal obeys comes through, and that a second
// pass finds nothing more.
func FuzzSafe(f *testing.F) {
	for _, seed := range []string{"a", "\x1b]0;title\x07", "\u009b", "\x9b\xc2", "\u202e", "\xe2\x80\xae", "\ufeff", "\xf4\x90\x80\x80", "\xed\xa0\x80"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := term.Safe(text)
		if !utf8.ValidString(got) {
			t.Errorf("%q gave %q, which is no UTF-8", text, got)
		}
		for _, r := range got {
			if r < ' ' || r >= 0x7f && r <= 0x9f || strings.ContainsRune("\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff", r) {
				t.Errorf("%q gave %q with %U in it", text, got, r)
			}
		}
		if again := term.Safe(got); again != got {
			t.Errorf("%q gave %q and then %q", text, got, again)
		}
	})
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"a":1,"b":[true,null,"x"]}`:                       `{"a":1,"b":[true,null,"x"]}`,
		`{"userData":{"a":{"b":["c",1,true,null]}},"d":1}`:  `{"userData":{"a":{"b":["•••","•••","•••",null]}},"d":1}`,
		`{"name":"Ana"}`:                                    `{"name":"•••"}`,
		`{"x":[{"idNumber":"ABCD"},{"dob":"1990-05-15"}]}`:  `{"x":[{"idNumber":"•••"},{"dob":"•••"}]}`,
		`{"firstName":"","lastName":1,"idImage":"aGk="}`:    `{"firstName":"•••","lastName":"•••","idImage":"•••"}`,
		`{"first\u004eame":"Ana"}`:                          `{"first\u004eame":"•••"}`,
		`{"requiredFields":["name.secondName","dob"]}`:      `{"requiredFields":["name.secondName","dob"]}`,
		`{"amount":100.00}`:                                 `{"amount":100.00}`,
		`[{"name":{"firstName":"Ana"}}]`:                    `[{"name":{"firstName":"•••"}}]`,
		"{ \"a\" : 1.0,\n\"b\":[] }\n":                      "{ \"a\" : 1.0,\n\"b\":[] }\n",
		`{"name":"Ana"`:                                     "(13 bytes that are not JSON, masked)",
		"no user Ana":                                       "(11 bytes that are not JSON, masked)",
		`"Ana"`:                                             `"Ana"`,
		strings.Repeat("[", 101) + strings.Repeat("]", 101): "(202 bytes that are not JSON, masked)",
		"OK":                  "OK",
		"Invalid signature\n": "Invalid signature\n",
		"":                    "",
	} {
		if got := string(term.Redact([]byte(body))); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "<1 ms", 999 * time.Microsecond: "<1 ms", time.Millisecond: "1 ms", 4900 * time.Microsecond: "4 ms",
		999 * time.Millisecond: "999 ms", time.Second: "1.0 s", 1249 * time.Millisecond: "1.2 s", 2 * time.Minute: "120.0 s",
	} {
		if got := term.Latency(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[float64]string{
		0: "0.0 s ago", 0.2: "0.2 s ago", 42.9: "42 s ago", 119: "119 s ago", 180: "3 min ago", 7199: "119 min ago",
		7200: "2 h ago", 172_799: "47 h ago", 25_920_000: "300 days ago", -300: "5 min in the future", -0.5: "0.5 s in the future",
	} {
		if got := term.Ago(seconds); got != want {
			t.Errorf("%v: got %q, want %q", seconds, got, want)
		}
	}
}

// TestRedactRecordMasksWhatIsQuoted has an answer quote what it was sent.
func TestRedactRecordMasksWhatIsQuoted(t *testing.T) {
	t.Parallel()
	request := `{"userData":{"name":{"firstName":"Ana"},"no":12,"idNumber":"ABCD"},"url":"x"}`
	for answer, want := range map[string]string{
		`{"error":"no user Ana","id":"ABC","url":"x"}`: `{"error":"•••","id":"ABC","url":"x"}`,
		`{"error":"\u0041BCD is wrong","n":12}`:        `{"error":"•••","n":12}`,
		`["ABCD"]`:                                     `["•••"]`,
		"ABCD is wrong":                                "(13 bytes that are not JSON, masked)",
	} {
		record := term.RedactRecord(delivery.Record{
			Request: delivery.Request{Body: []byte(request)}, Response: &delivery.Response{Body: []byte(answer)},
		})
		if got := string(record.Response.Body); got != want {
			t.Errorf("%s: got %s, want %s", answer, got, want)
		}
	}
	if got := term.RedactText("no user Ana", []byte(request)); got != "•••" {
		t.Errorf("got %s", got)
	}
	if got := term.RedactText("no user", []byte(request)); got != "no user" {
		t.Errorf("got %s", got)
	}
}
