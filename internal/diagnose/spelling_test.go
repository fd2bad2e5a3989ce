package diagnose

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func readDocument(tb testing.TB, body []byte) *document {
	tb.Helper()
	d, ok := parseDocument(body)
	if !ok {
		tb.Fatalf("%.200q is not read as JSON", body)
	}
	return d
}

// TestSpellingsOfSamples: few, none of them twice, none the body itself.
func TestSpellingsOfSamples(t *testing.T) {
	t.Parallel()
	for name, body := range samples(t) {
		for _, given := range [][]byte{body, tokens(t, body)} {
			d := readDocument(t, given)
			spellings := d.spellings()
			if len(spellings) < 10 || len(spellings) > 60 {
				t.Errorf("%s: got %d spellings, want 10 to 60", name, len(spellings))
			}
			seen := map[string]spelling{string(given): {}}
			for _, s := range spellings {
				text := string(d.spell(nil, s))
				if other, again := seen[text]; again {
					t.Errorf("%s: %+v spells what %+v does", name, s, other)
				}
				seen[text] = s
			}
		}
	}
}

// TestSpellingsDiffer: what makes no difference in a document is tried once.
func TestSpellingsDiffer(t *testing.T) {
	t.Parallel()
	for name, body := range nasty(t) {
		d := readDocument(t, body)
		seen := map[string]spelling{string(body): {}}
		for _, s := range d.spellingsUpTo(10000) {
			text := string(d.spell(nil, s))
			if other, again := seen[text]; again {
				t.Errorf("%s: %+v spells what %+v does", name, s, other)
			}
			seen[text] = s
		}
	}
}

// TestSpellingsAreBounded has a document in which every feature makes a difference.
func TestSpellingsAreBounded(t *testing.T) {
	t.Parallel()
	d := readDocument(t, nasty(t)["a little of all"])
	if got := len(d.spellings()); got != maxSpellings {
		t.Errorf("got %d spellings, want the bound %d", got, maxSpellings)
	}
	seen := map[string]bool{}
	for _, s := range d.spellingsUpTo(10000) {
		seen[string(d.spell(nil, s))] = true
	}
	if got, all := len(seen), len(d.spellingsUpTo(10000)); got < all*9/10 {
		t.Errorf("only %d of %d spellings differ", got, all)
	}
}

// TestDefaultsAreWithinTheBound: what the writers write when nobody sets an option
// is tried even where all features make a difference.
func TestDefaultsAreWithinTheBound(t *testing.T) {
	t.Parallel()
	d := readDocument(t, []byte(`{"z":"é/<😀>`+"\u2028"+`","10":100.00,"2":[1e21,-0.5,{}],"é":"\u0001\/'=+"}`))
	var found []string
	for _, s := range d.spellings() {
		found = append(found, string(d.spell(nil, s)))
	}
	for writer, want := range map[string]string{
		"JSON.stringify": `{"2":[1e+21,-0.5,{}],"10":100,"z":"é/<😀>` + "\u2028" + `","é":"\u0001/'=+"}`,
		"json.dumps":     `{"z": "\u00e9/<\ud83d\ude00>\u2028", "10": 100.0, "2": [1e+21, -0.5, {}], "\u00e9": "\u0001/'=+"}`,
		"json.Marshal":   `{"10":100,"2":[1e+21,-0.5,{}],"z":"é/\u003c😀\u003e\u2028","é":"\u0001/'=+"}`,
		"json_encode":    `{"z":"\u00e9\/<\ud83d\ude00>\u2028","10":100,"2":[1.0e+21,-0.5,{}],"\u00e9":"\u0001\/'=+"}`,
		"JSON.generate":  `{"z":"é/<😀>` + "\u2028" + `","10":100.0,"2":[1.0e+21,-0.5,{}],"é":"\u0001/'=+"}`,
		"Jackson":        `{"z":"é/<😀>` + "\u2028" + `","10":100.0,"2":[1.0E21,-0.5,{}],"é":"\u0001/'=+"}`,
		"Gson":           `{"z":"é/\u003c😀\u003e\u2028","10":100.00,"2":[1e21,-0.5,{}],"é":"\u0001/\u0027\u003d+"}`,
	} {
		if !slices.Contains(found, want) {
			t.Errorf("%s: not among %d spellings: %s", writer, len(found), want)
		}
	}
}

