package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/manual"
)

// maxConnections is how many deliveries may be under way at once, at most.
const maxConnections = 10000

type loadOptions struct {
	app *app

	Events      []string
	All         bool
	Sets        []string
	SetStrings  []string
	Add         bool
	Seed        string
	Rate        loadRate
	Duration    time.Duration
	Connections int
	Headers     []deliver.HeaderEdit
	Target      endpoint.Target
	Expect      deliver.Expectation
	Reports     []reportFile
	Yes         bool
	Connection  connectionFlags
	Secrets     secretFlags
}

const loadExamples = `  # 200 deliveries a second for 30 seconds, each fresh and signed
  m2m load operation.created --rate 200/s --duration 30s --to localhost

  # Whole transfers: the five events in turn, and a page to show around
  m2m load --all --rate 100/s --to localhost:8080/hooks --report html=load.html

  # As fast as 16 connections can
  m2m load link.opened --rate 99999/s --connections 16 --to localhost

  # In a script: one record, and the exit code
  m2m load link.created --rate 50/s --duration 10s --json --to localhost`

const loadHelp = `Deliver fresh, correctly signed events at a steady rate, on vegeta's library,
and report how the handler bore it. Each delivery has ids, times and a signature
of its own. The rate is kept whatever the answers, as M2M's would be: a slow
handler gets more deliveries at once, up to --connections. A load that nothing
answers ends after 100 deliveries.

--json writes one record of type "load": sent, delivered, refused, unanswered,
sentRate and deliveredRate (a second), latencyMs (min, mean, p50, p90, p95, p99,
max; of what was answered, right to 1 %), statuses, errors by the kinds of the
delivery record (refused, dns, tls, timeout, reset, protocol), bytesOut,
bytesIn.`

func newLoadCmd(a *app, runF func(context.Context, *loadOptions) error) *cobra.Command {
	opts := &loadOptions{app: a, Duration: 10 * time.Second, Connections: 1000}
	if runF == nil {
		runF = runLoad
	}
	cmd := &cobra.Command{
		Use:               "load [EVENT...]",
		Long:              loadHelp,
		Example:           loadExamples,
		ValidArgsFunction: a.completeEvent,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Events = args
			if err := opts.check(); err != nil {
				return err
			}
			return runF(cmd.Context(), opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(targetValue{&opts.Target}, "to", "deliver to `URL`; localhost, :3000 and 3000 are enough")
	opts.Rate = loadRate{"50/s", deliver.Rate{Count: 50, Per: time.Second}}
	flags.Var(rateValue{&opts.Rate}, "rate", "deliver at the `RATE` 200/s, 30/m or 5/100ms")
	flags.Var(spanValue{&opts.Duration}, "duration", "for `DURATION`; answers may take longer")
	flags.IntVar(&opts.Connections, "connections", opts.Connections, "have at most `N` deliveries under way at once")
	flags.BoolVar(&opts.All, "all", false, "deliver the five events of one transfer after the other")
	flags.Var(listValue{&opts.Sets}, "set", "put a value into each payload, `PATH=VALUE`")
	flags.Var(listValue{&opts.SetStrings}, "set-string", "the same, VALUE being a string: `PATH=VALUE`")
	flags.BoolVar(&opts.Add, "add", false, "let --set put in what is not there")
	flags.StringVar(&opts.Seed, "seed", "", "make the same ids again for the same number `N`")
	flags.VarP(headerValue{&opts.Headers}, "header", "H", "add or replace a header, `'Name: value'`")
	addExpect(flags, &opts.Expect)
	flags.Var(reportsValue{&opts.Reports, []string{"html"}}, "report", "write a report, `html=FILE`")
	flags.BoolVarP(&opts.Yes, "yes", "y", false, "load another machine, too")
	opts.Connection.add(flags)
	opts.Secrets.add(flags)
	manual.Group(flags, "What is in it", "all", "set", "set-string", "add", "seed", "header")
	return cmd
}

// check refuses what makes no load.
func (o *loadOptions) check() error {
	switch {
	case len(o.Events) == 0 && !o.All:
		catalogue, err := o.app.catalogue()
		if err != nil {
			return err
		}
		return withHint(errors.New("no event"), "name one or more of %s, or pass --all", strings.Join(catalogue.Names(), ", "))
	case len(o.Events) > 0 && o.All:
		return errors.New("EVENT and --all exclude each other")
	case o.Duration == 0:
		return withHint(errors.New("--duration 0: it has to be more than 0"), "a long one may be ended with Ctrl-C, and is reported all the same")
	case o.Connections < 1 || o.Connections > maxConnections:
		return fmt.Errorf("--connections %d: it has to be in 1 to %d", o.Connections, maxConnections)
	}
	return checkSeed(o.Seed)
}

// checkTarget refuses what is not to be loaded.
func (o *loadOptions) checkTarget() error {
	if endpoint.IsProduction(o.Target.URL.Hostname()) {
		return withHint(fmt.Errorf("%s is M2M's production, which is not to be loaded", o.Target.URL.Host), "load your own handler, --to localhost for instance")
	}
	return confirmed(o.Target, o.Yes, "load")
}
