package capture_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/delivery"
)

// readRequests returns what a capture holds, and fails where anything of it cannot be
// read.
func readRequests(t *testing.T, text string, format capture.Format) (requests []delivery.Request) {
	t.Helper()
	records, _, err := readAll(text, format)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	for _, record := range records {
		requests = append(requests, record.Request)
	}
	return requests
}

// quotedForShell quotes text in pieces, in the four ways of a shell. Which one comes
// when is in the bits of style.
func quotedForShell(text string, style uint64) string {
	var b strings.Builder
	b.WriteString("''") // so that nothing is a word, too
	for len(text) > 0 {
		piece := text[:min(len(text), 1+int(style>>2&7))]
		text = text[len(piece):]
		switch style & 3 {
		case 0:
			b.WriteString("'" + strings.ReplaceAll(piece, "'", `'\''`) + "'")
		case 1:
			b.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(piece) + `"`)
		case 2:
			b.WriteString("$'")
			for _, c := range []byte(piece) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
			b.WriteString("'")
		default:
			for _, c := range []byte(piece) {
				if c == '\n' || c == '\r' {
					fmt.Fprintf(&b, "'%c'", c)
				} else {
					b.Write([]byte{'\\', c})
				}
			}
		}
		style = style>>5 | style<<59
	}
	return b.String()
}

// FuzzShellWords quotes any text for a shell, and wants it back as it was, alone.
func FuzzShellWords(f *testing.F) {
	for _, text := range []string{"", `{"event":"a","n":100.00}`, "it's \\ \"$HOME\" `id`\r\n!", "\xff\x01\u202e", "a #b;c&d|e", "^\"a^\" ^\n"} {
		f.Add(text, uint64(0x9e3779b97f4a7c15))
		f.Add(text, uint64(0))
	}
	f.Add("a ^\nb", uint64(28))
	f.Fuzz(func(t *testing.T, text string, style uint64) {
		if strings.ContainsRune(text, 0) {
			t.Skip("no command can hold it")
		}
		command := "curl 'http://x.test/a' --data-raw " + quotedForShell(text, style) + " -H 'Content-Type: text/plain'\n"
		want := []delivery.Request{{
			Method: "POST", URL: "http://x.test/a", Body: []byte(text),
			Headers: delivery.Headers{{Name: "Content-Type", Value: "text/plain"}},
		}}
		// A second command begins where the first ends.
		got := readRequests(t, command+command, capture.Curl)
		if diff := cmp.Diff(append(want, want...), got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", command, diff)
		}
	})
}

// quotedForWindows quotes text as browsers do for cmd.
func quotedForWindows(text string) string {
	var b strings.Builder
	b.WriteString(`^"`)
	for _, c := range []byte(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)) {
		switch {
		case c == '\n':
			b.WriteString("^\n\n")
		case c == ' ', c >= 0x80, unicode.IsLetter(rune(c)), unicode.IsDigit(rune(c)):
			b.WriteByte(c)
		default:
			b.Write([]byte{'^', c})
		}
	}
	b.WriteString(`^"`)
	return b.String()
}

