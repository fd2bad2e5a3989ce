// Package cmd is the command line: flags, options and words, one file a command.
//
// It knows nothing of the protocol and speaks no HTTP of its own; what a command
// does lives in the internal packages.
package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"slices"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/fixtures"
	"github.com/leapfinancial/m2m/internal/term"
)

// Main runs the command line and returns the exit code.
func Main() int {
	// net/http tells the standard logger of servers that speak out of turn, in
	// their own words and on the user's terminal.
	log.SetOutput(io.Discard)
	return int(run(newUntilInterrupted(), systemEnv(), os.Args[1:]))
}

// run executes one command line.
func run(ctx context.Context, env *env, args []string) exitCode {
	a := newApp(env, given(args))
	root := newRootCmdFor(a)
	root.SetArgs(args)
	if isCompletion(args) {
		unquoteFlags(root)
	}
	help := &firstError{Writer: env.Out}
	root.SetOut(help)
	command, err := root.ExecuteContextC(ctx)
	err = cmp.Or(withPage(err, command), help.err)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errInterrupted
	}
	a.tellError(err)
	return codeOf(err)
}

// firstError keeps the first error of writing: cobra's help returns none.
type firstError struct {
	io.Writer
	err error
}

func (w *firstError) Write(text []byte) (int, error) {
	n, err := w.Writer.Write(text)
	w.err = cmp.Or(w.err, err)
	return n, err
}

// given says of a word whether it is among a command line's.
func given(args []string) func(word string) bool {
	return func(word string) bool { return slices.Contains(args, word) }
}

// globals are the flags of every command.
type globals struct {
	Config, Profile, Color       string
	JSON, Quiet, Verbose, Redact bool
}

// app is what every command is made with.
type app struct {
	*env
	globals
	settings *settings
	// ring holds the webhook secrets once they were read.
	ring *keyring
	held *held
	// done is closed when the user interrupts the command.
	done func() <-chan struct{}
	// asked says whether the user gave a word.
	asked func(word string) bool
	// stdin names what reads standard input, which can be read only once.
	stdin string
}

func newApp(env *env, asked func(word string) bool) *app {
	return &app{env: env, asked: asked, held: &held{}}
}

const longHelp = `m2m sends, receives, verifies and answers M2M's webhooks on your machine.

No account, no network, no set-up.`

const rootExamples = `  # See the whole story in one process
  m2m demo

  # Receive deliveries, verify and show them
  m2m listen

  # In a second terminal: send one, correctly signed
  m2m send operation.created --to localhost

  # Check a captured delivery, and learn why its signature does not match
  m2m verify delivery.json

  # Answer a captured data request
  m2m reply --event delivery.json --data user.json`

// welcome is what m2m says to who knows nothing of it yet.
const welcome = longHelp + "\n\n" + rootExamples + "\n\nAll commands and flags: m2m --help\n"

// newRootCmd makes the whole command line.
func newRootCmd(env *env) *cobra.Command {
	return newRootCmdFor(newApp(env, func(string) bool { return true }))
}

// newRootCmdFor makes as much of the command line as it takes to answer to words of
// which a.asked says whether the user gave them.
func newRootCmdFor(a *app) *cobra.Command {
	env, asked := a.env, a.asked
	color := enumValue{name: "--color", value: &a.Color, allowed: []string{"auto", "always", "never"}}
	a.Color = "auto"
	version := false
	root := &cobra.Command{
		Use:           "m2m",
		Short:         "Test an integration with M2M's webhooks",
		Long:          longHelp,
		Example:       rootExamples,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSuchCommand,
		RunE: func(*cobra.Command, []string) error {
			text := welcome
			switch {
			case version && a.JSON:
				return a.writeVersion()
			case version:
				text = "m2m " + buildVersion() + "\n"
			}
			_, err := io.WriteString(env.Out, text)
			return err
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			a.done = cmd.Context().Done
			a.settings = newSettings(a, cmd.Flags())
			if err := a.checkFlags(cmd.Flags()); err != nil {
				return err
			}
			return a.settings.fill("profile")
		},
	}
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.SetFlagErrorFunc(flagError)
	a.showHelp(root)
	root.Flags().BoolVar(&version, "version", false, "print the version")
	flags := root.PersistentFlags()
	flags.BoolP("help", "h", false, "show this page")
	flags.StringVar(&a.Config, "config", "", "read settings from `FILE` alone")
	flags.StringVar(&a.Profile, "profile", "", "take settings from the profile `NAME`")
	flags.Var(&color, "color", "colour `WHEN`: auto, always or never")
	flags.BoolVar(&a.JSON, "json", false, "write newline-delimited JSON to stdout")
	flags.BoolVarP(&a.Quiet, "quiet", "q", false, "say nothing but errors and what was asked to be printed")
	flags.BoolVarP(&a.Verbose, "verbose", "v", false, "show more: headers, bodies, every result")
	flags.BoolVar(&a.Redact, "redact", false, "mask personal data in what is printed")
	root.AddGroup(
		&cobra.Group{ID: "everyday", Title: "Everyday:"},
		&cobra.Group{ID: "further", Title: "Going further:"},
		&cobra.Group{ID: "learning", Title: "Learning:"},
	)
	root.SetHelpCommand(newHelpCmd(a))
	a.addCommands(root, asked)
	root.AddCommand(newTopics()...)
	if asked(cobra.ShellCompRequestCmd) || asked(cobra.ShellCompNoDescRequestCmd) {
		a.completeFlags(root)
	}
	return root
}

// printer returns a Printer for people on w, with colour as --color says.
func (a *app) printer(w io.Writer) *term.Printer {
	noColor, _ := a.LookupEnv("NO_COLOR")
	terminal, _ := a.LookupEnv("TERM")
	color := a.Color == "always" || a.Color == "auto" && noColor == "" && terminal != "dumb" && a.IsTerminal(w)
	return term.New(w, term.Options{Color: color, Redact: a.Redact, Hide: a.held.hide})
}

// notice tells something on stderr that is neither an error nor a result.
func (a *app) notice(format string, args ...any) {
	if !a.Quiet {
		fmt.Fprintf(a.Err, "m2m: %s\n", a.safe(fmt.Sprintf(format, args...)))
	}
}

func (a *app) warn(format string, args ...any) {
	a.notice("warning: "+format, args...)
}

// catalogue returns the embedded events.
func (a *app) catalogue() (*fixtures.Catalogue, error) { return fixtures.Load(a.Files) }

func (a *app) newID() string { return newID(a.Rand) }

func newID(random io.Reader) string {
	id, err := uuid.NewRandomFromReader(random)
	if err != nil {
		return "" // the id of a record serves its reader and nothing depends on it
	}
	return id.String()
}
