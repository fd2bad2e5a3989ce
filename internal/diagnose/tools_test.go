package diagnose

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/sign"
)

const (
	toolSecret    = "m2m-dev-secret"
	stagingSecret = "the-secret-of-staging"
	toolTimestamp = "1769437800"
)

// toolBody is a body that the tools sign and break.
type toolBody struct {
	Name string `json:"name"`
	Body []byte `json:"body"`
	// Sample says that it is spelled as the documented samples are, so that a writer
	// can be undone.
	Sample bool `json:"sample"`
	// Pairs says that it is broken in several ways together, too.
	Pairs bool `json:"pairs"`
}

func toolBodies(t *testing.T) []toolBody {
	t.Helper()
	var bodies []toolBody
	for name, body := range samples(t) {
		bodies = append(bodies, toolBody{Name: name, Body: body, Sample: true, Pairs: strings.Contains(name, "operation.created")})
	}
	slices.SortFunc(bodies, func(a, b toolBody) int { return strings.Compare(a.Name, b.Name) })
	sample := bodies[len(bodies)-1].Body
	return append(bodies,
		toolBody{Name: "names that are not ASCII", Pairs: true, Body: []byte(
			`{"event":"user.data_request","timestamp":"2026-01-26T14:30:00.000Z","data":{"name":"José Ñandú 😀","city":"México, D. F."}}`)},
		toolBody{Name: "slashes and HTML", Body: []byte(
			`{"timestamp": "2026-01-26T14:30:00.000Z", "data": {"url": "https://a.test/b/c", "note": "<b>Tom & 'Jerry' = \"x\"</b>"}}`)},
		toolBody{Name: "numbers", Body: []byte(
			`{ "timestamp": "2026-01-26T14:30:00.000Z", "data": [100.00, 1850.50, 1e-7, 1E5, 12345678901234567890, 0.0, -0.50, 1.5e300] }`)},
		toolBody{Name: "CRLF", Body: bytes.ReplaceAll(sample, []byte("\n"), []byte("\r\n"))},
		toolBody{Name: "a newline at the end", Body: append(slices.Clone(sample), '\n')},
		toolBody{Name: "nothing", Body: []byte{}},
		toolBody{Name: "no JSON", Body: []byte("two lines\nof 100% text, a+b=c & more\n")},
	)
}

// capture is what a tool made, and what is wrong with it.
type capture struct {
	Name      string   `json:"name"`
	Causes    []Cause  `json:"causes"`
	Words     []string `json:"words"`
	Secret    []byte   `json:"secret"`
	Timestamp string   `json:"timestamp"`
	Signature string   `json:"signature"`
	Body      []byte   `json:"body"`
}

// toolCaptures runs a program that makes broken captures and prints them. Where one of
// the tools that it needs is missing the test is skipped, unless M2M_TEST_HANDLERS is
// "required".
func toolCaptures(t *testing.T, tools []string, stdin []byte, program string, args ...string) []capture {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("M2M_TEST_HANDLERS") == "required" {
		missing = t.Fatalf
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			missing("%s is missing", tool)
		}
	}
	// The go command runs the test again when a file that it looked at has changed.
	if _, err := os.Stat(program); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), tools[0], append([]string{program}, args...)...)
	command.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", command, err, &stderr)
	}
	var captures []capture
	decoder := json.NewDecoder(bytes.NewReader(output))
	decoder.DisallowUnknownFields()
	for decoder.More() {
		var c capture
		if err := decoder.Decode(&c); err != nil {
			t.Fatal(err)
		}
		captures = append(captures, c)
	}
	return captures
}

// tableCauses are all causes that a single capture can have.
func tableCauses() []Cause {
	return []Cause{
		GzipBody, URLEncodedBody, BOM, CRLF, LF, TrailingNewline, MissingNewline, ReserializedJSON,
		SecretWhitespace, SecretQuoted, SecretPrefix, SecretBase64, SecretHex, OtherSecret,
		TimestampMillis, TimestampSeconds, TimestampFromBody, TimestampNotSigned, WrongSeparator,
		WrongAlgorithm, PlainHash, SignatureUnprefixed, SignatureUppercase, SignatureBase64, Unknown,
	}
}

// part says of what a cause speaks: 0 the body, 1 the secret, 2 the signed content, 3
// the algorithm, 4 the signature's spelling.
func part(c Cause) int {
	at := slices.Index(tableCauses(), c)
	last := []Cause{ReserializedJSON, OtherSecret, WrongSeparator, PlainHash, Unknown}
	return slices.IndexFunc(last, func(l Cause) bool { return at <= slices.Index(tableCauses(), l) })
}

