package diagnose

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os/exec"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/fixtures"
)

// samples returns the documented payloads by name.
func samples(tb testing.TB) map[string][]byte {
	tb.Helper()
	names, err := fs.Glob(fixtures.FS, "events/*.json")
	if err != nil || len(names) != 5 {
		tb.Fatalf("got %d samples and error %v, want 5", len(names), err)
	}
	found := map[string][]byte{}
	for _, name := range names {
		if found[name], err = fs.ReadFile(fixtures.FS, name); err != nil {
			tb.Fatal(err)
		}
	}
	return found
}

// nasty returns documents in which the writers differ, by what is in them.
func nasty(tb testing.TB) map[string][]byte {
	tb.Helper()
	documents := samples(tb)
	for name, text := range map[string]string{
		"nothing in an object":         `{}`,
		"nothing in an array":          "\n[ ]\n",
		"nothing inside":               `{"a":{},"b":[],"c":[{},[]],"d":[[[]]],"e":{"f":{}}}`,
		"one element":                  `[1]`,
		"arrays in arrays":             `[[1,2],[3,[4,{"b":[5,{}],"a":[]}]],true,false,null]`,
		"white space all over":         " {\r\n\t\"a\" : [ 1 ,2,\n3 ] , \"b\":{ }\t}\n ",
		"amounts":                      `{"send":100.00,"receive":1850.50,"rate":18.505,"fee":3.99}`,
		"amounts as written by others": `{"send":100,"receive":1850.5,"rate":18.505,"fee":3.99}`,
		"exact numbers":                `[0,1,-1,10,100.10,0.10,0.5,-0.25,120.0,1e2,1E2,1.5e3,1e+2,1200e-2,0e5,0.0e1,0.000]`,
		"minus zero":                   `[-0]`,
		"minus zero with a point":      `[-0.0,-0e1,-0.00]`,
		"magnitudes": `[1e0,1e1,1e5,1e6,1e7,1e8,1e14,1e15,1e16,1e17,1e18,1e19,1e20,1e21,1e22,1e23,1e100,1e300,` +
			`1e-1,1e-2,1e-3,1e-4,1e-5,1e-6,1e-7,1e-8,1e-10,1e-100,1e-307]`,
		"magnitudes with digits": `[1.25e0,1.25e1,1.25e5,1.25e6,1.25e7,1.25e14,1.25e15,1.25e16,1.25e17,1.25e18,1.25e20,1.25e21,` +
			`1.25e22,1.25e-1,1.25e-3,1.25e-4,1.25e-5,1.25e-6,1.25e-7,-1.25e-300,-1.25e300,9999999.5,999999.5]`,
		"long fractions":              `[0.1234567890123456789,3.141592653589793238,123456789.123456789,1234567890123456.7,0.30000000000000004]`,
		"large numbers":               `[9007199254740993,123456789012345678,1234567890123456789012345678901234567890,-999999999999999999]`,
		"the ends of 64 bits":         `[9223372036854775807,9223372036854775808,-9223372036854775808,-9223372036854775809,18446744073709551616]`,
		"15 to 22 digits":             `[999999999999999,1000000000000000,9999999999999999,99999999999999990,100000000000000000000,1000000000000000000000]`,
		"a number too large":          `{"a":1e400,"b":-1e400}`,
		"a number too small":          `[1e-400,-1e-400]`,
		"repeated keys":               `{"b":1,"a":2,"b":3,"c":{"x":1,"x":{"y":2,"y":[]}},"a":{"z":1}}`,
		"repeated key with an escape": `{"a":1,"\u0061":2,"b":3}`,
		"number-like keys":            `{"b":1,"10":2,"9":3,"a":4,"01":5,"-1":6,"1.5":7,"4294967294":8,"4294967295":9,"0":10}`,
		"lists as objects":            `{"l":{"0":"a","1":"b"},"m":{"1":"a","0":"b"},"e":{},"n":{"0":{"0":{}}}}`,
		"keys to sort":                `{"b":1,"B":2,"a":{"z":1,"y":2},"é":3,"ﬁ":4,"aa":5,"_":6,"𝄞":7,"":8,"Z":9,"c":{"𝄞":1,"ﬁ":2}}`,
		"doubles of all sorts":        `[-0.0,-0,1e20,1e21,1e-6,1e-7,1e15,1e16,1e17,1234567890123456.7,1e-4,1e-5,100.0,7]`,
		"no letter in the escapes":    `["1–2’"]`,
		"short escapes":               `["\b\f\n\r\t\"\\\/"]`,
		"control characters":          `["\u0000\u0001\u000b\u000e\u001f\u0010\u001B\u0008\u000A"]`,
		"DEL":                         `["` + "\x7f" + `\u007f"]`,
		"slashes":                     `{"url":"https://a.test/b/c","</script>":"\/"}`,
		"HTML":                        `{"html":"<b>&amp; 'x' = \"y\" + ` + "`z`" + `</b>","&":1}`,
		"an ampersand":                `{"a":"b&c"}`,
		"escaped HTML":                `["\u003cb\u003E\u0026\u0027\u003d"]`,
		"accents":                     `{"name":"José Ñandú","city":"México","ß":"ÿ"}`,
		"escaped accents":             `{"name":"Jos\u00e9 \u00D1and\u00FA","\u00df":"\u00FF"}`,
		"quotation marks":             `["it’s ‘so’"]`,
		"astral characters":           `["😀𝄞","\ud83d\ude00","\uD834\uDD1E"]`,
		"line separators":             "[\"\u2028\u2029\",\"\\u2028\\u2029\"]",
		"one line separator":          "[\"a\u2028\"]",
		"noncharacters":               "[\"\uFFFF\uFFFD\uFEFF\u0080\u00A0\"]",
		"lone surrogates":             `["\ud800","\uDFFF","\ud83dx","\ude00\ud83d","\ud83d\u0041"]`,
		"lone surrogate in a key":     `{"\ud800":1,"a":"\uD83D"}`,
		"depth":                       strings.Repeat(`{"a":[`, 40) + strings.Repeat(`]}`, 40),
		"a little of all":             `{"zeta":"é/<😀>` + "\u2028" + `","10":1.0,"2":{"b":1e21,"a":-0.0,"a":[100.00,{}]},"é":"\u0001\/'=+","":0.00001}`,
	} {
		documents[name] = []byte(text)
	}
	return documents
}

