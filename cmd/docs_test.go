package cmd_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// block is a fenced part of a page that holds commands.
type block struct {
	page string
	line int
	// console blocks show prompts and output.
	console bool
	text    string
	// story names the blocks that are run together; empty where it is not run.
	story string
	// setup is what has to be there before: lines of shell.
	setup string
}

// TestDocumentedCommands runs the commands of the README and of docs/, as they are
// printed, and compares what they print with what the page shows. A comment before a
// block, which no reader sees, says how:
//
//	<!-- run: STORY -->     run it; blocks of one story share a directory and a shell.
//	                        Further lines of the comment are run before the block
//	<!-- not run: WHY -->   leave it
//
// In the README every block with commands has one or the other. m2m listen without an
// end goes on in the background, as in a terminal of its own, until the next one or the
// story's end. In a comment, "handler ..." starts m2m listen --port 8080 as the reader's
// own handler.
func TestDocumentedCommands(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	stories := map[string][]block{}
	for _, page := range append(pages, "../README.md") {
		for _, b := range blocksOf(t, page) {
			if b.story != "" {
				stories[b.story] = append(stories[b.story], b)
			}
		}
	}
	if len(stories) < 5 {
		t.Errorf("got %d stories, want at least 5", len(stories))
	}
	if runtime.GOOS != "linux" {
		t.Skip("the comments are written for Linux's sed and openssl")
	}
	for _, program := range []string{"bash", "openssl", "jq", "node", "express", "python3"} {
		if absent, err := missing("missing:" + program); err != nil {
			t.Fatal(err)
		} else if absent {
			t.Skipf("%s is not installed", program)
		}
	}
	alone := isolation(t)
	for name, blocks := range stories {
		t.Run(name, func(t *testing.T) {
			if len(alone) > 0 {
				t.Parallel()
			}
			tell(t, blocks, alone)
		})
	}
}

var (
	fence   = regexp.MustCompile("^```(sh|console)$")
	comment = regexp.MustCompile(`(?s)<!-- (run|not run): ([^\n]+?)(?:\n(.*?)\n)? ?-->\n$`)
)

// blocksOf reads a page. In the README a block without a comment is an error.
func blocksOf(t *testing.T, page string) []block {
	t.Helper()
	var blocks []block
	var before strings.Builder
	var current *block
	for i, line := range strings.Split(readText(t, page), "\n") {
		switch found := fence.FindStringSubmatch(line); {
		case current != nil && line == "```":
			blocks, current = append(blocks, *current), nil
			before.Reset()
		case current != nil:
			current.text += line + "\n"
		case found != nil:
			current = &block{page: page, line: i + 1, console: found[1] == "console"}
			how := comment.FindStringSubmatch(before.String())
			if how == nil && strings.HasSuffix(page, "README.md") {
				t.Errorf("%s:%d: no comment before the block says how it is run", page, i+1)
			}
			if how != nil && how[1] == "run" {
				current.story, current.setup = how[2], how[3]
			}
		default:
			before.WriteString(line + "\n")
		}
	}
	return blocks
}

// isolation returns a command that gives another one a network of its own, so that the
// ports on a page are free. Without one, nil: the ports have to be free.
func isolation(t *testing.T) []string {
	t.Helper()
	prefix := []string{"unshare", "--map-root-user", "--net", "sh", "-c", `ip link set lo up && exec "$@"`, "sh"}
	if exec.Command(prefix[0], append(prefix[1:], "true")...).Run() == nil {
		return prefix
	}
	for _, port := range []string{"3000", "8080"} {
		listener, err := net.Listen("tcp", "localhost:"+port)
		if err != nil {
			t.Skipf("the README's port %s is taken, and there is no network of one's own to be had: %v", port, err)
		}
		_ = listener.Close()
	}
	return nil
}

const prelude = `
export PATH XDG_CONFIG_HOME=$PWD/.config TZ=UTC
ready=$PWD/.ready
wait_ready() {
    for _ in $(seq 400); do [[ -s $1 ]] && return; sleep 0.05; done
    echo "$2 is not ready" >&2; exit 99
}
stop_listening() {
    if [[ ${listening-} ]]; then kill "$listening"; wait "$listening"; code=$?; listening=; return $code; fi
}
handler() {
    command m2m listen --port 8080 --ready-file "$ready.handler" "$@" >handler.out 2>&1 &
    handling=$!
    wait_ready "$ready.handler" 'the handler'
}
m2m() {
    if [[ $1 == listen && " $* " != *' --count '* && " $* " != *' --for '* && " $* " != *' --exec '* ]]; then
        stop_listening || exit 98
        rm -f "$ready"
        command m2m "$@" --ready-file "$ready" &
        listening=$!
        wait_ready "$ready" 'm2m listen'
    else
        command m2m "$@"
    fi
}
trap '[[ ${handling-} ]] && kill "$handling"; [[ ${listening-} ]] && kill "$listening"' EXIT
`

