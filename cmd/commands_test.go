package cmd

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestCommandsAreListedUnderTheirNames(t *testing.T) {
	t.Parallel()
	for _, line := range commands() {
		if got := line.whole(testApp()).Name(); got != line.name {
			t.Errorf("got %q, want %q", got, line.name)
		}
	}
}

// TestOnlyWhatIsAskedForIsMade keeps the start short: the flags of all commands take a
// multiple of the time of one's.
func TestOnlyWhatIsAskedForIsMade(t *testing.T) {
	t.Parallel()
	all := []string{""}
	for _, line := range commands() {
		all = append(all, line.name)
	}
	for _, asked := range all {
		root := newRootCmdFor(newApp(testApp().env, func(word string) bool { return word == asked }))
		for _, sub := range root.Commands() {
			if made := sub.RunE != nil; sub.GroupID != "" && made != (sub.Name() == asked) {
				t.Errorf("asked for %q: %s is made: %t", asked, sub.Name(), made)
			}
		}
		root.Flags().VisitAll(func(flag *pflag.Flag) {
			if _, has := root.GetFlagCompletionFunc(flag.Name); has {
				t.Errorf("asked for %q: --%s has a completion", asked, flag.Name)
			}
		})
	}
}

// TestPartAnswersAsTheWhole runs command lines on as much of the command line as is made
// for them, and on the whole.
func TestPartAnswersAsTheWhole(t *testing.T) {
	t.Parallel()
	lines := []string{
		"", "--help", "--version", "--version version", "--nope", "--nope send", "-x send", "-- send", "--color pink version",
		"sned", "Send", "--to localhost sned", "version x", "version --nope", "--json version", "--to x version",
		"help", "help help", "help nope", "help nope send", "help send nope", "help version send", "help man", "help man --help",
		"help exit-codes", "environment", "files --help", "completion", "completion bash", "completion fish", "completion nope",
		"__complete @", "__complete s", "__complete send --", "__complete send --fault @", "__complete send --scenario @", "__complete send l",
		"__complete --color @", "__complete --json listen --events link.created,", "__complete verify --report @", "__complete test --only @",
		"__complete help @", "__complete nope", "__completeNoDesc send --fault @", "--json __complete reply --env @", "__complete config --",
		"events", "events send", "events link.created --schema", "send --too x", "send --to", "send --fault help", "verify", "test --list", "config",
	}
	for _, line := range commands() {
		lines = append(lines, line.name+" --help", "help "+line.name, "--quiet "+line.name+" -h", line.name+" --nope", "__complete "+line.name+" --")
	}
	for _, line := range lines {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			words := strings.Fields(strings.ReplaceAll(line, "@", `""`))
			for i, word := range words {
				words[i] = strings.Trim(word, `"`)
			}
			want := said(func(env *env) *cobra.Command { return newRootCmd(env) }, words)
			got := said(func(env *env) *cobra.Command { return newRootCmdFor(newApp(env, given(words))) }, words)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the part answers otherwise (-whole +part):\n%s", diff)
			}
		})
	}
}

// said is all that a command line says, on both streams, and its error.
func said(newRoot func(*env) *cobra.Command, words []string) string {
	var out, err bytes.Buffer
	env := testApp().env
	env.Out, env.Err = &out, &err
	root := newRoot(env)
	root.SetArgs(words)
	newApp(env, given(words)).tellError(root.ExecuteContext(context.Background()))
	return "out:\n" + out.String() + "err:\n" + err.String()
}
