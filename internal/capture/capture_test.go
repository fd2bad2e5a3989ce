package capture_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/delivery"
)

// readAll reads every delivery of a capture and returns the first error but io.EOF.
func readAll(text string, format capture.Format) (records []delivery.Record, lines []int, err error) {
	reader, err := capture.Open(strings.NewReader(text), format)
	if err != nil {
		return nil, nil, err
	}
	for {
		record, line, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return records, lines, nil
		}
		if err != nil {
			return records, lines, err
		}
		records, lines = append(records, record), append(lines, line)
	}
}

// readOne reads a capture that holds exactly one delivery.
func readOne(t *testing.T, text string) delivery.Record {
	t.Helper()
	records, _, err := readAll(text, capture.Auto)
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 1 {
		t.Fatalf("got %d records, want 1", len(records))
	}
	return records[0]
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %q", want)
	}
	if got := err.Error(); got != want {
		t.Errorf("error\n got %s\nwant %s", got, want)
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		head string
		want capture.Format
	}{
		"a delivery record":                  {`{"type":"delivery"`, capture.NDJSON},
		"an indented record after blanks":    {"\r\n\n  {\n", capture.NDJSON},
		"a record after a byte order mark":   {"\xef\xbb\xbf{", capture.NDJSON},
		"a request":                          {"POST /hooks HTTP/1.1\r\nHost: x\r\n", capture.HTTP},
		"a request as curl -v shows HTTP/2":  {"POST /hooks HTTP/2\n", capture.HTTP},
		"a request to an absolute target":    {"POST http://x.test/ HTTP/1.0\n", capture.HTTP},
		"a request after blank lines":        {"\n\r\nPOST / HTTP/1.1\r\n", capture.HTTP},
		"a request after a byte order mark":  {"\xef\xbb\xbfPOST / HTTP/1.1\r\n", capture.HTTP},
		"a response":                         {"HTTP/1.1 200 OK\r\n", capture.HTTP},
		"a request line and nothing more":    {"POST / HTTP/1.1", capture.HTTP},
		"a curl command":                     {"curl http://x.test/", capture.Curl},
		"a curl command over several lines":  {"curl\\\n", ""},
		"a curl command after a prompt":      {"$ curl -d x y", capture.Curl},
		"a curl command from Windows":        {"curl.exe ^\"x^\"", capture.Curl},
		"curl and a tab":                     {"curl\thttp://x.test/", capture.Curl},
		"a word that begins like curl":       {"curling is a sport", ""},
		"a prompt without a space":           {"$curl x", ""},
		"the name curl alone":                {"curl", ""},
		"a list":                             {"[{}]", ""},
		"a request line without a version":   {"POST /hooks\n", ""},
		"a request line with a strange word": {"post / HTTP/1.1\n", ""},
		"a sentence that ends in a version":  {"We like HTTP/1.1\n", ""},
		"an indented request line":           {"  POST / HTTP/1.1\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := capture.Detect([]byte(test.head))
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	const forms = " begins neither a delivery record in JSON nor a raw HTTP request" +
		" (POST /path HTTP/1.1) nor a curl command"
	for name, test := range map[string]struct {
		text   string
		format capture.Format
		want   string
	}{
		"nothing":               {"", capture.Auto, "not a capture: it is empty"},
		"a byte order mark":     {"\xef\xbb\xbf", capture.Auto, "not a capture: it is empty"},
		"white space":           {" \n\n", capture.Auto, "not a capture: it begins with nothing but white space"},
		"nothing, as NDJSON":    {"", capture.NDJSON, "not a capture: it is empty"},
		"nothing, as HTTP":      {"", capture.HTTP, "not a capture: it is empty"},
		"white space, as curl":  {"\n", capture.Curl, "not a capture: it begins with nothing but white space"},
		"prose":                 {"\n\n  whsec_0123456789", capture.Auto, `not a capture: line 3, column 3: "w"` + forms},
		"a zip file":            {"PK\x03\x04", capture.Auto, `not a capture: line 1, column 1: "P"` + forms},
		"zero bytes":            {"\x00\x00", capture.Auto, `not a capture: line 1, column 1: "\x00"` + forms},
		"a terminal's escape":   {"\x1b[2J", capture.Auto, `not a capture: line 1, column 1: "\x1b"` + forms},
		"a right-to-left mark":  {"\u202ex", capture.Auto, `not a capture: line 1, column 1: "\u202e"` + forms},
		"UTF-16":                {"\xff\xfe{\x00", capture.Auto, "not a capture: it is text in UTF-16; save it as UTF-8"},
		"an unknown format":     {"{}", "har", `unknown format "har": it is auto, ndjson, http or curl`},
		"a payload":             {`{"event":"link.opened","timestamp":"","data":{}}`, capture.Auto, "a payload without its headers"},
		"a payload, as NDJSON":  {`{"event":"link.opened","data":{}}` + "\n", capture.NDJSON, "a payload without its headers"},
		"an indented payload":   {"{\n  \"event\": \"x\",\n  \"data\": {}\n}\n", capture.Auto, "a payload without its headers"},
		"a payload, data first": {`{"data":{"request":1},"event":"x"}`, capture.Auto, "a payload without its headers"},
		"a large payload":       {`{"event":"x","data":{"a":"` + strings.Repeat("a", 1<<20), capture.Auto, "a payload without its headers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := capture.Open(strings.NewReader(test.text), test.format)
			wantError(t, err, test.want)
		})
	}
}

