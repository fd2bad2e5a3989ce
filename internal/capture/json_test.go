package capture_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/delivery"
)

// step is what one call of Next came to.
type step struct {
	Body string
	Line int
	Err  string
	Torn bool
}

// steps reads a capture to its end, over the records that cannot be used.
func steps(t *testing.T, in io.Reader) (got []step) {
	t.Helper()
	reader, err := capture.Open(in, capture.Auto)
	if err != nil {
		t.Fatal(err)
	}
	for len(got) < 100 {
		record, line, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return got
		}
		s := step{Body: string(record.Request.Body), Line: line}
		if err != nil {
			s.Err = err.Error()
			var skipped *delivery.LineError
			if errors.As(err, &skipped) {
				s.Torn = skipped.Torn
			}
		}
		got = append(got, s)
	}
	t.Fatal("no end")
	return nil
}

func TestJSON(t *testing.T) {
	t.Parallel()
	whole := func(body string) string {
		return fmt.Sprintf(`{"type":"delivery","request":{"headers":[],"body":%q}}`, body)
	}
	indented := func(body string) string {
		return fmt.Sprintf("{\n  \"type\": \"delivery\",\n  \"request\": {\n    \"headers\": [],\n    \"body\": %q\n  }\n}\n", body)
	}
	for name, test := range map[string]struct {
		text string
		want []step
	}{
		"a record a line":                      {whole("a") + "\n" + whole("b") + "\n", []step{{Body: "a", Line: 1}, {Body: "b", Line: 2}}},
		"a line without an end":                {whole("a"), []step{{Body: "a", Line: 1}}},
		"CRLF, blank lines and a mark":         {"\xef\xbb\xbf\r\n" + whole("a") + "\r\n\r\n" + whole("b"), []step{{Body: "a", Line: 2}, {Body: "b", Line: 4}}},
		"records of other types":               {`{"type":"ready"}` + "\n" + whole("a") + "\n", []step{{Body: "a", Line: 2}}},
		"an indented record":                   {indented("a"), []step{{Body: "a", Line: 1}}},
		"several indented records":             {"\n" + indented("a") + "\n" + indented("}{\"") + whole("c") + whole("d"), []step{{Body: "a", Line: 2}, {Body: "}{\"", Line: 10}, {Body: "c", Line: 17}, {Body: "d", Line: 17}}},
		"an indented record of another type":   {"{\n\"type\": \"ready\"\n}\n" + indented("a"), []step{{Body: "a", Line: 4}}},
		"an indented record that is large":     {indented(strings.Repeat("a", 100<<10)), []step{{Body: strings.Repeat("a", 100<<10), Line: 1}}},
		"a line that is large":                 {whole(strings.Repeat("a", 100<<10)) + "\n" + whole("b"), []step{{Body: strings.Repeat("a", 100<<10), Line: 1}, {Body: "b", Line: 2}}},
		"nothing but a torn line":              {`{"type":"delivery","request":{"hea`, []step{{Line: 1, Err: "line 1: cut off", Torn: true}}},
		"a torn last line":                     {whole("a") + "\n" + `{"type`, []step{{Body: "a", Line: 1}, {Line: 2, Err: "line 2: cut off", Torn: true}}},
		"a brace alone":                        {"{", []step{{Line: 1, Err: "line 1: cut off", Torn: true}}},
		"a brace and a line end":               {"{\n", []step{{Line: 1, Err: "line 1: not JSON: column 1: unexpected end of JSON input"}}},
		"a broken line, then a good one":       {`{"type":"del` + "\n" + whole("a") + "\n", []step{{Line: 1, Err: "line 1: not JSON: column 12: unexpected end of JSON input"}, {Body: "a", Line: 2}}},
		"a line broken at a comma, then good":  {`{"type":"delivery",` + "\n" + whole("a") + "\n", []step{{Line: 1, Err: "line 1: not JSON: column 19: unexpected end of JSON input"}, {Body: "a", Line: 2}}},
		"Python's idea of JSON":                {"{'type': 1}\n", []step{{Line: 1, Err: "line 1: not JSON: column 2: invalid character '\\'' looking for beginning of object key string"}}},
		"an indented record that is cut off":   {indented("a")[:40], []step{{Line: 1, Err: "line 1: cut off", Torn: true}}},
		"one cut off after a good one":         {indented("a") + indented("b")[:40], []step{{Body: "a", Line: 1}, {Line: 8, Err: "line 8: cut off", Torn: true}}},
		"an indented record without a request": {"{\n\"a\": 1\n}\n" + indented("b"), []step{{Line: 1, Err: "line 1: not a delivery record: it has no request"}, {Body: "b", Line: 4}}},
		"a fault in the second indented one":   {indented("a") + "{\n  \"type\": \"delivery\",\n  \"request\": nil\n}\n" + indented("b"), []step{{Body: "a", Line: 1}, {Line: 8, Err: "line 10: not JSON: column 15: invalid character 'i' in literal null (expecting 'u')"}, {Body: "b", Line: 12}}},
		"rubbish between indented ones":        {indented("a") + "}, rubbish {\n" + indented("b"), []step{{Body: "a", Line: 1}, {Line: 8, Err: "line 8: not a delivery record: it begins with '}'"}, {Body: "b", Line: 9}}},
		"rubbish at the end":                   {indented("a") + "x", []step{{Body: "a", Line: 1}, {Line: 8, Err: "line 8: not a delivery record: it begins with 'x'"}}},
		"a payload after a record":             {whole("a") + "\n" + `{"event":"x","data":{}}` + "\n", []step{{Body: "a", Line: 1}, {Line: 2, Err: "line 2: not a delivery record: it has no request"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, steps(t, strings.NewReader(test.text))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIndentedRecordKeepsEveryByte(t *testing.T) {
	t.Parallel()
	record := readOne(t, "{\n\"request\": {\"headers\": [], \"bodyBase64\": \"AP8KDQo=\"}}\n")
	if got, want := string(record.Request.Body), "\x00\xff\n\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestValueOverTheLimitIsPassedOver(t *testing.T) {
	t.Parallel()
	small := "{\n\"request\": {\"headers\": [], \"body\": \"a\"}}\n"
	in := io.MultiReader(
		strings.NewReader(small+"{\n\"request\": \""),
		io.LimitReader(&endless{text: "abcdefgh"}, delivery.MaxLine),
		strings.NewReader("\"}\n"+small))
	want := []step{{Body: "a", Line: 1}, {Line: 3, Err: "line 3: longer than 32 MiB"}, {Body: "a", Line: 5}}
	if diff := cmp.Diff(want, steps(t, in)); diff != "" {
		t.Error(diff)
	}
}
