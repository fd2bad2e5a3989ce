package diagnose

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseDocumentReadsJSON(t *testing.T) {
	t.Parallel()
	for name, body := range nasty(t) {
		if _, ok := parseDocument(body); !ok || !json.Valid(body) {
			t.Errorf("%s: got %t, valid %t, want both", name, ok, json.Valid(body))
		}
	}
}

func TestParseDocumentRefuses(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":                      "",
		"white space":                  " \n",
		"a string":                     `"a"`,
		"a number":                     `1`,
		"a word":                       `null`,
		"a byte order mark":            "\uFEFF{}",
		"no UTF-8":                     "{\"a\":\"\xE9\"}",
		"a surrogate in UTF-8":         "[\"\xED\xA0\x80\"]",
		"two documents":                `{}{}`,
		"text behind":                  `{} x`,
		"an open object":               `{"a":1`,
		"an open array":                `[1`,
		"an open string":               `["a`,
		"an open escape":               `["\`,
		"a comma at the end":           `[1,]`,
		"a comma before the brace":     `{"a":1,}`,
		"a comma at the start":         `[,1]`,
		"no comma":                     `[1 2]`,
		"no colon":                     `{"a" 1}`,
		"no value":                     `{"a":}`,
		"a key without quotes":         `{a:1}`,
		"brackets that differ":         `[}`,
		"a control character":          "[\"\x1f\"]",
		"an unknown escape":            `["\x"]`,
		"a short escape by number":     `["\u12G4"]`,
		"an escape cut short":          `["\u12"]`,
		"a leading zero":               `[01]`,
		"a plus sign":                  `[+1]`,
		"a point without digits":       `[1.]`,
		"a point at the start":         `[.5]`,
		"an exponent without digits":   `[1e+]`,
		"a minus alone":                `[-]`,
		"a word with a capital":        `[True]`,
		"half a word":                  `[tru`,
		"not a number":                 `[NaN]`,
		"a vertical tab between":       "[1,\v2]",
		"one level too many":           strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
		"one level too many, objects":  strings.Repeat(`{"a":`, maxDepth) + "{}" + strings.Repeat("}", maxDepth),
		"a NUL behind":                 "{}\x00",
		"a comment":                    "{} // no",
		"single quotes":                `{'a':1}`,
		"a repeated comma in an array": `[1,,2]`,
	} {
		if _, ok := parseDocument([]byte(body)); ok {
			t.Errorf("%s: %.60q is read", name, body)
		}
	}
}

func TestParseDocumentReadsTheDeepest(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	if _, ok := parseDocument([]byte(body)); !ok {
		t.Errorf("%d levels are refused", maxDepth)
	}
}

// FuzzParseDocument: what is read is what encoding/json takes for JSON, and every
// spelling of it is JSON again, but for Python's Infinity, that means the same.
func FuzzParseDocument(f *testing.F) {
	for _, body := range nasty(f) {
		f.Add(body)
	}
	f.Add([]byte(`{"a":[1,{"b":"\u00`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, ok := parseDocument(body)
		if text := bytes.TrimLeft(body, " \t\r\n"); !ok {
			shallow := bytes.Count(body, []byte("["))+bytes.Count(body, []byte("{")) <= maxDepth
			container := len(text) > 0 && (text[0] == '{' || text[0] == '[')
			if shallow && container && utf8.Valid(body) && json.Valid(body) {
				t.Fatalf("%q is JSON and not read", body)
			}
			return
		}
		if !json.Valid(body) {
			t.Fatalf("%q is read and no JSON", body)
		}
		spellings := d.spellings()
		if len(spellings) > maxSpellings {
			t.Fatalf("%d spellings of %q", len(spellings), body)
		}
		for _, s := range spellings {
			text := d.spell(nil, s)
			if s.numbers != numbersPython && !json.Valid(text) {
				t.Fatalf("%q in %+v is no JSON: %q", body, s, text)
			}
			if s.strings == stringsAsGiven && s.numbers == numbersAsGiven && s.order == orderGiven {
				if !bytes.Equal(tokens(t, body), tokens(t, text)) {
					t.Fatalf("%q in %+v is something else: %q", body, s, text)
				}
			}
			if d.describe(s) == "" {
				t.Fatalf("nothing said of %+v", s)
			}
		}
	})
}

// tokens returns JSON without the white space between its tokens.
func tokens(tb testing.TB, body []byte) []byte {
	tb.Helper()
	var text bytes.Buffer
	if err := json.Compact(&text, body); err != nil {
		tb.Fatal(err)
	}
	return text.Bytes()
}
