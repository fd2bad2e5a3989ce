package cmd

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestThreatModel holds that every test which SECURITY.md names exists, and that no
// threat goes without one.
func TestThreatModel(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, model, found := strings.Cut(string(page), "\n## Threat model\n")
	if !found {
		t.Fatal("SECURITY.md has no threat model")
	}
	exists := testNames(t)
	name := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+|[a-z_]+\\.txtar)`")
	rows := 0
	for line := range strings.Lines(model) {
		named := name.FindAllStringSubmatch(line, -1)
		for _, one := range named {
			if !exists[one[1]] {
				t.Errorf("there is no %s", one[1])
			}
		}
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| What") {
			continue
		}
		if rows++; len(named) == 0 {
			t.Errorf("no test is named in %s", line)
		}
	}
	if rows < 20 {
		t.Errorf("it has %d rows, which are too few to be all", rows)
	}
}

// testNames are the names of the tests and stories that there are.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "node_modules":
			return fs.SkipDir
		case strings.HasSuffix(path, ".txtar"):
			names[entry.Name()] = true
		case strings.HasSuffix(path, "_test.go"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, found := range function.FindAllSubmatch(text, -1) {
				names[string(found[1])] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
