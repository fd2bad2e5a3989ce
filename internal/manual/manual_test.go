package manual_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/manual"
)

// tool is a small tree of commands, with words that roff and Markdown would misread.
func tool() manual.Manual {
	root := &cobra.Command{Use: "tool", Short: "Do <things>", Long: ".config is read first.\n\n  a  one\n  long-name\n     two,\n     both"}
	root.PersistentFlags().BoolP("quiet", "q", false, "say nothing")
	root.AddGroup(&cobra.Group{ID: "main", Title: "Main:"})
	run := func(*cobra.Command, []string) {}
	cut := &cobra.Command{
		Use: "cut [FILE]", Short: "Cut it", GroupID: "main", Run: run,
		Long:    "Cut a file's lines.\nIt's `raw`:\n\n  a: 1\n    b: |",
		Example: "  # The usual\n  tool cut 'a\\b' | wc\n\n  tool cut",
	}
	cut.Flags().SortFlags = false
	cut.Flags().String("sep", ",", "cut at `TEXT`|<end>")
	cut.Flags().Int("max", 0, "at most `N`…")
	cut.Flags().Bool("secret", false, "not told")
	_ = cut.Flags().MarkHidden("secret")
	manual.Group(cut.Flags(), "Limits", "max")
	root.AddCommand(cut, &cobra.Command{Use: "gone", Short: "Gone", Hidden: true, Run: run},
		&cobra.Command{Use: "places", Short: "Where things are", Long: "Here."},
		&cobra.Command{Use: "exits", Short: "Exits", Long: "Exits:\n\n  0  done"})
	return manual.Manual{Root: root, Exit: "  0  done\n", Version: "1.2.3", Date: time.Unix(1769437800, 0)}
}

func page(t *testing.T, pages []manual.Page, name string) string {
	t.Helper()
	for _, page := range pages {
		if page.Name == name {
			return string(page.Text)
		}
	}
	t.Fatalf("no page %s", name)
	return ""
}

func compare(t *testing.T, want, got string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	m := tool()
	var got strings.Builder
	cut, _, _ := m.Root.Find([]string{"cut"})
	if err := m.Help(&got, cut); err != nil {
		t.Fatal(err)
	}
	compare(t, `
Cut a file's lines.
It's `+"`raw`"+`:

  a: 1
    b: |

Usage:
  tool cut [FILE] [flags]

Examples:
  # The usual
  tool cut 'a\b' | wc

  tool cut

Flags:
      --sep TEXT   cut at TEXT|<end> (default ",")

Limits:
      --max N   at most N…

Global flags:
  -q, --quiet   say nothing

Exit codes:
  0  done
`, got.String())
}

func TestHelpOnARootAndATopic(t *testing.T) {
	t.Parallel()
	m := tool()
	var root, topic strings.Builder
	places, _, _ := m.Root.Find([]string{"places"})
	if err := m.Help(&root, m.Root); err != nil {
		t.Fatal(err)
	}
	if err := m.Help(&topic, places); err != nil {
		t.Fatal(err)
	}
	compare(t, "Here.\n", topic.String())
	for _, want := range []string{"\nMain:\n  cut     Cut it\n", "\nTopics:\n  exits   Exits\n  places  Where things are\n", "\nHelp on a command: tool COMMAND --help\n"} {
		if !strings.Contains(root.String(), want) {
			t.Errorf("got %s\nwant in it %q", root.String(), want)
		}
	}
	if strings.Contains(root.String(), "gone") {
		t.Errorf("a hidden command is told:\n%s", root.String())
	}
}

func TestManPages(t *testing.T) {
	t.Parallel()
	pages := tool().Man()
	if len(pages) != 2 {
		t.Errorf("got %d pages, want those of tool and tool cut", len(pages))
	}
	compare(t, `
.TH "TOOL\-CUT" "1" 2026-01-26 "tool 1.2.3" "tool manual"
.nh
.ad l
.SH "NAME"
tool\-cut \- cut it
.SH "SYNOPSIS"
\fBtool cut\fR [FILE] [flags]
.SH "DESCRIPTION"
Cut a file\(aqs lines. It\(aqs \(garaw\(ga:
.PP
.RS 4
.nf
a: 1
  b: |
.fi
.RE
.SH "EXAMPLES"
The usual:
.PP
.RS 4
.nf
tool cut \(aqa\eb\(aq | wc
.fi
.RE
.PP
.RS 4
.nf
tool cut
.fi
.RE
.SH "OPTIONS"
.TP
\fB\-\-sep\fR \fITEXT\fR
cut at TEXT|<end> (default ,)
.SS "Limits"
.TP
\fB\-\-max\fR \fIN\fR
at most N\[u2026]
.SH "GLOBAL OPTIONS"
.TP
\fB\-q\fR, \fB\-\-quiet\fR
say nothing
.SH "EXIT STATUS"
.TP
\fB0\fR
done
.SH "SEE ALSO"
\fBtool\fR(1)
`, page(t, pages, "tool-cut.1"))
	root := page(t, pages, "tool.1")
	for _, want := range []string{
		"\n\\&.config is read first.\n", "\n.TP\n\\fBlong\\-name\\fR\ntwo, both\n",
		"\n.SH \"COMMANDS\"\n.SS \"Main\"\n.TP\n\\fBtool\\-cut\\fR(1)\nCut it\n", "\n.SH \"PLACES\"\nHere.\n",
	} {
		if !strings.Contains(root, want) {
			t.Errorf("got %s\nwant in it %q", root, want)
		}
	}
	if strings.Contains(root, "EXITS") {
		t.Errorf("the exit codes are told twice:\n%s", root)
	}
}

func TestManPageWithoutADate(t *testing.T) {
	t.Parallel()
	m := tool()
	m.Date = time.Time{}
	got, _, _ := strings.Cut(page(t, m.Man(), "tool.1"), "\n")
	compare(t, `.TH "TOOL" "1" "" "tool 1.2.3" "tool manual"`, got)
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	pages := tool().Markdown()
	compare(t, strings.ReplaceAll(`
# tool cut

Cut a file's lines. It's \¬raw\¬:

¬¬¬text
a: 1
  b: |
¬¬¬

¬¬¬text
tool cut [FILE] [flags]
¬¬¬

## Examples

The usual:

¬¬¬sh
tool cut 'a\b' | wc
¬¬¬

¬¬¬sh
tool cut
¬¬¬

## Flags

| flag | meaning |
|---|---|
| ¬--sep TEXT¬ | cut at TEXT\|\<end> (default ,) |

### Limits

| flag | meaning |
|---|---|
| ¬--max N¬ | at most N… |

The flags of every command are on [tool](tool.md)'s page.

## Exit codes

| | |
|---|---|
| ¬0¬ | done |
`, "¬", "`"), page(t, pages, "tool-cut.md"))
	root := page(t, pages, "tool.md")
	for _, want := range []string{"# tool\n\n.config is read first.\n", "\n- [tool cut](tool-cut.md): cut it\n", "\n## Places\n\nHere.\n"} {
		if !strings.Contains(root, want) {
			t.Errorf("got %s\nwant in it %q", root, want)
		}
	}
}
