package cmd

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const errorsPage = "testdata/errors.golden"

// TestErrorsPage runs each command of testdata/errors.golden and compares what it says,
// and its exit code where that is not 2. The page is there to be read: what is wrong, and
// in the second line how to mend it. To add an error, add its command, and run the test
// with -update. In it, DIR is a directory with the files below; what is assigned before
// the command is its environment.
func TestErrorsPage(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the page has Linux's own words for what a file or an address is not")
	}
	page := readPage(t)
	dir := t.TempDir()
	for name, text := range errorFiles {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var got strings.Builder
	for line := range strings.Lines(page) {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok && (line == "\n" || strings.HasPrefix(line, "#")) {
			got.WriteString(line)
		}
		if !ok {
			continue
		}
		said, code := provoke(t, strings.ReplaceAll(command, "DIR/", filepath.ToSlash(dir)+"/"))
		said = strings.ReplaceAll(filepath.ToSlash(said), filepath.ToSlash(dir)+"/", "DIR/")
		got.WriteString(line + said)
		if code != exitNotTried {
			got.WriteString("exit code " + strconv.Itoa(int(code)) + "\n")
		}
		checkWords(t, command, said)
	}
	if *update {
		if err := os.WriteFile(errorsPage, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		page = got.String()
	}
	if diff := cmp.Diff(page, got.String()); diff != "" {
		t.Errorf("read what has changed, then run with -update (-want +got):\n%s", diff)
	}
}

func readPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(errorsPage)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// provoke runs a command line in this process. It returns what is on stderr and the code.
func provoke(t *testing.T, line string) (string, exitCode) {
	t.Helper()
	words := shellWords(strings.TrimSpace(line))
	environment := map[string]string{}
	for len(words) > 0 && words[0] != "m2m" {
		name, value, _ := strings.Cut(words[0], "=")
		environment[name] = value
		words = words[1:]
	}
	if len(words) == 0 {
		t.Fatalf("no m2m in %q", line)
	}
	var out, err bytes.Buffer
	env := testApp().env
	env.Out, env.Err = &out, &err
	env.LookupEnv = func(name string) (string, bool) { value, ok := environment[name]; return value, ok }
	code := run(t.Context(), env, words[1:])
	if code == exitDone {
		t.Errorf("%s ended with 0:\n%s", line, out.String())
	}
	return err.String(), code
}

// checkWords holds what every error has to be.
func checkWords(t *testing.T, command, said string) {
	t.Helper()
	told := 0
	for line := range strings.Lines(said) {
		message, isError := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "m2m: error: ")
		if isError {
			told++
		}
		if isError && (strings.HasSuffix(message, ".") || strings.HasPrefix(message, "failed to") || strings.Contains(message, "<nil>")) {
			t.Errorf("%s: %s", command, message)
		}
		if !strings.HasPrefix(line, "m2m: ") {
			t.Errorf("%sgot a line that is not m2m's: %q", command, line)
		}
	}
	if told == 0 {
		t.Errorf("%stold no error:\n%s", command, said)
	}
}

// TestEveryErrorIsProvoked holds that each error text of this package is told by a
// command of the page or looked for in a story.
func TestEveryErrorIsProvoked(t *testing.T) {
	t.Parallel()
	told := readPage(t)
	stories, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatal("no stories", err)
	}
	for _, story := range append(stories, "files_test.go") {
		data, err := os.ReadFile(story)
		if err != nil {
			t.Fatal(err)
		}
		// As the regular expressions of a story spell it.
		told += strings.NewReplacer("''", "'", `\`, "").Replace(string(data))
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, text := range errorTexts(t, name) {
			part := longestPart(text)
			if _, excused := unprovoked[text]; excused {
				continue
			}
			if !strings.Contains(told, part) {
				t.Errorf("%s: %q is told by no test: add a command that does to %s", name, text, errorsPage)
			}
		}
	}
}

// unprovoked are the errors that no command line brings about, and why.
var unprovoked = map[string]string{
	"no flag --%s":          "a mistake in the program",
	"%s did not go as told": "the demo would have to be broken",
	"--probe: the command had not ended within %s":                           "it would take that long",
	"nothing was sent: the time was over before the first delivery was made": "a machine that slow is not to be had",
	"--probe: the command has left something running that holds its output":  "it would take seconds",
	"no time at all":                    "told as a rate that is none",
	"reading the signature vectors: %w": "they are embedded",
	"writing a page: %w":                "a disk would have to be full",
	"answering a data request: %w":      "told by listen, where a file cannot be read any more",
}

// errorTexts returns the texts that a file gives to errors.New and fmt.Errorf.
func errorTexts(t *testing.T, name string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	ast.Inspect(file, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		function, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || function.Sel.Name != "New" && function.Sel.Name != "Errorf" {
			return true
		}
		if literal, ok := call.Args[0].(*ast.BasicLit); ok {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				texts = append(texts, text)
			}
		}
		return true
	})
	return texts
}

var verb = regexp.MustCompile(`%[.0-9]*[a-z]`)

// longestPart returns the longest part of a text that is always the same.
func longestPart(text string) string {
	longest := ""
	for _, part := range verb.Split(text, -1) {
		if part = strings.TrimSpace(part); len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

// aDataRequest is one that expires in the year.
func aDataRequest(year string) string {
	return `{"event":"user.data_request","timestamp":"2026-01-26T14:30:00.000Z","data":{"dataRequestId":"dr_acme_x9y8z7w6v5u4",` +
		`"referenceId":"user_1","linkId":"link_1","requiredFields":["dob"],` +
		`"replyEndpoint":"http://localhost:3000/partner/data-requests/dr_acme_x9y8z7w6v5u4","expiresAt":"` + year + `-01-26T14:35:00.000Z"}}`
}

// errorFiles are in DIR.
var errorFiles = map[string]string{
	"empty":          "",
	"secret":         "s3cret\n",
	"text.txt":       "hello\n",
	"link.json":      `{"event":"link.created","data":{"linkId":"link_1"}}`,
	"users.json":     `{"user_1":{"dob":"1990-05-15"}}`,
	"twice.yaml":     "to: localhost\nto: localhost\n",
	"number.yaml":    "webhook_secret: 12\n",
	"nothing.yaml":   "webhook_secret:\n",
	"list.yaml":      "to: [a, b]\napi_key: [a, b]\n",
	"sequence.yaml":  "- to: localhost\n",
	"tab.yaml":       "profiles:\n\tstaging:\n",
	"profile.yaml":   "profiles: {b: {to: 3000}, a: 3000}\n",
	"profiles.yaml":  "profiles: [a]\n",
	"soon.yaml":      "timeout: soon\n",
	"request.json":   aDataRequest("2099"),
	"late.json":      aDataRequest("2020"),
	"request.http":   "POST /webhooks/m2m HTTP/1.1\r\nX-M2M-Timestamp: 1769437800\r\nX-M2M-Signature: sha256=" + strings.Repeat("0", 64) + "\r\n\r\n" + aDataRequest("2099"),
	"records.ndjson": strings.Repeat(`{"type":"delivery","id":"1","request":{"method":"POST","url":"http://localhost/","headers":[],"body":"{}"}}`+"\n", 2),
}
