package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/conform"
	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/manual"
	"github.com/leapfinancial/m2m/internal/term"
)

type testOptions struct {
	app *app

	Target     endpoint.Target
	Only, Skip []string
	List       bool
	Explain    string
	Strict     bool
	Reports    []reportFile
	Probe      string
	Headers    []deliver.HeaderEdit
	Yes        bool
	Place      replyPlace
	Connection connectionFlags
	Secrets    secretFlags
}

const testExamples = `  # Everything, against the handler on port 3000
  m2m test --to localhost

  # In CI: warnings fail the build, too, and there are reports to read
  m2m test --to localhost --strict --report junit=m2m.xml --report html=m2m.html

  # Count the effects, too: a repeated operation may have only one
  m2m test --to localhost --probe 'wc -l < effects.txt'

  # One case, and what it is about
  m2m test --to localhost --only reject.stale
  m2m test --explain reject.stale

  # The attacker's part alone
  m2m test --to localhost --only 'reject.*' --only data-request.forged`

func newTestCmd(a *app, runF func(context.Context, *testOptions) error) *cobra.Command {
	opts := &testOptions{app: a}
	if runF == nil {
		runF = runTest
	}
	cmd := &cobra.Command{
		Use:     "test --to URL",
		Long:    "Play M2M, and an attacker, against a running handler, and say case by case what\nis wrong and how to mend it: signatures, freshness, duplicates, order, load, and\nwhether a forged data request gets your API key. It sends what a handler in\nproduction would get; run it against one with test data.",
		Example: testExamples,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.check(); err != nil {
				return err
			}
			return runF(cmd.Context(), opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(targetValue{&opts.Target}, "to", "test the handler at `URL`; localhost, :3000 and 3000 are enough")
	flags.Var(listValue{&opts.Only}, "only", "run the cases that match `PATTERN` alone, repeatable: 'reject.*'")
	flags.Var(listValue{&opts.Skip}, "skip", "leave the cases out that match `PATTERN`, repeatable")
	flags.BoolVar(&opts.List, "list", false, "list the cases and send nothing")
	flags.StringVar(&opts.Explain, "explain", "", "say what `CASE` is about and send nothing")
	flags.BoolVar(&opts.Strict, "strict", false, "take a warning for a failure")
	flags.Var(reportsValue{&opts.Reports, []string{"junit", "html"}}, "report", "write a report, `KIND=FILE`, repeatable: junit=m2m.xml, html=m2m.html")
	flags.StringVar(&opts.Probe, "probe", "", "count effects: `COMMAND` prints how many operations are recorded")
	flags.VarP(headerValue{&opts.Headers}, "header", "H", "add a header to every delivery, `'Name: value'`")
	flags.BoolVarP(&opts.Yes, "yes", "y", false, "test a handler on another machine, too")
	opts.Place.add(flags)
	opts.Connection.add(flags)
	opts.Secrets.add(flags)
	manual.Group(flags, "Which cases", "only", "skip", "list", "explain")
	manual.Group(flags, "What is judged", "strict", "probe", "report")
	for _, name := range []string{"only", "skip", "explain"} {
		if err := cmd.RegisterFlagCompletionFunc(name, completeCases); err != nil {
			panic(err)
		}
	}
	return cmd
}

func completeCases(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var all []string
	for _, c := range conform.Cases() {
		all = append(all, c.ID+"\t"+c.Title)
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}

// check refuses combinations that mean nothing.
func (o *testOptions) check() error {
	if o.List && o.Explain != "" {
		return errors.New("--list and --explain exclude each other")
	}
	for _, edit := range o.Headers {
		if strings.HasPrefix(strings.ToLower(edit.Name), "x-m2m-") {
			return withHint(fmt.Errorf("--header %s: M2M's own headers are what the cases are about", edit.Name), "m2m send -H sets them")
		}
	}
	return o.Place.check()
}

// selected returns the cases that --only and --skip leave.
func (o *testOptions) selected() ([]conform.Case, error) {
	cases, stranger := conform.Select(conform.Cases(), o.Only, o.Skip)
	switch {
	case stranger != "":
		return nil, o.noCase(stranger)
	case len(cases) == 0:
		return nil, withHint(errors.New("--only and --skip leave no case"), "m2m test --list shows them all")
	}
	return cases, nil
}

func (o *testOptions) noCase(word string) error {
	var ids []string
	for _, c := range conform.Cases() {
		if ids = append(ids, c.ID); c.Group() == word {
			return withHint(fmt.Errorf("unknown case %q", word), "the cases of that group are '%s.*'", word)
		}
	}
	return unknown("case", word, ids)
}

func runTest(ctx context.Context, o *testOptions) error {
	switch {
	case o.Explain != "":
		return o.explain()
	case o.List:
		return o.list()
	}
	cases, err := o.selected()
	if err != nil {
		return err
	}
	if err := o.app.settings.fill("timeout"); err != nil {
		return err
	}
	if err := o.app.target(&o.Target, o.Secrets, false); err != nil {
		return err
	}
	if err := confirmed(o.Target, o.Yes, "test"); err != nil {
		return err
	}
	ring, err := o.app.keysFor(o.Secrets, o.Target.Loopback())
	if err != nil {
		return err
	}
	client, err := o.Connection.client(o.app)
	if err != nil {
		return err
	}
	defer client.CloseIdle()
	catalogue, err := o.app.catalogue()
	if err != nil {
		return err
	}
	run := &testRun{testOptions: o, cases: cases}
	run.options = conform.Options{
		Spec:      deliver.Spec{Target: o.Target, Key: ring.keys[0], UserAgent: userAgent(), Edits: o.Headers},
		Sender:    &deliver.Sender{Client: client, Now: o.app.Now, NewID: o.app.newID},
		Catalogue: catalogue, Rand: o.app.Rand, Now: o.app.Now,
	}
	run.options.Mask = func(body []byte) []byte {
		// Before the answer is cut, which might leave a part of a secret.
		if body = o.app.held.hide(body); o.app.Redact {
			body = term.Redact(body)
		}
		return body
	}
	return run.run(ctx)
}

// list prints ids and titles.
func (o *testOptions) list() error {
	cases, err := o.selected()
	if err != nil {
		return err
	}
	if o.app.JSON {
		for _, c := range cases {
			if err := o.app.writeJSON(newCaseInfo(c)); err != nil {
				return err
			}
		}
		return nil
	}
	p := o.app.printer(o.app.Out)
	var rows [][]string
	for _, c := range cases {
		rows = append(rows, []string{c.ID, c.Title})
	}
	p.Table(rows)
	return p.Err()
}

// explain says what a case is about.
func (o *testOptions) explain() error {
	for _, c := range conform.Cases() {
		if c.ID != o.Explain {
			continue
		}
		if o.app.JSON {
			return o.app.writeJSON(newCaseInfo(c))
		}
		p := o.app.printer(o.app.Out)
		p.Explain(c)
		return p.Err()
	}
	return o.noCase(o.Explain)
}
