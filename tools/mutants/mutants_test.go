package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table in docs/testing.md anew")

const root = "../.."

func mutants(t *testing.T) []mutant {
	t.Helper()
	mutants, err := readMutants("mutants.txt")
	if err != nil {
		t.Fatal(err)
	}
	return mutants
}

// TestMutantsCanBeMade holds that the list is not out of date: each text stands in its
// file once, and each test in its package. That the tests fail is for main.go to see.
func TestMutantsCanBeMade(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, m := range mutants(t) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
		if err != nil {
			t.Error(err)
			continue
		}
		if n := strings.Count(string(text), m.before); n != 1 {
			t.Errorf("%s: %s: the text stands there %d times", m.file, m.what, n)
		}
		if name := m.file + ": " + m.what; m.before == m.after || seen[name] {
			t.Errorf("%s changes nothing, or is there twice", name)
		} else {
			seen[name] = true
		}
		tests := testSource(t, m.pkg)
		for test := range strings.SplitSeq(m.test, "|") {
			name, script, isScript := strings.Cut(test, "/")
			if !strings.Contains(tests, "func "+name+"(") {
				t.Errorf("%s: %s: there is no %s in %s", m.file, m.what, name, m.pkg)
			}
			if path := filepath.Join(root, "cmd", "testdata", "script", script+".txtar"); isScript {
				if _, err := os.Stat(path); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if len(seen) == 0 {
		t.Error("there are none")
	}
}

// testSource returns the source of a package's tests.
func testSource(t *testing.T, pkg string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pkg), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// TestTable holds docs/testing.md to the list.
func TestTable(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	table.WriteString("| file | what is broken | the test that sees it |\n|---|---|---|\n")
	for _, m := range mutants(t) {
		fmt.Fprintf(&table, "| `%s` | %s | `%s` |\n", m.file, m.what, strings.ReplaceAll(m.test, "|", "`, `"))
	}
	page := filepath.Join(root, "docs", "testing.md")
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	generated := regexp.MustCompile(`(?s)(<!-- mutants -->\n).*(<!-- end of mutants -->\n)`)
	if !generated.Match(have) {
		t.Fatal("docs/testing.md has no place for the table")
	}
	want := generated.ReplaceAll(have, []byte("${1}"+strings.ReplaceAll(table.String(), "$", "$$")+"${2}"))
	if bytes.Equal(have, want) {
		return
	}
	if !*update {
		t.Fatal("the table in docs/testing.md is out of date: run this test with -update")
	}
	if err := os.WriteFile(page, want, 0o600); err != nil {
		t.Fatal(err)
	}
}