func (c capture) delivery() Delivery {
	return Delivery{ContentLength: -1, Message: sign.Message{
		Signature: c.Signature, HasSignature: true, Timestamp: c.Timestamp, HasTimestamp: true, Body: c.Body,
	}}
}

func (c capture) diagnose(t *testing.T, effort Effort) Diagnosis {
	t.Helper()
	key, err := sign.NewKey(string(c.Secret))
	if err != nil {
		t.Fatal(err)
	}
	staging, err := sign.NewKey(stagingSecret)
	if err != nil {
		t.Fatal(err)
	}
	documented := slices.Collect(maps.Values(samples(t)))
	return New([]sign.Key{key}, []Other{{staging, "the secret of profile staging"}}, documented...).Diagnose(c.delivery(), effort)
}

func causesOf(d Diagnosis) []Cause {
	var causes []Cause
	for _, finding := range d.Findings {
		causes = append(causes, finding.Cause)
	}
	return causes
}

// check expects exactly the causes that the tool knows, what is wrong with the body
// first, and the words that go with them.
func (c capture) check(t *testing.T) {
	t.Helper()
	got := c.diagnose(t, Thorough)
	causes := causesOf(got)
	want, sorted := slices.Sorted(slices.Values(c.Causes)), slices.Sorted(slices.Values(causes))
	if !slices.Equal(sorted, want) {
		t.Errorf("%s:\ngot  %q, %s\nwant %q", c.Name, causes, got.Message(), c.Causes)
		return
	}
	if !slices.IsSortedFunc(causes, func(a, b Cause) int { return part(a) - part(b) }) {
		t.Errorf("%s: got the order %q, want body, secret, content, algorithm, signature", c.Name, causes)
	}
	words := c.Words
	switch got.Cause() {
	case OtherSecret:
		words = append(words, "profile staging", sign.Fingerprint([]byte(stagingSecret)))
	case Unknown:
		words = append(words, sign.Fingerprint(c.Secret), "profile staging")
	}
	for _, word := range words {
		if !strings.Contains(got.Message(), word) {
			t.Errorf("%s: got message %q, want it to say %q", c.Name, got.Message(), word)
		}
	}
	c.expectNoSecret(t, got)
	if len(c.Causes) > 1 {
		return
	}
	if quick := causesOf(c.diagnose(t, Quick)); !slices.Equal(quick, causes) && !slices.Equal(quick, []Cause{Unknown}) {
		t.Errorf("%s: quickly got %q, and thoroughly %q", c.Name, quick, causes)
	}
}

// TestNodeAndPython has the mistakes made where people make them.
func TestNodeAndPython(t *testing.T) {
	t.Parallel()
	input, err := json.Marshal(map[string]any{
		"bodies": toolBodies(t), "secret": toolSecret, "staging": stagingSecret, "timestamp": toolTimestamp,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []struct{ tool, path string }{
		{"node", "testdata/signer.mjs"},
		{"python3", "testdata/signer.py"},
	} {
		t.Run(program.tool, func(t *testing.T) {
			t.Parallel()
			checkAll(t, toolCaptures(t, []string{program.tool}, input, program.path), 500, 60, tableCauses())
		})
	}
}

// TestOpenSSL has the mistakes of a shell.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	var captures []capture
	for _, body := range toolBodies(t) {
		if !body.Pairs {
			continue
		}
		file := filepath.Join(t.TempDir(), "body")
		if err := os.WriteFile(file, body.Body, 0o600); err != nil {
			t.Fatal(err)
		}
		captures = append(captures, toolCaptures(t, []string{"sh", "openssl", "gzip"}, nil, "testdata/signer.sh",
			toolSecret, stagingSecret, toolTimestamp, body.Name, file)...)
	}
	causes := slices.DeleteFunc(tableCauses(), func(c Cause) bool {
		return c == URLEncodedBody || c == ReserializedJSON || c == TimestampFromBody
	})
	checkAll(t, captures, 70, 15, causes)
}

// checkAll also expects so many captures, so many of them with several causes, and
// each of some causes alone.
func checkAll(t *testing.T, captures []capture, all, combined int, causes []Cause) {
	t.Helper()
	alone, together := map[Cause]int{}, 0
	for _, c := range captures {
		c.check(t)
		if len(c.Causes) > 1 {
			together++
		} else {
			alone[c.Causes[0]]++
		}
	}
	if len(captures) < all || together < combined {
		t.Errorf("got %d captures, %d of them combined, want at least %d and %d", len(captures), together, all, combined)
	}
	for _, cause := range causes {
		if alone[cause] == 0 {
			t.Errorf("no capture has %s", cause)
		}
	}
	t.Logf("%d captures, %d of them combined", len(captures), together)
}