// FuzzWindowsWords does for cmd what FuzzShellWords does for a shell.
func FuzzWindowsWords(f *testing.F) {
	for _, text := range []string{"", `{"event":"a","n":100.00}`, "it's \\ \"%PATH%\" ^ & | < >\n\n!", "\xff\x01\u202e", `\\\"\`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\x00\r") {
			t.Skip("no command can hold the one, and cmd drops the other")
		}
		command := `curl ^"http://x.test/a^" ^` + "\r\n  -H ^\"Content-Type: text/plain^\" ^\r\n  --data-raw " + quotedForWindows(text) + "\r\n"
		want := []delivery.Request{{
			Method: "POST", URL: "http://x.test/a", Body: []byte(text),
			Headers: delivery.Headers{{Name: "Content-Type", Value: "text/plain"}},
		}}
		got := readRequests(t, command+command, capture.Curl)
		if diff := cmp.Diff(append(want, want...), got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", command, diff)
		}
	})
}

// FuzzRawHTTP writes a request down as it goes over the wire, plain and in chunks, and
// another one behind it. Both come back, whatever the body holds.
func FuzzRawHTTP(f *testing.F) {
	for _, body := range []string{"", `{"event":"a"}` + "\n", "POST /c HTTP/1.1\r\n\r\n", "0\r\n\r\n", "\r\n\r\n\x00\xff"} {
		f.Add([]byte(body), "sha256=ab", uint64(0x9e3779b97f4a7c15))
	}
	f.Fuzz(func(t *testing.T, body []byte, value string, cuts uint64) {
		if strings.ContainsAny(value, "\x00\r\n") {
			t.Skip("no header can hold it")
		}
		value = strings.Trim(value, " \t")
		const end = "POST /b HTTP/1.1\nHost: y.test\nContent-Length: 1\n\nb"
		headers := delivery.Headers{{Name: "Host", Value: "x.test"}, {Name: "X-M2M-Signature", Value: value}}
		for name, text := range map[string]string{
			"Content-Length":    fmt.Sprintf("%d\r\n\r\n%s", len(body), body),
			"Transfer-Encoding": "chunked\r\n\r\n" + inChunks(body, cuts),
		} {
			framing, _, _ := strings.Cut(text, "\r\n")
			sent := append(headers[:2:2], delivery.Header{Name: name, Value: framing})
			text = fmt.Sprintf("POST /a HTTP/1.1\r\n%s%s: %s\r\n%s", printHeaders(headers), name, text, end)
			want := []delivery.Request{
				{Method: "POST", URL: "http://x.test/a", Headers: sent, Body: body},
				{Method: "POST", URL: "http://y.test/b", Body: []byte("b"), Headers: delivery.Headers{
					{Name: "Host", Value: "y.test"}, {Name: "Content-Length", Value: "1"},
				}},
			}
			if diff := cmp.Diff(want, readRequests(t, text, capture.HTTP), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%q (-want +got):\n%s", text, diff)
			}
		}
	})
}

// inChunks writes a body in the chunked coding. The lengths of the chunks are in the
// bits of cuts.
func inChunks(body []byte, cuts uint64) string {
	var b strings.Builder
	for len(body) > 0 {
		piece := body[:min(len(body), 1+int(cuts&31))]
		body = body[len(piece):]
		extension := []string{"", ";a=b", " ", ";\"x\""}[cuts>>5&3]
		fmt.Fprintf(&b, "%x%s\r\n%s\r\n", len(piece), extension, piece)
		cuts = cuts>>7 | cuts<<57
	}
	return b.String() + "0\r\n" + []string{"", "X-Trailer: a\r\n"}[cuts&1] + "\r\n"
}

// FuzzRecords writes a record down as this tool does and as jq indents it. Both ways it
// comes back, and so does the record behind it.
func FuzzRecords(f *testing.F) {
	for _, text := range []string{"", `{"event":"a","n":100.00}`, "\x00\x7f\u2028\u202e\xff<&>", "}\n{", `\"`} {
		f.Add(text, []byte(text), int64(1769437800123))
	}
	f.Fuzz(func(t *testing.T, text string, body []byte, milliseconds int64) {
		record := delivery.Record{
			ID: text, Event: text, Time: time.UnixMilli(milliseconds).UTC(), Attempt: len(text),
			Request:  delivery.Request{Method: text, URL: text, Headers: delivery.Headers{{Name: text, Value: text}}, Body: body},
			Response: &delivery.Response{Status: 200, Body: body},
		}
		line, err := record.Line()
		if err != nil {
			return // a year that no record can name
		}
		want, err := delivery.Parse(line)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if !bytes.Equal(want.Request.Body, body) || !bytes.Equal(want.Response.Body, body) {
			t.Errorf("the bodies %q became %q and %q", body, want.Request.Body, want.Response.Body)
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, line, "", "  "); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		for _, written := range [][]byte{line, indented.Bytes()} {
			got := readRequests(t, string(written)+string(written), capture.Auto)
			if diff := cmp.Diff([]delivery.Request{want.Request, want.Request}, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", written, diff)
			}
		}
	})
}

// FuzzHeaders: what is read from header lines does not depend on line ends, on blank
// lines or on curl's markers, and stands in the lines.
func FuzzHeaders(f *testing.F) {
	for _, text := range []string{
		"", "X-M2M-Signature: sha256=ab\nx-m2m-timestamp:1\n", "POST / HTTP/1.1\nA: b\n", "HTTP_X_M2M_EVENT: a", ":method: POST\na:b",
		"a : b", "a: b\x7f", "no colon", " folded: x", "* Connected\n", "a:\t\x80 ",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\r<>") || strings.HasPrefix(text, "\ufeff") {
			t.Skip("put in below")
		}
		headers, err := capture.ParseHeaders([]byte(text))
		for _, header := range headers {
			if header.Name == "" || strings.ContainsAny(header.Name+header.Value, "\x00\r\n") || header.Value != strings.Trim(header.Value, " \t") ||
				!strings.Contains(text, header.Value) {
				t.Errorf("%q gave the header %q", text, header)
			}
			if name := header.Name; strings.EqualFold(name, delivery.SignatureHeader) && name != delivery.SignatureHeader {
				t.Errorf("%q is not spelled as documented", name)
			}
		}
		lines := strings.Split(text, "\n")
		for what, other := range map[string]string{
			"CRLF":        strings.ReplaceAll(text, "\n", "\r\n"),
			"a mark":      "\ufeff" + text,
			"curl -v's >": "> " + strings.Join(lines, "\n> "),
			"blank lines": strings.Join(lines, "\n\n") + "\n\n",
		} {
			again, againErr := capture.ParseHeaders([]byte(other))
			if diff := cmp.Diff(headers, again); diff != "" || (err == nil) != (againErr == nil) {
				t.Errorf("%s: %q gave %v and %v (-plain +this):\n%s", what, text, err, againErr, diff)
			}
		}
	})
}
