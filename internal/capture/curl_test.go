package capture_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/delivery"
)

const formType = "Content-Type: application/x-www-form-urlencoded"

// curlCommand is a command, in which URL stands for the address of a server, and
// what it sends. TestCurlItself checks the table against the real curl.
type curlCommand struct {
	name    string
	text    string
	method  string
	headers []string
	body    string
	// bash says that a plain POSIX shell would not do.
	bash bool
}

func curlCommands() []curlCommand {
	const payload = `{"event":"link.opened","data":{"a":"it\u0027s 100.00 \\ é"}}`
	return []curlCommand{
		{
			name: "as m2m prints it",
			text: "curl -X POST 'URL' -H 'Content-Type: application/json' -H 'X-M2M-Event: link.opened'" +
				" -H 'X-M2M-Timestamp: 1769437800' -H 'X-M2M-Signature: sha256=ab' --data-raw '" + payload + "'\n",
			method: "POST",
			headers: []string{
				"Content-Type: application/json", "X-M2M-Event: link.opened",
				"X-M2M-Timestamp: 1769437800", "X-M2M-Signature: sha256=ab",
			},
			body: payload,
		},
		{
			name: "as Chrome copies it",
			text: "curl 'URL' \\\n  -H 'accept: */*' \\\n  -H 'content-type: application/json' \\\n" +
				"  -b 'session=1' \\\n  -H 'x-m2m-signature: sha256=ab' \\\n" +
				`  --data-raw $'{\n\t"a":"it\'s \u0021"\r\n}' \` + "\n  --compressed ;\n",
			method:  "POST",
			headers: []string{"accept: */*", "content-type: application/json", "X-M2M-Signature: sha256=ab"},
			body:    "{\n\t\"a\":\"it's !\"\r\n}",
			bash:    true,
		},
		{
			name: "as Postman copies it",
			text: "curl --location --request PUT 'URL' \\\n--header 'X-M2M-Event: a' \\\n" +
				"--header 'Content-Type: application/json' \\\n--data '{\n    \"a\": \"it'\\''s\"\n}'\n",
			method:  "PUT",
			headers: []string{"X-M2M-Event: a", "Content-Type: application/json"},
			body:    "{\n    \"a\": \"it's\"\n}",
		},
		{
			name:    "as webhook.site copies it",
			text:    `curl -X 'POST' 'URL' -H 'x-m2m-timestamp: 1' -H 'content-type: application/json' -d $'{"a":"b"}'`,
			method:  "POST",
			headers: []string{"X-M2M-Timestamp: 1", "content-type: application/json"},
			body:    `{"a":"b"}`,
			bash:    true,
		},
		{
			name:   "after a prompt, and no data",
			text:   "$ curl -sS URL",
			method: "GET",
		},
		{
			name:    "a comment after it",
			text:    "\n  curl URL -d a # don't run\n# the end\n",
			method:  "POST",
			headers: []string{formType},
			body:    "a",
		},
		{
			name:    "double quotes",
			text:    `curl "URL" -d "{\"a\": \"\\n \$5 \` + "`" + ` \x 5$\"}" -H "X-A: it's"`,
			method:  "POST",
			headers: []string{"X-A: it's", formType},
			body:    `{"a": "\n $5 ` + "`" + ` \x 5$"}`,
		},
		{
			name:    "a string over several lines",
			text:    "curl URL -d 'a\n\\\nb ' -d \"c\\\nd\ne\"\n",
			method:  "POST",
			headers: []string{formType},
			body:    "a\n\\\nb &cd\ne",
		},
		{
			name:    "backslashes outside of quotes",
			text:    `curl URL -d a\ b\'\"\$\\\n\` + "\n" + `c`,
			method:  "POST",
			headers: []string{formType},
			body:    `a b'"$\nc`,
		},
		{
			name:    "pieces of one word",
			text:    `curl UR'L' -d 'a'"b"c''"" -H X-A:'  b  ' -H 'X-B:c;d'`,
			method:  "POST",
			headers: []string{"X-A: b", "X-B: c;d", formType},
			body:    "abc",
		},
		{
			name:    "every escape of $'…'",
			text:    `curl URL -d $'\a\b\e\E\f\n\r\t\v\\\'\"\?\q\101\x41\x7a7\u0041\u00e9\U0001F600\cA\1018\1011'`,
			method:  "POST",
			headers: []string{formType},
			body:    "\a\b\x1b\x1b\f\n\r\t\v\\'\"?\\qAAz7Aé😀\x01A8A1",
			bash:    true,
		},
		{
			name:    "bytes that are not UTF-8",
			text:    "curl URL --data-binary '\xff\xfe' -d $'\\xff\\377'",
			method:  "POST",
			headers: []string{formType},
			body:    "\xff\xfe&\xff\xff",
			bash:    true,
		},
		{
			name:    "a last newline",
			text:    "curl URL --data-binary 'a\n'",
			method:  "POST",
			headers: []string{formType},
			body:    "a\n",
		},
		{
			name:    "empty data",
			text:    "curl URL --data-raw ''",
			method:  "POST",
			headers: []string{formType},
		},
		{
			name:    "data of all kinds",
			text:    "curl URL -da --data b --data-ascii c --data-binary d --data-raw @e",
			method:  "POST",
			headers: []string{formType},
			body:    "a&b&c&d&@e",
		},
		{
			name:    "JSON in two parts",
			text:    `curl --json '{"a":' --json '1}' URL`,
			method:  "POST",
			headers: []string{"Content-Type: application/json"},
			body:    `{"a":1}`,
		},
		{
			name:    "JSON with a type of its own",
			text:    `curl --json '{}' -H 'content-type: text/plain' URL`,
			method:  "POST",
			headers: []string{"content-type: text/plain"},
			body:    `{}`,
		},
		{
			name:    "headers without a value",
			text:    "curl URL -d a -H 'Content-Type:' -H 'X-A;' -H 'X-B:' -H 'X-C: '",
			method:  "POST",
			headers: []string{"X-A: "},
			body:    "a",
		},
		{
			name:    "a header twice",
			text:    "curl URL -H 'X-A: 1' -H 'x-a: 2'",
			method:  "GET",
			headers: []string{"X-A: 1", "x-a: 2"},
		},
		{
			name:    "flags that do not matter",
			text:    "curl -skgiL -m5 -A 'x y' -e ref -u 'a:b' -o /dev/null --max-time 5 --no-keepalive --noproxy '*' --url URL -XPATCH",
			method:  "PATCH",
			headers: nil,
		},
		{
			name:   "a body for GET",
			text:   "curl -X GET URL -d a",
			method: "GET", headers: []string{formType}, body: "a",
		},
		{
			name:   "a # and a backslash inside of words",
			text:   `curl URL -d a#b\`,
			method: "POST", headers: []string{formType}, body: `a#b\`,
		},
		{
			name:   "the end of the flags",
			text:   "curl -d a -- URL",
			method: "POST", headers: []string{formType}, body: "a",
		},
	}
}

func headerTexts(headers delivery.Headers) (texts []string) {
	for _, header := range headers {
		texts = append(texts, header.Name+": "+header.Value)
	}
	return texts
}

func TestCurl(t *testing.T) {
	t.Parallel()
	const url = "http://localhost:3000/hooks"
	// In a file with CRLF, only line ends between words are the shell's.
	check := func(t *testing.T, test curlCommand, text string) {
		t.Helper()
		got := readOne(t, strings.Replace(strings.Replace(text, "UR'L'", url, 1), "URL", url, 1)).Request
		if got.Method != test.method || got.URL != url {
			t.Errorf("got %s %s, want %s %s", got.Method, got.URL, test.method, url)
		}
		if diff := cmp.Diff(test.headers, headerTexts(got.Headers)); diff != "" {
			t.Error(diff)
		}
		if string(got.Body) != test.body {
			t.Errorf("body\n got %q\nwant %q", got.Body, test.body)
		}
	}
	for _, test := range curlCommands() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			check(t, test, test.text)
			crlf := test
			crlf.text = strings.ReplaceAll(test.text, "\n", "\r\n")
			crlf.body = strings.ReplaceAll(test.body, "\n", "\r\n")
			if strings.Contains(test.text, "'\\''") || !strings.Contains(test.body, "\n") {
				check(t, crlf, crlf.text)
			}
		})
	}
}

