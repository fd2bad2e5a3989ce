package conform_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/conform"
)

var update = flag.Bool("update", false, "write the cases into docs/conformance.md anew")

// catalogueMark is where the generated part of the page begins.
const catalogueMark = "<!-- Generated from internal/conform: go test ./internal/conform -run Documentation -update -->\n"

// TestDocumentation holds that docs/conformance.md says of the cases what they say of
// themselves.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	page := filepath.Join("..", "..", "docs", "conformance.md")
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	written, _, found := bytes.Cut(have, []byte(catalogueMark))
	if !found {
		t.Fatalf("%s has no line %q", page, catalogueMark)
	}
	want := string(written) + catalogueMark + catalogue()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(have) != want {
		t.Errorf("%s is not what the cases say: run go test ./internal/conform -run Documentation -update", page)
	}
}

// catalogue is the cases as Markdown.
func catalogue() string {
	var b strings.Builder
	group := ""
	for _, c := range conform.Cases() {
		if c.Group() != group {
			group = c.Group()
			fmt.Fprintf(&b, "\n### %s\n", group)
		}
		fmt.Fprintf(&b, "\n#### `%s`\n\n%s. Worst outcome: %s.\n\n", c.ID, capital(c.Title), c.Worst)
		fmt.Fprintf(&b, "- **Sent:** %s.\n- **Why:** %s\n- **Mend it:** %s\n", c.Sends, c.Why, c.Fix)
	}
	return b.String()
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