// expectSpelled fails unless the text is among the document's spellings or the body
// itself.
func expectSpelled(t *testing.T, body, text []byte) {
	t.Helper()
	d, ok := parseDocument(body)
	if !ok {
		t.Fatalf("%.200q is not read as JSON", body)
	}
	if bytes.Equal(body, text) {
		return
	}
	for _, s := range d.spellingsUpTo(10000) {
		if bytes.Equal(d.spell(nil, s), text) {
			return
		}
	}
	t.Errorf("nobody spells so: %.2000s\n of: %.2000s", text, body)
}

// TestInterpretersAreAmongTheSpellings asks the real writers of other languages.
func TestInterpretersAreAmongTheSpellings(t *testing.T) {
	t.Parallel()
	for _, writer := range []struct {
		name    string
		command []string
	}{
		{"JavaScript", []string{"node", "testdata/writers/write.js"}},
		{"Python", []string{"python3", "testdata/writers/write.py"}},
		{"PHP", []string{"php", "testdata/writers/write.php"}},
		{"Ruby", []string{"ruby", "testdata/writers/write.rb"}},
	} {
		t.Run(writer.name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(writer.command[0]); err != nil {
				t.Skipf("%s is not installed", writer.command[0])
			}
			var names []string
			var input strings.Builder
			documents := nasty(t)
			for name, body := range documents {
				names = append(names, name)
				input.WriteString(base64.StdEncoding.EncodeToString(body) + "\n")
			}
			command := exec.CommandContext(t.Context(), writer.command[0], writer.command[1:]...)
			command.Stdin = strings.NewReader(input.String())
			output, err := command.Output()
			if err != nil {
				t.Fatalf("%v: %v", writer.command, err)
			}
			lines := strings.Split(strings.TrimSuffix(string(output), "\n"), "\n")
			if len(lines) != len(names) {
				t.Fatalf("got %d lines, want %d", len(lines), len(names))
			}
			written := 0
			for i, name := range names {
				t.Run(name, func(t *testing.T) {
					for _, encoded := range strings.Fields(lines[i]) {
						text, err := base64.StdEncoding.DecodeString(encoded)
						if err != nil {
							t.Fatal(err)
						}
						expectSpelled(t, documents[name], text)
						written++
					}
				})
			}
			if written < len(names) {
				t.Errorf("only %d spellings of %d documents", written, len(names))
			}
		})
	}
}