func TestPlaceOfRubbishIsTyped(t *testing.T) {
	t.Parallel()
	_, err := capture.Open(strings.NewReader("\n rubbish"), capture.Auto)
	var syntax *capture.SyntaxError
	if !errors.As(err, &syntax) || syntax.Line != 2 || syntax.Column != 2 {
		t.Errorf("got %#v, want a SyntaxError in line 2, column 2", err)
	}
	_, err = capture.Open(strings.NewReader(`{"event":"x","data":{}}`), capture.Auto)
	if !errors.Is(err, capture.ErrPayload) {
		t.Errorf("got %v, want ErrPayload", err)
	}
}

// endless repeats its text for ever and counts what was taken.
type endless struct {
	text  string
	taken int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.text[(e.taken+i)%len(e.text)]
	}
	e.taken += len(p)
	return len(p), nil
}

func TestEndlessRubbishFailsAtOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text   string
		format capture.Format
		most   int
	}{
		"zero bytes":                  {"\x00", capture.Auto, 64 << 10},
		"white space":                 {" \n", capture.Auto, 64 << 10},
		"letters":                     {"abcdefgh", capture.Auto, 64 << 10},
		"lines":                       {"rubbish\n", capture.Auto, 64 << 10},
		"letters, as HTTP":            {"abcdefgh", capture.HTTP, 2 << 20},
		"letters, as curl":            {"abcdefgh", capture.Curl, 5 << 20},
		"zero bytes, as curl":         {"\x00", capture.Curl, 128 << 10},
		"curl and zero bytes":         {"curl \x00", capture.Auto, 128 << 10},
		"a request line":              {"POST / HTTP/1.1 ", capture.HTTP, 2 << 20},
		"a request of headers":        {"POST / HTTP/1.1\nA: b\nB: c\nC: d\n", capture.Auto, 2 << 20},
		"a payload":                   {`{"event":"x","data":{"a":"`, capture.Auto, 128 << 10},
		"a command of many words":     {"curl -d 'x' ", capture.Auto, 256 << 10},
		"a command of continuations":  {"curl\\\n", capture.Curl, 5 << 20},
		"commands of nothing, forced": {"x;;;;;\n", capture.Curl, 128 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := &endless{text: test.text}
			reader, err := capture.Open(in, test.format)
			if err == nil {
				_, _, err = reader.Next()
			}
			if err == nil {
				t.Error("got no error")
			}
			if in.taken > test.most {
				t.Errorf("it took %d bytes, want at most %d", in.taken, test.most)
			}
		})
	}
}

func TestReaderErrorsPassThrough(t *testing.T) {
	t.Parallel()
	broken := errors.New("is a directory")
	for _, text := range []string{
		"", "\n", "{\"type\":\"ready\"}\n", "{\n", "POST / HTTP/1.1\n\nabc", "POST / HTTP/1.1\nA: b", "curl -d 'a",
		"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n3\nab",
	} {
		in := io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))
		reader, err := capture.Open(in, capture.Auto)
		if err == nil {
			_, _, err = reader.Next()
		}
		if !errors.Is(err, broken) {
			t.Errorf("%q: got %v, want %v", text, err, broken)
		}
	}
}

func TestRecordIsReadBeforeTheNextIsWritten(t *testing.T) {
	t.Parallel()
	out, in := io.Pipe()
	defer func() { _ = in.Close() }()
	wrote := make(chan error, 1)
	go func() {
		_, err := in.Write([]byte(`{"request":{"headers":[],"body":"one"}}` + "\n"))
		wrote <- err
	}()
	reader, err := capture.Open(out, capture.Auto)
	if err != nil {
		t.Fatal(err)
	}
	record, _, err := reader.Next()
	if err != nil || string(record.Request.Body) != "one" {
		t.Errorf("got %q, %v", record.Request.Body, err)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
}

func TestFormsInPieces(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"records":          "\n" + `{"request":{"headers":[],"body":"a"}}` + "\n" + `{"request":{"headers":[],"body":"b"}}` + "\n",
		"indented records": "{\n \"request\": {\"headers\": [],\n \"body\": \"a\"}\n}\n{\n}\n",
		"requests":         "POST /a HTTP/1.1\nContent-Length: 1\n\naPOST /b HTTP/1.1\r\n\r\nbody\n",
		"chunked":          "POST /a HTTP/1.1\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n",
		"commands":         "\xef\xbb\xbf$ curl a -d $'\\u00e9\\ud83d\\ude00' \\\r\n -H 'a: b' ; curl ^\"b^\" -d ^\"x^\"\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, wantLines, wantErr := readAll(text, capture.Auto)
			if len(want) == 0 {
				t.Fatal("no record", wantErr)
			}
			reader, err := capture.Open(iotest.OneByteReader(strings.NewReader(text)), capture.Auto)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				got, line, err := reader.Next()
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want[i], got); diff != "" || line != wantLines[i] {
					t.Errorf("record %d differs, line %d, want %d:\n%s", i, line, wantLines[i], diff)
				}
			}
		})
	}
}

func TestNothingFollowsAnError(t *testing.T) {
	t.Parallel()
	reader, err := capture.Open(bytes.NewReader([]byte("curl 'x\n\ncurl y\n")), capture.Auto)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = reader.Next()
	wantError(t, err, "line 1, column 6: the quote that opens here is not closed")
	for range 2 {
		if _, _, err := reader.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("got %v, want EOF", err)
		}
	}
	if reader.Format() != capture.Curl {
		t.Errorf("got format %q", reader.Format())
	}
}
