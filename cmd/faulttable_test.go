package cmd

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestFaultTable holds that docs/testing.md has the faults, and what they come to, as
// TestFaults does. With -update it writes them.
func TestFaultTable(t *testing.T) {
	t.Parallel()
	const page, begin, end = "../docs/testing.md", "<!-- faults -->\n", "<!-- end of faults -->\n"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no place for them", page)
	}
	want := before + begin + faultTable() + end + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("%s has other faults: run go test ./cmd -run TestFaultTable -update", page)
	}
}

func faultTable() string {
	var b strings.Builder
	b.WriteString("| the other side | `send`, `reply`, `test`, `load` | the sender to `listen --forward-to` | in words |\n|---|---|---|---|\n")
	expected := meetings()
	for _, f := range faults() {
		want := expected[f.name]
		fmt.Fprintf(&b, "| %s | %d | %d | %s |\n", f.does, want.code, want.forward, strings.ReplaceAll(want.words, ".*", "…"))
	}
	return b.String()
}
