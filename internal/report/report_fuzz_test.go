package report_test

import (
	"bytes"
	"encoding/xml"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/conform"
	"github.com/leapfinancial/m2m/internal/load"
	"github.com/leapfinancial/m2m/internal/report"
)

// hostile are texts that would break out of a report.
func hostile() []string {
	return []string{
		"", "a", "]]>", "<script>alert(1)</script>", `" onload="x`, "'><img src=x>", "&amp;&#0;", "\x00\x1b[2J\x7f\u009b", "\xff\xed\xa0\x80",
		"\ufffe\uffff\U0001ffff", "a\r\nb\n::error::c", "%0A%25,:", "{{.}}", "--><!--", "</style>", "</svg>", "javascript:x", "\u2028\u202e",
	}
}

// FuzzJUnit: whatever a case says, the report is XML, and says just that.
func FuzzJUnit(f *testing.F) {
	for _, text := range hostile() {
		f.Add(text, text, true)
		f.Add("a", text, false)
	}
	path := filepath.Join(f.TempDir(), "junit.xml")
	f.Fuzz(func(t *testing.T, name, text string, failed bool) {
		junit, err := report.NewJUnit(path, report.Suite{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		defer junit.Discard()
		one := report.JUnitCase{Name: name, Class: text, Skipped: text, Output: text}
		if failed {
			one = report.JUnitCase{Name: name, Class: text, Failure: &report.JUnitFailure{Message: text, Type: name, Text: text}}
		}
		junit.Case(one)
		junit.Case(report.JUnitCase{Name: "the next"})
		if err := junit.Close(); err != nil {
			t.Fatal(err)
		}
		written, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var got parsed
		if err := xml.Unmarshal(written, &got); err != nil {
			t.Fatalf("%v:\n%s", err, written)
		}
		if len(got.Suites) != 1 || len(got.Suites[0].Cases) != 2 || got.Suites[0].Cases[1].Name != "the next" || got.Name != inXML(name) {
			t.Fatalf("got %+v of\n%s", got, written)
		}
		read := got.Suites[0].Cases[0]
		texts := []string{read.Name, read.Class}
		want := []string{inXML(name), inXML(text)}
		switch {
		case read.Failure != nil:
			texts = append(texts, read.Failure.Message, read.Failure.Type, strings.ReplaceAll(read.Failure.Text, "\r", "\n"))
			want = append(want, inXML(text), inXML(name), strings.ReplaceAll(inXML(text), "\r", "\n"))
		case read.Skipped != nil:
			texts, want = append(texts, read.Skipped.Message), append(want, inXML(text))
		case failed || text != "":
			t.Error("the case passed")
		}
		if diff := cmp.Diff(want, texts); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// inXML returns text with U+FFFD for what XML has no character for.
func inXML(text string) string {
	return strings.Map(func(r rune) rune { // which gives the same for each byte that is no UTF-8
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return '\ufffd'
		}
		return r
	}, text)
}

// FuzzAnnotate: an annotation is one line and one command, and GitHub reads in it what
// was to be said.
func FuzzAnnotate(f *testing.F) {
	for _, text := range hostile() {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, title, text string) {
		var out bytes.Buffer
		report.Annotate(&out, report.Annotation{Level: report.Failure, Title: title, Text: text})
		line, found := strings.CutSuffix(out.String(), "\n")
		if !found || strings.ContainsAny(line, "\r\n") {
			t.Fatalf("not one line: %q", out.String())
		}
		// The runner takes the command up to the second "::", and its properties apart
		// at commas.
		rest, found := strings.CutPrefix(line, "::error ")
		properties, message, split := strings.Cut(rest, "::")
		if !found || !split || strings.ContainsAny(properties, ",:") {
			t.Fatalf("not one command: %q", line)
		}
		if got := unescaped(t, strings.TrimPrefix(properties, "title=")); got != title {
			t.Errorf("got the title %q, want %q", got, title)
		}
		if got := unescaped(t, message); got != text {
			t.Errorf("got the text %q, want %q", got, text)
		}
	})
}

func unescaped(t *testing.T, text string) string {
	t.Helper()
	got, err := url.PathUnescape(text)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// tags are the parts of a page that a browser does not show as text.
func tags(page []byte) []string {
	return regexp.MustCompile(`<[^>]*>`).FindAllString(string(page), -1)
}

// FuzzPages: a page has the same markup whatever text stands in it.
func FuzzPages(f *testing.F) {
	for _, text := range hostile() {
		f.Add(text, int64(time.Second), int64(time.Millisecond))
	}
	f.Add("a", int64(0), int64(0))
	f.Add("a", int64(time.Hour), int64(30*time.Second))
	path := filepath.Join(f.TempDir(), "page.html")
	f.Fuzz(func(t *testing.T, text string, after, latency int64) {
		const longest = int64(24 * time.Hour)
		if text == "" || after < 0 || after > longest || latency < 0 || latency > longest {
			t.Skip("a part may be left out where there is nothing to say, and a load has an end")
		}
		plain := pages(t, path, "plain", time.Duration(after), time.Duration(latency))
		for i, page := range pages(t, path, text, time.Duration(after), time.Duration(latency)) {
			if bytes.Contains(page, []byte("NaN")) != strings.Contains(text, "NaN") || bytes.Contains(page, []byte("ZgotmplZ")) != strings.Contains(text, "ZgotmplZ") {
				t.Errorf("something is no number, or in no place for text:\n%s", page)
			}
			if got, want := tags(page), tags(plain[i]); !slices.Equal(got, want) {
				t.Errorf("(-want +got):\n%s", cmp.Diff(want, got))
			}
		}
	})
}

// pages writes the report of a conformance run and that of a load, with text in all that
// may come from outside.
func pages(tb testing.TB, path, text string, after, latency time.Duration) (written [][]byte) {
	tb.Helper()
	began := time.Unix(1769437800, 0)
	cases := report.Conformance{Target: text, Secret: text, Began: began, Stopped: text}
	for _, outcome := range []conform.Outcome{conform.Pass, conform.Warn, conform.Fail, conform.Skip} {
		result := conform.Result{Case: conform.Case{ID: "accept." + text, Title: text}, Outcome: outcome, Said: text, Sent: text, Received: text, Why: text, Fix: text}
		cases.Results = append(cases.Results, result)
		cases.Summary.Add(result)
	}
	tally := load.NewTally(began, func(status int) bool { return status == 200 })
	tally.Add(load.Result{Sent: began, Latency: latency, Status: 200})
	tally.Add(load.Result{Sent: began.Add(after / 2), Latency: latency / 2, Status: 500})
	tally.Add(load.Result{Sent: began.Add(after), Latency: latency, Failure: &load.Failure{Kind: text, Message: text, Hint: text}})
	loaded := tally.Report(load.Plan{URL: text, Events: []string{text, text}, Rate: 1, RateText: text, Duration: after})
	for _, write := range []func(*report.Page) error{
		func(p *report.Page) error { return p.Conformance(cases, text) },
		func(p *report.Page) error { return p.Load(loaded, text) },
	} {
		page, err := report.NewPage(path)
		if err != nil {
			tb.Fatal(err)
		}
		if err := write(page); err != nil {
			tb.Fatal(err)
		}
		bytes, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		written = append(written, bytes)
	}
	return written
}