// shown is a command of a console block and what the page shows of its output.
type shown struct{ command, output string }

func consoleOf(text string) []shown {
	var list []shown
	for line := range strings.Lines(text) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			list = append(list, shown{command: command})
		} else if len(list) > 0 {
			list[len(list)-1].output += line
		}
	}
	return list
}

// tell runs the blocks of a story.
func tell(t *testing.T, blocks []block, alone []string) {
	t.Helper()
	dir := t.TempDir()
	var script strings.Builder
	script.WriteString(prelude)
	wanted := map[string]shown{}
	for _, b := range blocks {
		fmt.Fprintf(&script, "\nset -eE; trap 'echo \"$BASH_COMMAND ended with $?, from %s:%d\" >&2' ERR\n%s\n", b.page, b.line, b.setup)
		if !b.console {
			script.WriteString(b.text)
			continue
		}
		for _, s := range consoleOf(b.text) {
			name := filepath.Join(dir, fmt.Sprintf(".shown%d", len(wanted)))
			wanted[name] = s
			// A page shows a no as well as a yes, but nothing that could not be done.
			fmt.Fprintf(&script, "{ code=0\n%s} >%q 2>&1 || code=$?; [[ $code -le 1 ]]\n", strings.TrimSuffix(s.command, "\n")+"\n", name)
		}
	}
	script.WriteString("\nstop_listening\n")
	path := filepath.Join(dir, ".story")
	if err := os.WriteFile(path, []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append(alone[:len(alone):len(alone)], "bash", path)
	command := exec.Command(args[0], args[1:]...)
	command.Dir = dir
	repository, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	command.Env = append(withoutSettings(os.Environ()), "REPOSITORY="+repository)
	command.WaitDelay = deadline
	timer := time.AfterFunc(3*deadline, func() { _ = command.Process.Kill() })
	defer timer.Stop()
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	for name, s := range wanted {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Errorf("%s was not run", s.command)
			continue
		}
		if want, got := masked(s.output), masked(string(got)); !strings.HasPrefix(got, want) {
			t.Errorf("the page shows for %s%s\nand it prints\n%s", s.command, want, got)
		}
	}
}

func withoutSettings(environment []string) []string {
	var kept []string
	for _, entry := range environment {
		if !strings.HasPrefix(entry, "M2M_") || strings.HasPrefix(entry, "M2M_TEST_") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// masks are what differs between two runs of one command.
var masks = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`\b(link_acme|dr_acme|op)_[a-z0-9]+`), "${1}_…"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "DATE"},
	{regexp.MustCompile(`\b\d\d:\d\d:\d\d\b`), "TIME"},
	{regexp.MustCompile(`sha256=[0-9a-f]{8}…`), "sha256=…"},
	{regexp.MustCompile(`(<)?\b\d+(\.\d+)? (ms|s|min)\b`), "SPAN"},
	// Everybody's first command is told of the development secret; a page tells it once.
	{regexp.MustCompile(`(?m)^m2m: using the development secret.*\n`), ""},
}

func masked(text string) string {
	for _, mask := range masks {
		text = mask.what.ReplaceAllString(text, mask.with)
	}
	return text
}

// TestLinks follows the links between the pages of the repository, and holds that the
// index in docs/ names every page beside it.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)
	var pages []string
	for _, pattern := range []string{"../*.md", "../docs/*.md", "../docs/reference/*.md", "../examples/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no pages in %s: %v", pattern, err)
		}
		pages = append(pages, found...)
	}
	linked := map[string]bool{}
	for _, page := range pages {
		for _, found := range link.FindAllStringSubmatch(readText(t, page), -1) {
			target := filepath.Join(filepath.Dir(page), filepath.FromSlash(found[1]))
			if strings.Contains(found[1], "://") {
				continue
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link %s leads nowhere", page, found[1])
			}
			if page == filepath.FromSlash("../docs/README.md") {
				linked[target] = true
			}
		}
	}
	for _, page := range pages {
		if filepath.Dir(page) == filepath.FromSlash("../docs") && filepath.Base(page) != "README.md" && !linked[page] {
			t.Errorf("docs/README.md does not name %s", page)
		}
	}
}