// TestRawTokensMeanTheSame reads the spellings that only change white space.
func TestRawTokensMeanTheSame(t *testing.T) {
	t.Parallel()
	for name, body := range nasty(t) {
		d := readDocument(t, body)
		for l := range layoutCount {
			text := d.spell(nil, spelling{layout: l})
			// cmp.Equal takes exponential time in the depth.
			if got, want := decoded(t, text), decoded(t, body); !reflect.DeepEqual(got, want) {
				t.Errorf("%s in layout %d: got %v, want %v", name, l, got, want)
			}
			if got, want := tokens(t, text), tokens(t, body); !bytes.Equal(got, want) {
				t.Errorf("%s in layout %d: got tokens %s, want %s", name, l, got, want)
			}
		}
	}
}

func decoded(tb testing.TB, body []byte) (value any) {
	tb.Helper()
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		tb.Fatal(err)
	}
	return value
}

func TestSpellAppends(t *testing.T) {
	t.Parallel()
	d := readDocument(t, []byte(`[1, 2]`))
	if got, want := string(d.spell([]byte("1769437800."), spelling{})), "1769437800.[1,2]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWhiteSpaceAroundTheBodyIsDropped(t *testing.T) {
	t.Parallel()
	d := readDocument(t, []byte("\n{\"a\":1}\r\n"))
	if got, want := string(d.spell(nil, d.spellings()[0])), `{"a":1}`; got != want {
		t.Errorf("got %q first, want %q", got, want)
	}
}

// TestNumbersWithDecimals is the way back: the body was written by a parser that
// drops zeros, and the signature is over the documented spelling.
func TestNumbersWithDecimals(t *testing.T) {
	t.Parallel()
	d := readDocument(t, []byte(`[100,1850.5,18.505,3.99,-7,0,1e5,0.5]`))
	d.renderNumbers()
	for style, want := range map[numberStyle]string{
		numbersTwoDecimals:            `[100.00,1850.50,18.505,3.99,-7.00,0.00,1e5,0.50]`,
		numbersTwoDecimalsOfFractions: `[100,1850.50,18.505,3.99,-7,0,1e5,0.50]`,
		numbersOneDecimal:             `[100.0,1850.5,18.505,3.99,-7.0,0.0,1e5,0.5]`,
	} {
		if got := string(d.spell(nil, spelling{numbers: style})); got != want {
			t.Errorf("style %d: got %s, want %s", style, got, want)
		}
	}
}

