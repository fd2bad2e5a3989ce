package cmd_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

func writeBytes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: bytes FILE TEXT")
	}
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(args[1], `"`, `\"`) + `"`)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

func sparse(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sparse FILE SIZE")
	}
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	file, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(file.Truncate(size))
	ts.Check(file.Close())
}

func join(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: join FILE PART...")
	}
	var whole strings.Builder
	for _, part := range args[1:] {
		whole.WriteString(ts.ReadFile(part))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(whole.String()), 0o600))
}

func chop(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: chop FILE SOURCE")
	}
	line, _, _ := strings.Cut(ts.ReadFile(args[1]), "\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(line), 0o600))
}

func long(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: long VAR N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Setenv(args[0], strings.Repeat("x", n))
}

func port(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: port VAR URL")
	}
	u, err := url.Parse(args[1])
	ts.Check(err)
	ts.Setenv(args[0], u.Port())
}

func origin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: origin VAR URL")
	}
	u, err := url.Parse(args[1])
	ts.Check(err)
	ts.Setenv(args[0], u.Scheme+"://"+u.Host)
}

func hostname(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hostname VAR")
	}
	name, err := os.Hostname()
	if err == nil {
		_, err = net.LookupHost(name)
	}
	if err != nil {
		name = "localhost"
	}
	ts.Setenv(args[0], name)
}

// unpack takes a request apart without any code of m2m's.
func unpack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: unpack FILE")
	}
	data := []byte(ts.ReadFile(args[0]))
	var header http.Header
	var body []byte
	if bytes.HasPrefix(data, []byte("{")) {
		header, body = unpackRecord(ts, data)
	} else {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(data)))
		ts.Check(err)
		body, err = io.ReadAll(r.Body)
		ts.Check(err)
		header = r.Header
	}
	timestamp := header.Get("X-M2M-Timestamp")
	ts.Setenv("TIMESTAMP", timestamp)
	ts.Setenv("SIGNATURE", header.Get("X-M2M-Signature"))
	ts.Setenv("HEX", strings.TrimPrefix(header.Get("X-M2M-Signature"), "sha256="))
	name := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(name+".body", body, 0o600))
	ts.Check(os.WriteFile(name+".signed", append([]byte(timestamp+"."), body...), 0o600))
}

func unpackRecord(ts *testscript.TestScript, data []byte) (http.Header, []byte) {
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	var record struct {
		Request struct {
			Headers    []struct{ Name, Value string }
			Body       string
			BodyBase64 string
		}
	}
	ts.Check(json.Unmarshal(lines[len(lines)-1], &record))
	header := http.Header{}
	for _, h := range record.Request.Headers {
		header.Add(h.Name, h.Value)
	}
	body := []byte(record.Request.Body)
	if record.Request.BodyBase64 != "" {
		var err error
		body, err = base64.StdEncoding.DecodeString(record.Request.BodyBase64)
		ts.Check(err)
	}
	return header, body
}

func printable(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 0 {
		ts.Fatalf("usage: [!] printable")
	}
	found := ""
	for _, stream := range []string{"stdout", "stderr"} {
		text := ts.ReadFile(stream)
		if i := strings.IndexFunc(text, isControl); i >= 0 {
			found = stream + ": " + strconv.QuoteToASCII(text[i:min(len(text), i+20)])
		}
	}
	switch {
	case !neg && found != "":
		ts.Fatalf("a control character on %s", found)
	case neg && found == "":
		ts.Fatalf("no control character on either stream")
	}
}

func isControl(r rune) bool {
	switch {
	case r == '\n':
		return false
	case r < ' ', r >= 0x7f && r < 0xa0:
		return true
	}
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

func ndjson(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: ndjson")
	}
	text := ts.ReadFile("stdout")
	if text == "" || !strings.HasSuffix(text, "\n") {
		ts.Fatalf("stdout does not end in a whole line")
	}
	for line := range strings.Lines(text) {
		var record struct{ Type string }
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Type == "" {
			ts.Fatalf("not an object with a type: %q (%v)", line, err)
		}
	}
}

// junit reads a report as a CI server does.
func junit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: junit FILE")
	}
	var suites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Cases    []struct {
				Name    string  `xml:"name,attr"`
				Class   string  `xml:"classname,attr"`
				Failure *string `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	text := strings.TrimSuffix(ts.ReadFile(args[0]), "\n")
	decoder := xml.NewDecoder(strings.NewReader(text))
	ts.Check(decoder.Decode(&suites))
	if rest := text[decoder.InputOffset():]; rest != "" {
		ts.Fatalf("after the report stands %q", rest)
	}
	if len(suites.Suites) != 1 {
		ts.Fatalf("%d suites, want 1", len(suites.Suites))
	}
	suite, failures := suites.Suites[0], 0
	for _, one := range suite.Cases {
		if one.Name == "" || one.Class == "" {
			ts.Fatalf("a case without a name: %+v", one)
		}
		if one.Failure != nil {
			failures++
		}
	}
	if len(suite.Cases) != suite.Tests || failures != suite.Failures {
		ts.Fatalf("%d cases and %d failures, where the report says %d and %d", len(suite.Cases), failures, suite.Tests, suite.Failures)
	}
}
