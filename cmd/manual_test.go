package cmd

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/manual"
)

var update = flag.Bool("update", false, "write the files that are made from the commands anew")

const referenceDir = "../docs/reference"

func testManual(t *testing.T) manual.Manual {
	t.Helper()
	a := testApp()
	m, err := a.manual(newRootCmd(a.env))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// everyCommand returns the command and all below it, hidden ones and topics too.
func everyCommand(command *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{command}
	for _, sub := range command.Commands() {
		list = append(list, everyCommand(sub)...)
	}
	return list
}

func TestHelpPages(t *testing.T) {
	t.Parallel()
	m := testManual(t)
	for _, command := range everyCommand(m.Root) {
		// Cobra changes the commands when it looks at them, so one page after the other.
		var page strings.Builder
		if err := m.Help(&page, command); err != nil {
			t.Fatal(err)
		}
		t.Run(command.CommandPath(), func(t *testing.T) {
			t.Parallel()
			for line := range strings.Lines(page.String()) {
				line = strings.TrimSuffix(line, "\n")
				if got := utf8.RuneCountInString(line); got > 80 {
					t.Errorf("%d columns, want at most 80: %s", got, line)
				}
				if strings.TrimRight(line, " \t") != line {
					t.Errorf("white space at the end of %q", line)
				}
			}
			short := command.Short
			if short == "" || strings.HasSuffix(short, ".") || strings.ToUpper(short[:1]) != short[:1] {
				t.Errorf("got %q, want a line that begins with a capital and ends without a full stop", short)
			}
			if command.Runnable() && !strings.HasSuffix(page.String(), "Exit codes:\n"+exitCodesHelp) && command != m.Root {
				t.Errorf("the page does not end with the exit codes:\n%s", page.String())
			}
			if i := strings.Index(page.String(), "\nExamples:"); i > strings.Index(page.String(), "lags:") {
				t.Errorf("the flags come before the examples:\n%s", page.String())
			}
		})
	}
}

// TestFlagsAreGrouped keeps a page's list of flags short enough to be read.
func TestFlagsAreGrouped(t *testing.T) {
	t.Parallel()
	const most = 10
	for _, command := range everyCommand(testManual(t).Root) {
		for _, group := range manual.Flags(command) {
			var names []string
			group.Flags.VisitAll(func(flag *pflag.Flag) { names = append(names, "--"+flag.Name) })
			if len(names) > most {
				t.Errorf("%s has %d flags under %q, want at most %d: put some under another heading with manual.Group: %s",
					command.CommandPath(), len(names), group.Heading, most, strings.Join(names, " "))
			}
		}
	}
}

// TestReferenceIsCurrent compares docs/reference with the commands. With -update it
// writes the pages.
func TestReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	pages := testManual(t).Markdown()
	if *update {
		if err := os.RemoveAll(referenceDir); err != nil {
			t.Fatal(err)
		}
		if err := writePages(referenceDir, pages); err != nil {
			t.Fatal(err)
		}
	}
	const mend = "go test ./cmd -run TestReferenceIsCurrent -update"
	var want []string
	for _, page := range pages {
		want = append(want, page.Name)
		got, err := os.ReadFile(filepath.Join(referenceDir, page.Name))
		if err != nil {
			t.Errorf("%v; run %s", err, mend)
			continue
		}
		if diff := cmp.Diff(string(page.Text), strings.ReplaceAll(string(got), "\r\n", "\n")); diff != "" {
			t.Errorf("%s is out of date, run %s (-want +got):\n%s", page.Name, mend, diff)
		}
	}
	files, err := os.ReadDir(referenceDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !slices.Contains(want, file.Name()) {
			t.Errorf("%s is the page of no command, run %s", file.Name(), mend)
		}
	}
}

func TestEnvironmentHelpNamesEverySetting(t *testing.T) {
	t.Parallel()
	for _, key := range append(settingNames(), "profile") {
		if !strings.Contains(environmentHelp, "\n  "+envName(key)+" ") {
			t.Errorf("m2m help environment does not name %s", envName(key))
		}
		if key != "profile" && !strings.Contains(filesHelp, key) {
			t.Errorf("m2m help files does not name %s", key)
		}
	}
}

// TestCaskHasEveryManPage holds the list in .goreleaser.yaml to the man pages that there
// are: a cask names its files one by one. With -update it writes the list.
func TestCaskHasEveryManPage(t *testing.T) {
	t.Parallel()
	const name, begin, end = "../.goreleaser.yaml", "    manpages:\n", "    completions:\n"
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(strings.ReplaceAll(string(data), "\r\n", "\n"), begin)
	got, after, alsoOK := strings.Cut(rest, end)
	if !ok || !alsoOK {
		t.Fatalf("no list between %q and %q in %s", begin, end, name)
	}
	var want strings.Builder
	for _, page := range testManual(t).Man() {
		want.WriteString("      - man/" + page.Name + "\n")
	}
	if *update {
		got = want.String()
		if err := os.WriteFile(name, []byte(before+begin+got+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want.String(), got); diff != "" {
		t.Errorf("run go test ./cmd -run TestCaskHasEveryManPage -update (-want +got):\n%s", diff)
	}
}