func TestCurlForWindows(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"as Chrome copies it": {
			"curl ^\"http://x.test/?a=1^&b=2^\" ^\r\n  -X ^\"PUT^\" ^\r\n  -H ^\"x-m2m-event: a^\" ^\r\n" +
				"  --data-raw ^\"^{^\\^\"a^\\^\":^\\^\"100^% ^\\^\\n ^^^\\^\"^}^\"\r\n",
			[]string{"PUT http://x.test/?a=1&b=2", "X-M2M-Event: a", formType, `{"a":"100% \n ^"}`},
		},
		"on one line": {
			`curl ^"x.test^" -d ^"^{a^}^"`,
			[]string{"POST http://x.test", formType, "{a}"},
		},
		"older ones with CRLF": {
			"curl \"x.test\" ^\r\n --data-raw \"\"\"a\"\"\"\r\n",
			[]string{"POST http://x.test", formType, `"a"`},
		},
		"a line end in the data": {
			"curl ^\"x.test^\" -d ^\"a^\n\nb^\r\n\r\nc^\"",
			[]string{"POST http://x.test", formType, "a\nb\nc"},
		},
		"older ones": {
			"curl \"http://x.test/?a&b\" ^\n -H \"X-A: ^b\" ^\n --data-binary \"{\"\"a\"\":\"\"\\\\b\"\"}\" --compressed\n",
			[]string{"POST http://x.test/?a&b", "X-A: ^b", formType, `{"a":"\\b"}`},
		},
		"backslashes before quotes": {
			`curl ^"x.test^" -d "a\\" -d "b\"" -d \"c -d d\\e`,
			[]string{"POST http://x.test", formType, `a\&b"&"c&d\\e`},
		},
		"all of them copied": {
			"curl ^\"x.test^\" &\r\n\r\n",
			[]string{"GET http://x.test"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := readOne(t, test.text).Request
			got := append([]string{request.Method + " " + request.URL}, headerTexts(request.Headers)...)
			if len(request.Body) > 0 {
				got = append(got, string(request.Body))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCurlQuotingRoundTrip quotes random strings as those who print curl commands do.
func TestCurlQuotingRoundTrip(t *testing.T) {
	t.Parallel()
	quoters := map[string]func(string) string{
		"single quotes": func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" },
		"Chrome's $'…'": func(s string) string {
			return "$'" + escape(s, func(r rune) string {
				switch {
				case r == '\\' || r == '\'':
					return `\` + string(r)
				case r == '\n':
					return `\n`
				case r < ' ' || r == '!' || r >= 0x7f && r <= 0x9f:
					return fmt.Sprintf(`\u%04x`, r)
				}
				return string(r)
			}) + "'"
		},
		"Firefox's $'…'": func(s string) string {
			return "$'" + escape(s, func(r rune) string {
				switch {
				case r == '\\' || r == '\'':
					return `\` + string(r)
				case r < ' ' || r == 0x7f:
					return fmt.Sprintf(`\x%02x`, r)
				case r > 0xffff:
					return fmt.Sprintf(`\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
				case r > 0x7f:
					return fmt.Sprintf(`\u%04x`, r)
				}
				return string(r)
			}) + "'"
		},
		"Chrome's for Windows": func(s string) string {
			const plain = "abcABC012 _-:=+~'/.,?;()*`"
			s = strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `"`, `\"`)
			return `^"` + escape(s, func(r rune) string {
				switch {
				case r == '\n':
					return "^\n\n"
				case strings.ContainsRune(plain, r):
					return string(r)
				}
				return "^" + string(r)
			}) + `^"`
		},
	}
	alphabet := []rune("abc012 {}[]\"\"'\\\\\n!$`^%&|<>;#é\u0085😀\x01\x7f~")
	random := rand.New(rand.NewPCG(1, 2))
	for name, quoted := range quoters {
		for range 2000 {
			text := make([]rune, random.IntN(12))
			for i := range text {
				text[i] = alphabet[random.IntN(len(alphabet))]
			}
			want := string(text)
			command := "curl " + quoted("http://x.test") + " --data-raw " + quoted(want) + "\n"
			got := readOne(t, command).Request.Body
			if string(got) != want {
				t.Fatalf("%s: %q\n got %q\nwant %q", name, command, got, want)
			}
		}
	}
}

func escape(s string, one func(rune) string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteString(one(r))
	}
	return b.String()
}

func TestSeveralCommands(t *testing.T) {
	t.Parallel()
	text := "\n$ curl a -d '1\n2'\n# between\ncurl b -d 3 ;\ncurl c && curl.exe d ; \n curl ^\"e^\" ^\r\n -d ^\"4^\" &\r\ncurl ^\"f^\"\r\n"
	records, lines, err := readAll(text, capture.Auto)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, record := range records {
		got = append(got, fmt.Sprintf("%d %s %s", lines[i], record.Request.URL, record.Request.Body))
	}
	want := []string{"2 http://a 1\n2", "5 http://b 3", "6 http://c ", "6 http://d ", "7 http://e 4", "9 http://f "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestContinuationsInAFileWithCRLF(t *testing.T) {
	t.Parallel()
	got := readOne(t, "curl x \\\r\n -d a\\\r\nb\"c\\\r\nd\r\n\"'\\\r\n'\r\n").Request.Body
	if want := "abcd\r\n\\\r\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEventOfACommand(t *testing.T) {
	t.Parallel()
	record := readOne(t, `curl x -d '{"event":"link.opened"}'`)
	if record.Event != "link.opened" {
		t.Errorf("got %q", record.Event)
	}
}

func TestCurlErrors(t *testing.T) {
	t.Parallel()
	const expansion = "what $ begins is filled in by a shell: write its value, or put it in single quotes"
	for text, want := range map[string]string{
		"curl -d a":                             "line 1, column 1: the command has no URL",
		"curl x\nwget y":                        "line 2, column 1: another command: only curl is read here",
		"curl http://x/?a=1&b=2":                "line 1, column 20: another command: only curl is read here",
		"curl x -d":                             "line 1, column 8: -d needs a value",
		"curl x \\\n  --header":                 "line 2, column 3: --header needs a value",
		"curl x -q -sP":                         `line 1, column 11: unknown curl flag "-P"`,
		"curl x --secret=hidden":                `line 1, column 8: unknown curl flag "--secret"`,
		"curl x --no-data":                      `line 1, column 8: unknown curl flag "--no-data"`,
		"curl x -\x1b[2J":                       `line 1, column 8: unknown curl flag "-\x1b"`,
		"curl x -":                              "line 1, column 8: - is no flag",
		"curl x -d @body.json":                  `line 1, column 11: -d reads the body from the file "body.json", which is not in the capture: give it with --payload`,
		"curl x -d@-":                           `line 1, column 8: -d reads the body from the file "-", which is not in the capture: give it with --payload`,
		"curl x --data-binary '@a\x1bb'":        `line 1, column 22: --data-binary reads the body from the file "a\x1bb", which is not in the capture: give it with --payload`,
		"curl x --json @a":                      `line 1, column 15: --json reads the body from the file "a", which is not in the capture: give it with --payload`,
		"curl x -T a":                           `line 1, column 8: -T sends the file "a", which is not in the capture: give it with --payload`,
		"curl x --data-urlencode a=b":           "line 1, column 8: the body that --data-urlencode makes cannot be told from the command: give it with --payload",
		"curl x -F a=b":                         "line 1, column 8: the body that -F makes cannot be told from the command: give it with --payload",
		"curl x -G -d a":                        "line 1, column 8: -G puts the data into the URL, and a delivery has a body",
		"curl x --next y":                       "line 1, column 8: --next adds a second request: write it as a command of its own",
		"curl x -K a":                           "line 1, column 8: -K reads flags from a file, which is not in the capture",
		"curl x y":                              "line 1, column 8: a second URL: quote what belongs to a flag, and write a second request as a command of its own",
		"curl x -H a":                           "line 1, column 11: -H: no colon: a header is written Name: value",
		"curl x -H 'a b: c'":                    `line 1, column 11: -H: " " cannot stand in a header's name`,
		"curl x -H $'a: b\\r\\nc: d'":           `line 1, column 11: -H: '\r' cannot stand in a header's value`,
		"curl x -H @a":                          `line 1, column 11: -H reads headers from the file "a", which is not in the capture`,
		"curl x -d 'a\n\n":                      "line 1, column 11: the quote that opens here is not closed",
		"curl x -d \"a\\":                       "line 1, column 11: the quote that opens here is not closed",
		"curl x -d $'a":                         "line 1, column 11: the quote that opens here is not closed",
		"curl ^\"x^\" -d ^\"a\n":                "line 1, column 15: the quote that opens here is not closed",
		"curl x -d $BODY":                       "line 1, column 11: " + expansion,
		"curl x -H \"X-API-Key: $M2M_API_KEY\"": "line 1, column 23: " + expansion,
		"curl x -d \"$(cat a)\"":                "line 1, column 12: " + expansion,
		"curl x -d ${A}":                        "line 1, column 11: " + expansion,
		"curl x -d \"`cat a`\"":                 "line 1, column 12: a command in ` is run by a shell: write its output, or put it in single quotes",
		"curl x | jq .":                         "line 1, column 8: '|' outside of quotes is for the shell: leave the curl command alone, or quote it",
		"curl ^\"x^\" > a":                      "line 1, column 12: '>' outside of quotes is for the shell: leave the curl command alone, or quote it",
		"curl x -d 'a\x00'":                     "line 1, column 13: a NUL byte, which no command can hold",
		"curl x -d $'\\0'":                      "line 1, column 13: an escape that stands for no byte that a command can hold",
		"curl x -d $'\\400'":                    "line 1, column 13: an escape that stands for no byte that a command can hold",
		"curl x -d $'\\u0000'":                  "line 1, column 13: an escape that stands for no byte that a command can hold",
		"curl x -d $'\\xg'":                     "line 1, column 13: an escape that stands for no byte that a command can hold",
		"curl x -d $'a\\ud83d'":                 "line 1, column 14: half a character: its other half does not follow",
		"curl x -d $'a\\ud83d\\u0041'":          "line 1, column 14: half a character: its other half does not follow",
		"curl x -d $'\\UFFFFFFFF'":              "line 1, column 13: an escape that stands for no character",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, _, err := readAll(text, capture.Auto)
			wantError(t, err, want)
		})
	}
}
