package report_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/report"
)

// parsed is a report as a CI server reads it.
type parsed struct {
	XMLName xml.Name `xml:"testsuites"`
	counts
	Suites []struct {
		counts
		Timestamp string       `xml:"timestamp,attr"`
		Cases     []parsedCase `xml:"testcase"`
	} `xml:"testsuite"`
}

type counts struct {
	Name     string `xml:"name,attr"`
	Tests    string `xml:"tests,attr"`
	Failures string `xml:"failures,attr"`
	Errors   string `xml:"errors,attr"`
	Skipped  string `xml:"skipped,attr"`
	Time     string `xml:"time,attr"`
}

type parsedCase struct {
	Class   string `xml:"classname,attr"`
	Name    string `xml:"name,attr"`
	Time    string `xml:"time,attr"`
	Failure *struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	} `xml:"failure"`
	Skipped *struct {
		Message string `xml:"message,attr"`
	} `xml:"skipped"`
}

func started() time.Time {
	return time.Date(2026, 1, 26, 15, 30, 0, 0, time.FixedZone("", 3600))
}

func begin(t *testing.T, path string) *report.JUnit {
	t.Helper()
	junit, err := report.NewJUnit(path, report.Suite{Name: "m2m verify", Started: started()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(junit.Discard)
	return junit
}

func write(t *testing.T, cases ...report.JUnitCase) (text string, got parsed) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "junit.xml")
	junit := begin(t, path)
	for _, c := range cases {
		junit.Case(c)
	}
	if err := junit.Close(); err != nil {
		t.Fatal(err)
	}
	only(t, filepath.Dir(path), "junit.xml")
	text = contents(t, path)
	if err := xml.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if len(got.Suites) != 1 {
		t.Fatalf("got %d suites, want 1:\n%s", len(got.Suites), text)
	}
	return text, got
}

func contents(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// only checks that these files, and no others, are in a directory.
func only(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestJUnitAsItStands(t *testing.T) {
	t.Parallel()
	got, _ := write(t,
		report.JUnitCase{Class: "m2m.verify", Name: "saved.ndjson:1 link.created"},
		report.JUnitCase{Class: "m2m.verify", Name: "saved.ndjson:2", Time: 1500 * time.Millisecond, Failure: &report.JUnitFailure{
			Message: `is "wrong" & <worse>`, Type: "signature_mismatch", Text: "received  sha256=9a1f…\n\tfix  a < b\n"}},
		report.JUnitCase{Class: "m2m.verify", Name: "saved.ndjson:3", Time: 4 * time.Millisecond, Skipped: "not a delivery"},
		report.JUnitCase{Class: "m2m.verify", Name: "saved.ndjson:4", Error: "not reached"},
	)
	want := `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="m2m verify" tests="4" failures="1" errors="1" skipped="1" time="1.504">
  <testsuite name="m2m verify" tests="4" failures="1" errors="1" skipped="1" time="1.504" timestamp="2026-01-26T14:30:00Z">
    <testcase classname="m2m.verify" name="saved.ndjson:1 link.created"></testcase>
    <testcase classname="m2m.verify" name="saved.ndjson:2" time="1.500">
      <failure message="is &#34;wrong&#34; &amp; &lt;worse&gt;" type="signature_mismatch">received  sha256=9a1f…
&#x9;fix  a &lt; b
</failure>
    </testcase>
    <testcase classname="m2m.verify" name="saved.ndjson:3" time="0.004">
      <skipped message="not a delivery"></skipped>
    </testcase>
    <testcase classname="m2m.verify" name="saved.ndjson:4">
      <error message="not reached"></error>
    </testcase>
  </testsuite>
</testsuites>
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestJUnitWithoutCases(t *testing.T) {
	t.Parallel()
	text, got := write(t)
	if suite := got.Suites[0]; suite.Tests != "0" || suite.Failures != "0" || len(suite.Cases) != 0 || suite.Time != "" {
		t.Errorf("got %+v in\n%s", suite, text)
	}
}

func TestJUnitCounts(t *testing.T) {
	t.Parallel()
	var cases []report.JUnitCase
	for i := range 5000 {
		c := report.JUnitCase{Class: "c", Name: fmt.Sprint(i), Time: time.Millisecond}
		switch {
		case i%7 == 0:
			c.Failure = &report.JUnitFailure{Message: "m", Type: "t"}
		case i%11 == 0:
			c.Skipped = "s"
		}
		cases = append(cases, c)
	}
	_, got := write(t, cases...)
	want := counts{Name: "m2m verify", Tests: "5000", Failures: "715", Errors: "0", Skipped: "390", Time: "5.000"}
	failures, skipped := 0, 0
	for i, c := range got.Suites[0].Cases {
		if c.Name != fmt.Sprint(i) {
			t.Fatalf("got case %q at %d", c.Name, i)
		}
		if c.Failure != nil {
			failures++
		}
		if c.Skipped != nil {
			skipped++
		}
	}
	if failures != 715 || skipped != 390 {
		t.Errorf("got %d failures and %d skipped", failures, skipped)
	}
	if diff := cmp.Diff([]counts{want, want}, []counts{got.counts, got.Suites[0].counts}); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestJUnitTakesAnyText(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"mark-up":              {`</failure>&amp;"'<!--`, `</failure>&amp;"'<!--`},
		"the end of a section": {"]]><x/>", "]]><x/>"},
		"ends of lines":        {"a\nb\r\nc\rd\te", "a\nb\r\nc\rd\te"},
		"white space around":   {" \n a \n ", " \n a \n "},
		"forbidden characters": {"a\x00b\x1b[31mc\x08\ufffe\uffff", "a\ufffdb\ufffd[31mc\ufffd\ufffd\ufffd"},
		"no UTF-8":             {"a\xff\xc3\x28\xed\xa0\x80", "a\ufffd\ufffd(\ufffd\ufffd\ufffd"},
		"other alphabets":      {"é 漢 \U0001f600 \u202e", "é 漢 \U0001f600 \u202e"},
		"nothing":              {"", ""},
		"references":           {"&#xA; &lt;", "&#xA; &lt;"},
		"a long one":           {strings.Repeat("<&\x00", 1<<16), strings.Repeat("<&\ufffd", 1<<16)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, got := write(t,
				report.JUnitCase{Class: test.text, Name: test.text, Failure: &report.JUnitFailure{Message: test.text, Type: test.text, Text: test.text}},
				report.JUnitCase{Skipped: "s" + test.text})
			cases := got.Suites[0].Cases
			c := cases[0]
			for part, got := range map[string]string{
				"class": c.Class, "name": c.Name, "message": c.Failure.Message, "type": c.Failure.Type,
				"text": c.Failure.Text, "skipped": strings.TrimPrefix(cases[1].Skipped.Message, "s"),
			} {
				if got != test.want {
					t.Errorf("%s: got %.200q, want %.200q in\n%.2000s", part, got, test.want, text)
				}
			}
		})
	}
}

func TestNoReportUntilItIsWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "junit.xml")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	thrown := begin(t, path)
	thrown.Case(report.JUnitCase{Name: "thrown away"})
	if got := contents(t, path); got != "old" {
		t.Errorf("got %q before the end, want what was there", got)
	}
	thrown.Discard()
	thrown.Discard()
	if err := thrown.Close(); err != nil {
		t.Errorf("closing what was discarded: %v", err)
	}
	if got := contents(t, path); got != "old" {
		t.Errorf("got %q after Discard, want what was there", got)
	}
	only(t, filepath.Dir(path), "junit.xml")

	kept := begin(t, path)
	kept.Case(report.JUnitCase{Name: "kept"})
	for range 2 {
		if err := kept.Close(); err != nil {
			t.Fatal(err)
		}
		kept.Case(report.JUnitCase{Name: strings.Repeat("too late", 1<<16)})
	}
	kept.Discard()
	if got := contents(t, path); !strings.Contains(got, "kept") || strings.Contains(got, "late") || strings.Contains(got, "old") {
		t.Errorf("got %q after Close", got)
	}
	only(t, filepath.Dir(path), "junit.xml")
	mode(t, path, 0o640)
}

func TestANewReportIsItsOwners(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "junit.xml")
	junit := begin(t, path)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v before the end, want %v", err, fs.ErrNotExist)
	}
	if err := junit.Close(); err != nil {
		t.Fatal(err)
	}
	mode(t, path, 0o600)
}

func mode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); runtime.GOOS != "windows" && got != want {
		t.Errorf("got mode %v, want %v", got, want)
	}
}

func BenchmarkCase(b *testing.B) {
	junit, err := report.NewJUnit(filepath.Join(b.TempDir(), "junit.xml"), report.Suite{})
	if err != nil {
		b.Fatal(err)
	}
	defer junit.Discard()
	failure := &report.JUnitFailure{Message: "signature does not match", Type: "signature_mismatch", Text: "cause  a newline was added\n  fix  capture the body"}
	b.ReportAllocs()
	for b.Loop() {
		junit.Case(report.JUnitCase{Class: "m2m.verify", Name: "saved.ndjson:1 link.created", Failure: failure})
	}
}
