package conform_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// stringifiable returns the bodies that have to be spelled as JSON.stringify spells them:
// all but the two that are there to be otherwise.
func stringifiable(t *testing.T, all []sent) []sent {
	t.Helper()
	var bodies []sent
	for _, one := range all {
		if one.whole && len(one.body) > 0 && one.on != "accept.exact-bytes" && one.on != "reject.not-json" {
			bodies = append(bodies, one)
		}
	}
	if len(bodies) < 90 {
		t.Fatalf("there are %d bodies", len(bodies))
	}
	return bodies
}

// checkSpelling spells each body anew from its tokens. encoding/json writes a float64 as
// ECMAScript does.
func checkSpelling(t *testing.T, all []sent) {
	t.Helper()
	for _, one := range stringifiable(t, all) {
		if got := respelled(t, one.body); got != string(one.body) {
			t.Errorf("%s: sent\n%.400s\nwant\n%.400s", one.on, one.body, got)
		}
	}
	for _, one := range of(all, "accept.exact-bytes") {
		if respelled(t, one.body) == string(one.body) {
			t.Errorf("accept.exact-bytes is spelled as usual: %s", one.body)
		}
	}
}

func respelled(t *testing.T, body []byte) string {
	t.Helper()
	var b strings.Builder
	type level struct {
		isObject bool
		tokens   int
	}
	var levels []level
	decoder := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		closing := token == json.Delim('}') || token == json.Delim(']')
		if n := len(levels); n > 0 && !closing {
			inner := &levels[n-1]
			switch {
			case inner.isObject && inner.tokens%2 == 1:
				b.WriteByte(':')
			case inner.tokens > 0:
				b.WriteByte(',')
			}
			inner.tokens++
		}
		switch value := token.(type) {
		case json.Delim:
			b.WriteString(value.String())
			if closing {
				levels = levels[:len(levels)-1]
			} else {
				levels = append(levels, level{isObject: value == '{'})
			}
		default:
			var text bytes.Buffer
			encoder := json.NewEncoder(&text)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(value); err != nil {
				t.Fatal(err)
			}
			b.WriteString(strings.TrimSuffix(text.String(), "\n"))
		}
	}
}

// checkStringify asks node itself.
func checkStringify(t *testing.T, all []sent) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("M2M_TEST_HANDLERS") == "required" {
			t.Fatal("node is missing")
		}
		t.Skip("node is missing")
	}
	bodies := stringifiable(t, all)
	var texts []string
	for _, one := range bodies {
		texts = append(texts, string(one.body))
	}
	input, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	const program = `let all = '';
process.stdin.setEncoding('utf8').on('data', (part) => { all += part; }).on('end', () => {
  const bodies = JSON.parse(all);
  const other = bodies.findIndex((body) => JSON.stringify(JSON.parse(body)) !== body);
  console.log(JSON.stringify({ count: bodies.length, other, want: other < 0 ? '' : JSON.stringify(JSON.parse(bodies[other])) }));
});`
	command := exec.CommandContext(t.Context(), node, "-e", program)
	command.Stdin = bytes.NewReader(input)
	output, err := command.Output()
	var said struct {
		Count, Other int
		Want         string
	}
	if err != nil || json.Unmarshal(output, &said) != nil || said.Count != len(bodies) {
		t.Fatalf("node: %v: %s", err, output)
	}
	if said.Other >= 0 {
		t.Errorf("%s: sent\n%.400s\nnode writes\n%.400s", bodies[said.Other].on, texts[said.Other], said.Want)
	}
}

// unixOf returns the text of a header timestamp for a payload's.
func unixOf(t *testing.T, timestamp string) string {
	t.Helper()
	at, err := time.Parse(time.RFC3339, timestamp)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(at.Unix(), 10)
}