// TestDocumentedSampleIsFoundFromStringify: a handler that signs what it parsed and
// wrote again, and the way back from it to what M2M documents.
func TestDocumentedSampleIsFoundFromStringify(t *testing.T) {
	t.Parallel()
	sample := samples(t)["events/operation.created.json"]
	stringified := bytes.ReplaceAll(tokens(t, sample), []byte("100.00"), []byte("100"))
	stringified = bytes.ReplaceAll(stringified, []byte("1850.50"), []byte("1850.5"))
	for _, way := range []struct{ given, signed []byte }{{sample, stringified}, {stringified, sample}} {
		d := readDocument(t, way.given)
		found := slices.ContainsFunc(d.spellings(), func(s spelling) bool { return bytes.Equal(d.spell(nil, s), way.signed) })
		if !found {
			t.Errorf("not found: %s\nfrom %s", way.signed, way.given)
		}
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body, spelled, want string
	}{
		"compact": {`{"a": [1, true]}`, `{"a":[1,true]}`, "compact, as JSON.stringify writes it"},
		"numbers": {
			`{"n": 1, "a": 100.00}`, `{"n":1,"a":100}`,
			"compact, numbers as 100 for 100.00, as JSON.stringify writes it",
		},
		"numbers alone": {
			`{"n":1,"a":100.00}`, `{"n":1,"a":100}`,
			"compact, numbers as 100 for 100.00, as JSON.stringify writes it",
		},
		"tokens as they are": {`{"n": 1, "a": 100.00}`, `{"n":1,"a":100.00}`, "compact"},
		"the way back": {
			`{"n":"é","a":100}`, "{\n  \"n\": \"é\",\n  \"a\": 100.00\n}",
			"two-space, numbers as 100.00 for 100",
		},
		"a long number": {
			`[123456789012345678901234567890]`, `[1.2345678901234568e+29]`,
			"compact, numbers as 1.2345678901234568e… for 1234567890123456789…, as JSON.stringify writes it",
		},
		"Python": {
			`{"b":"é","a":1}`, `{"b": "\u00e9", "a": 1}`,
			"with Python's separators, escaped non-ASCII, as Python's json.dumps writes it",
		},
		"sorted": {
			`{"b":"é","a":1}`, `{"a": 1, "b": "é"}`,
			"with Python's separators, sorted keys, as Python's json.dumps writes it",
		},
		"plain again": {
			`{"b":"\u00e9 \u003c\/"}`, `{"b":"é </"}`,
			"compact, plain slashes, plain non-ASCII, no HTML escapes, as JSON.stringify writes it",
		},
		"slashes": {`{"b":"/"}`, `{"b":"\/"}`, "compact, escaped slashes, as PHP's json_encode writes it"},
		"PHP, pretty": {
			`{"b":"/é"}`, "{\n    \"b\": \"\\/\\u00e9\"\n}",
			"four-space, escaped slashes, escaped non-ASCII, as PHP's json_encode writes it",
		},
		"HTML": {`{"b":"<&>"}`, `{"b":"\u003c\u0026\u003e"}`, "compact, HTML escapes, as Go's json.Marshal writes it"},
		"tabs": {`{"b":1}`, "{\n\t\"b\": 1\n}", "tab-indented"},
		"upper case": {
			`["\u00e9"]`, `["\u00E9"]`,
			"compact, escapes spelled otherwise, as .NET's System.Text.Json writes it",
		},
		"Jackson": {`{"a":[1]}`, "{\n  \"a\" : [ 1 ]\n}", "in Jackson's pretty layout"},
		"repeated keys": {
			`{"a":1,"a":2}`, `{"a":2}`, "compact, the last of repeated keys, as JSON.stringify writes it",
		},
		"keys like numbers": {
			`{"a":1,"2":2}`, `{"2":2,"a":1}`, "compact, number-like keys first, as JSON.stringify writes it",
		},
		"PHP arrays": {`{"a":{}}`, `{"a":[]}`, "compact, objects as PHP arrays, as PHP's json_encode writes it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := readDocument(t, []byte(c.body))
			for _, s := range d.spellings() {
				if string(d.spell(nil, s)) == c.spelled {
					if got := d.describe(s); got != c.want {
						t.Errorf("got %q, want %q", got, c.want)
					}
					return
				}
			}
			t.Errorf("%s is not among the spellings of %s", c.spelled, c.body)
		})
	}
}

// TestDescribeShowsOnlyNumbersFromOutside puts marks everywhere else.
func TestDescribeShowsOnlyNumbersFromOutside(t *testing.T) {
	t.Parallel()
	d := readDocument(t, []byte(`{"OUTSIDE": "OUTSIDE/é<\u001b", "a": [true, 1.0, {}], "a": "OUTSIDE\u202e"}`))
	for _, s := range d.spellings() {
		if got := d.describe(s); strings.Contains(got, "OUTSIDE") || strings.ContainsAny(got, "\x1b\u202e") {
			t.Errorf("%+v: %q", s, got)
		}
	}
}

// benchmarkBody returns a JSON array of that size at least: operations as the
// sample has them, or numbers alone.
func benchmarkBody(tb testing.TB, size int, numbers bool) []byte {
	tb.Helper()
	piece := samples(tb)["events/operation.created.json"]
	if numbers {
		piece = []byte("18.505,100.00,4711")
	}
	body := []byte{'['}
	for len(body) < size {
		body = append(append(body, piece...), ',')
	}
	body[len(body)-1] = ']'
	return body
}

func BenchmarkDocument(b *testing.B) {
	for _, size := range []int{10 << 10, 1 << 20} {
		for _, numbers := range []bool{false, true} {
			body := benchmarkBody(b, size, numbers)
			name := fmt.Sprintf("%dKiB", size>>10)
			if numbers {
				name += "/numbers"
			}
			b.Run(name+"/parse", func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				for b.Loop() {
					parseDocument(body)
				}
			})
			d := readDocument(b, body)
			b.Run(name+"/spellings", func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				for b.Loop() {
					readDocument(b, body).spellings()
				}
			})
			spellings := d.spellings()
			var buf []byte
			b.Run(name+"/spell", func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				for i := 0; b.Loop(); i++ {
					buf = d.spell(buf[:0], spellings[i%len(spellings)])
				}
			})
		}
	}
}