// TestJavaNumbersAreAmongTheSpellings asks Java itself for what Jackson and Gson
// leave to it.
func TestJavaNumbersAreAmongTheSpellings(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("java"); err != nil {
		t.Skip("java is not installed")
	}
	tokens := strings.Split("100.00 1850.50 18.505 3.99 0.0 -0.00 0.001 0.0009 9999999.5 1e7 1E7 12345678.9 1e-7 0.0000001 "+
		"1.250e2 1e2 100e-2 0.00000100 1e21 -2.50 1e300 120.0 1000000.0 0e5 0.10e-8", " ")
	command := exec.CommandContext(t.Context(), "java", "testdata/writers/Write.java")
	command.Stdin = strings.NewReader(strings.Join(tokens, "\n"))
	output, err := command.Output()
	if err != nil {
		t.Skipf("java does not run one source file: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	if len(lines) != len(tokens) {
		t.Fatalf("got %d lines, want %d", len(lines), len(tokens))
	}
	for i, token := range tokens {
		d, ok := parseDocument([]byte("[" + token + "]"))
		if !ok {
			t.Fatalf("%s is not read", token)
		}
		d.renderNumbers()
		for j, style := range []numberStyle{numbersJava, numbersBigDecimal, numbersBigDecimalStripped} {
			got, want := string(d.rendered[style].number(0)), strings.Fields(lines[i])[j]
			if got != want {
				t.Errorf("%s in style %d: got %s, want %s", token, style, got, want)
			}
		}
	}
}

// TestGoIsAmongTheSpellings asks Go's own writers.
func TestGoIsAmongTheSpellings(t *testing.T) {
	t.Parallel()
	for name, body := range nasty(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			decode := func(numbers bool) (value any) {
				decoder := json.NewDecoder(bytes.NewReader(body))
				if numbers {
					decoder.UseNumber()
				}
				if decoder.Decode(&value) != nil {
					return nil // a number too large
				}
				return value
			}
			for _, value := range []any{decode(false), decode(true), json.RawMessage(body)} {
				if value == nil {
					continue
				}
				for _, indent := range []string{"", "  ", "    ", "\t"} {
					for _, html := range []bool{true, false} {
						if _, raw := value.(json.RawMessage); (raw && indent != "") || (indent == "    " && !raw) {
							continue
						}
						var text bytes.Buffer
						encoder := json.NewEncoder(&text)
						encoder.SetEscapeHTML(html)
						encoder.SetIndent("", indent)
						if err := encoder.Encode(value); err != nil {
							t.Fatal(err)
						}
						expectSpelled(t, body, bytes.TrimSuffix(text.Bytes(), []byte("\n")))
					}
				}
			}
			var text bytes.Buffer
			if err := json.Compact(&text, body); err != nil {
				t.Fatal(err)
			}
			expectSpelled(t, body, text.Bytes())
			for _, indent := range []string{"  ", "    ", "\t"} {
				text.Reset()
				if err := json.Indent(&text, bytes.TrimSpace(body), "", indent); err != nil {
					t.Fatal(err)
				}
				expectSpelled(t, body, text.Bytes())
			}
		})
	}
}

// TestGoStructIsAmongTheSpellings has the order of a struct, which is that of the
// body, and Go's numbers.
func TestGoStructIsAmongTheSpellings(t *testing.T) {
	t.Parallel()
	var payload struct {
		Z string  `json:"z"`
		A float64 `json:"a"`
	}
	body := []byte(`{"z": "<é>", "a": 100.00}`)
	if err := json.Unmarshal(body, &payload); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	expectSpelled(t, body, text)
}
