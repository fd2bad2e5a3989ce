package cmd

import (
	"context"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// example is one command line of a help page, without the leading "m2m".
type example struct {
	page string
	args []string
}

// examplesOf collects the examples of a command and of those below it.
func examplesOf(command *cobra.Command) []example {
	var found []example
	text := strings.ReplaceAll(command.Example, "\\\n", "")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		for stage := range strings.SplitSeq(line, " | ") {
			stage = strings.ReplaceAll(strings.TrimSpace(stage), `"$TIMESTAMP"`, "1769437800")
			stage, _, _ = strings.Cut(stage, " >") // where it goes is the shell's to say
			found = append(found, example{command.CommandPath(), shellWords(stage)})
		}
	}
	for _, sub := range command.Commands() {
		found = append(found, examplesOf(sub)...)
	}
	return found
}

// shellWords splits a line as a shell does, as far as examples need it.
func shellWords(line string) []string {
	var words []string
	var quote rune
	fresh := true
	for _, r := range line {
		switch {
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
			if fresh { // it may be an empty word
				words = append(words, "")
				fresh = false
			}
		case r == quote:
			quote = 0
		case quote == 0 && r == ' ':
			fresh = true
			continue
		default:
			if fresh {
				words = append(words, "")
				fresh = false
			}
			words[len(words)-1] += string(r)
		}
	}
	return words
}

// TestEveryExampleParses runs each example of each help page up to where it would
// begin to do something.
func TestEveryExampleParses(t *testing.T) {
	t.Parallel()
	found := examplesOf(newRootCmd(testApp().env))
	if len(found) < 20 {
		t.Fatalf("got %d examples, want at least 20", len(found))
	}
	pages := map[string]bool{}
	for _, e := range found {
		pages[e.page] = true
		t.Run(strings.Join(e.args, " "), func(t *testing.T) {
			t.Parallel()
			if len(e.args) < 2 || e.args[0] != "m2m" {
				t.Fatalf("got %q in %s, want a line that begins with m2m and a command", e.args, e.page)
			}
			ran := ""
			if err := parse(t, stubbedRoot(&ran), e.args[1:]); err != nil {
				t.Errorf("in %s: %v", e.page, err)
			}
			if ran != e.args[1] {
				t.Errorf("ran %q, want %q", ran, e.args[1])
			}
		})
	}
	for _, sub := range newRootCmd(testApp().env).Commands() {
		if sub.GroupID != "" && !pages["m2m "+sub.Name()] {
			t.Errorf("the help of %s has no example", sub.Name())
		}
	}
}

// stubbedRoot is the command line with commands that only tell their name.
func stubbedRoot(ran *string) *cobra.Command {
	a := testApp()
	root := &cobra.Command{Use: "m2m"}
	flags := newRootCmd(a.env).PersistentFlags()
	root.PersistentFlags().AddFlagSet(flags)
	version, completion := newVersionCmd(a), newCompletionCmd(a)
	version.RunE = func(*cobra.Command, []string) error { *ran = "version"; return nil }
	completion.RunE = func(*cobra.Command, []string) error { *ran = "completion"; return nil }
	root.AddCommand(
		newSendCmd(a, stub[sendOptions](ran, "send")),
		newListenCmd(a, stub[listenOptions](ran, "listen")),
		newVerifyCmd(a, stub[verifyOptions](ran, "verify")),
		newReplyCmd(a, stub[replyOptions](ran, "reply")),
		newTestCmd(a, stub[testOptions](ran, "test")),
		newReplayCmd(a, stub[replayOptions](ran, "replay")),
		newLoadCmd(a, stub[loadOptions](ran, "load")),
		newDemoCmd(a, stub[app](ran, "demo")),
		newEventsCmd(a, stub[eventsOptions](ran, "events")),
		newConfigCmd(a, stub[configOptions](ran, "config")),
		version,
		completion,
	)
	for _, sub := range root.Commands() {
		sub.GroupID = ""
	}
	return root
}

func stub[O any](ran *string, name string) func(context.Context, *O) error {
	return func(context.Context, *O) error { *ran = name; return nil }
}
