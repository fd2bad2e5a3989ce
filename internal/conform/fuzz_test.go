package conform

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// FuzzExcerpt: of an answer's body, whatever it is, a report quotes one short line, and
// of a page no markup.
func FuzzExcerpt(f *testing.F) {
	for _, body := range []string{
		"", " \n", "Invalid signature", "a\nb", strings.Repeat("é", 100), "\xff\xfe", `{"error":{"code":"X"}}`, "\r\ra\v\u2028b",
		"<!DOCTYPE html><html><head><title>Error</title><style>p{}</style></head><body><pre>TypeError: x<br> &nbsp; at y</pre></body></html>",
		"<", "<a", "<script>", "<title", "</title><p>a", "<TITLE>a</TITLE>b", "<p>&lt;b&gt;&#x1b;[2J", "< p >a<br/>b", "<style></style ><p>x",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		got := excerpt(body)
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
		if got == "" {
			return
		}
		inner := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(got, `"`), `"`), "…")
		if len(got) < 3 || got[0] != '"' || got[len(got)-1] != '"' || utf8.RuneCountInString(inner) > 80 ||
			strings.Contains(got, "\n") || !utf8.ValidString(got) {
			t.Errorf("%q gave %q", body, got)
		}
		if text := strings.TrimSpace(string(body)); !strings.HasPrefix(text, "<") && utf8.ValidString(text) && !strings.HasPrefix(text, inner) {
			t.Errorf("%q does not begin with %q", text, inner)
		}
		if text := bytes.TrimSpace(body); bytes.HasPrefix(text, []byte("<")) && !bytes.Contains(text, []byte("&")) && strings.Contains(inner, "<") {
			t.Errorf("%q gave markup: %q", text, got)
		}
		// What a report quotes of an answer is what it quotes of its text.
		record := delivery.Record{Response: &delivery.Response{Status: 500, Body: body}}
		if said := answer(record, nil); !strings.HasSuffix(said, ", "+got) {
			t.Errorf("%q is not told in %q", got, said)
		}
	})
}

// FuzzAsJavaScript: the document means the same, and is spelled in one way. Where no
// string needs an escape, encoding/json spells it so, too.
func FuzzAsJavaScript(f *testing.F) {
	for _, document := range []string{
		`{}`, `[ ]`, ` { "a" : 100.00 , "b" : [ -0.50, 1e3, 1E-7, 1e21, 123456789012345678901234567890, -0, 0.0, 1e400 ] } `,
		"{\"a\\\"b\\\\\":\"1.0 \\u0031.50 -\"}", `"1.0"`, `100.00`, `[true,false,null,"",{"":{}}]`, `{"b":1,"a":2.0}`,
	} {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		if !json.Valid(document) {
			t.Skip("payloads are JSON")
		}
		got := asJavaScript(document)
		var compact bytes.Buffer
		if err := json.Compact(&compact, got); err != nil || !bytes.Equal(compact.Bytes(), got) {
			t.Fatalf("%s became %s, which is not compact JSON: %v", document, got, err)
		}
		if again := asJavaScript(got); !bytes.Equal(again, got) {
			t.Errorf("%s became %s, and then %s", document, got, again)
		}
		if want, ok := respelled(document); ok && string(got) != want {
			t.Errorf("%s became %s, want %s", document, got, want)
		}
	})
}

// respelled is asJavaScript by encoding/json, whose numbers are spelled as ECMAScript
// has them. It is not ok for what encoding/json spells anew, too: strings that are no
// plain ASCII, objects whose members are not in order, a zero with a sign, and numbers
// that no float64 is.
func respelled(document []byte) (text string, ok bool) {
	var value any
	if json.Unmarshal(document, &value) != nil {
		return "", false
	}
	strict := json.NewDecoder(bytes.NewReader(document))
	strict.UseNumber()
	var exact any
	if strict.Decode(&exact) != nil {
		return "", false
	}
	var compact bytes.Buffer
	_ = json.Compact(&compact, document)
	text = encoded(value)
	return text, encoded(exact) == compact.String() && !regexp.MustCompile(`-0([,\]}]|$)`).MatchString(text)
}

func encoded(value any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // it was just decoded
	return strings.TrimSuffix(b.String(), "\n")
}
