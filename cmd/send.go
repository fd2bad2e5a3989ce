package cmd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/manual"
)

// maxPayload is the largest payload file, in bytes.
const maxPayload = 32 << 20

type sendOptions struct {
	app *app

	Events         []string
	All, Sample    bool
	Payload        string
	Scenario       string
	Sets           []string
	SetStrings     []string
	Add            bool
	Seed           string
	Now, Timestamp moment
	Count          int
	Headers        []deliver.HeaderEdit
	Target         endpoint.Target
	Print          string
	DryRun         bool
	Expect         deliver.Expectation
	Connection     connectionFlags
	Fault          string
	// Schedule is nil without retries.
	Schedule   []time.Duration
	TimeScale  float64
	Duplicates int
	Await      awaitFlags
	Env        string
	Secrets    secretFlags
}

const sendExamples = `  # One event, fresh and correctly signed, to http://localhost:3000/webhooks/m2m
  m2m send operation.created --to localhost

  # The five events of one transfer
  m2m send --all --to localhost:8080/hooks

  # Another amount, spelled like that; a payload of your own, byte for byte
  m2m send operation.created --set data.amount.send=250.50 --to localhost
  m2m send --payload event.json --to localhost

  # A delivery that a handler has to refuse; all that can be broken
  m2m send link.created --fault stale --expect 401 --to localhost
  m2m send --fault help

  # Until it is acknowledged, as M2M does, a thousand times faster
  m2m send link.created --retry --time-scale 0.001 --to localhost

  # Six times at one moment: the race that pays a customer twice
  m2m send operation.created --duplicates 5 --to localhost

  # A data request, and what your handler replies to it
  m2m send user.data_request --await-reply 10s --to localhost:8080/hooks

  # A story of several deliveries, and the stories that there are
  m2m send --scenario cancelled --to localhost
  m2m send --scenario help

  # Nothing is sent: the signed request, or the curl command that makes it
  m2m send link.opened --print http
  m2m send link.opened --print curl`

func newSendCmd(a *app, runF func(context.Context, *sendOptions) error) *cobra.Command {
	opts := &sendOptions{app: a}
	if runF == nil {
		runF = runSend
	}
	retry := false
	cmd := &cobra.Command{
		Use:               "send [EVENT...]",
		Long:              "Deliver fresh, correctly signed sample events to a handler, as M2M does.\n\nThe events: link.created, link.opened, user.data_request, operation.created,\noperation.cancelled.",
		Example:           sendExamples,
		ValidArgsFunction: a.completeEvent,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Events = args
			if opts.DryRun && opts.Print == "" {
				opts.Print = "http"
				if a.JSON {
					opts.Print = "json"
				}
			}
			if opts.Fault == "help" || opts.Scenario == scenarioHelp || opts.Scenario == scenarioSchema {
				return runF(cmd.Context(), opts)
			}
			if err := opts.checkScenario(cmd); err != nil {
				return err
			}
			if retry && opts.Schedule == nil {
				opts.Schedule = deliver.Schedule()
			}
			if cmd.Flags().Changed("time-scale") && opts.Schedule == nil && opts.Scenario == "" {
				return withHint(errors.New("--time-scale belongs to --retry"), "pass --retry, or --schedule 0s,1s,5s")
			}
			if err := opts.check(); err != nil {
				return err
			}
			if err := opts.Await.check(opts, cmd.Flags()); err != nil {
				return err
			}
			return runF(cmd.Context(), opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(targetValue{&opts.Target}, "to", "deliver to `URL`; localhost, :3000 and 3000 are enough")
	flags.BoolVar(&opts.All, "all", false, "send the five events as one transfer's life")
	flags.BoolVar(&opts.Sample, "sample", false, "send the documented sample itself, old ids and times")
	flags.StringVar(&opts.Payload, "payload", "", "send the bytes of `FILE` (- for stdin)")
	flags.StringVar(&opts.Scenario, "scenario", "", "tell the story `NAME`, or that of FILE.yaml; --scenario help lists them")
	flags.Var(listValue{&opts.Sets}, "set", "put a value into the payload, `PATH=VALUE`")
	flags.Var(listValue{&opts.SetStrings}, "set-string", "the same, VALUE being a string: `PATH=VALUE`")
	flags.BoolVar(&opts.Add, "add", false, "let --set put in what is not there")
	flags.StringVar(&opts.Seed, "seed", "", "make the same ids again for the same number `N`")
	flags.Var(momentValue{&opts.Now}, "now", "take `TIME` for the present")
	flags.Var(momentValue{&opts.Timestamp}, "timestamp", "sign as of `TIME`: Unix seconds, RFC 3339, or -10m")
	flags.IntVar(&opts.Count, "count", 1, "send `N` of each, all fresh")
	flags.Var(faultValue{&opts.Fault}, "fault", "break one thing on purpose: `KIND`; --fault help lists them")
	flags.BoolVar(&retry, "retry", false, "try again as M2M does: 5 attempts within 3 hours")
	flags.Var(scheduleValue{&opts.Schedule}, "schedule", "try again after these `PAUSES`: 0s,1s,5s")
	opts.TimeScale = 1
	flags.Var(scaleValue{&opts.TimeScale}, "time-scale", "make the pauses `FACTOR` as long: 0.001")
	flags.IntVar(&opts.Duplicates, "duplicates", 0, "send each `N` times more, at the same moment")
	opts.Await.add(flags)
	flags.VarP(headerValue{&opts.Headers}, "header", "H", "add or replace a header, `'Name: value'`")
	flags.Var(&enumValue{"--print", &opts.Print, []string{"http", "curl", "json", "vegeta"}}, "print", "write the signed request as `FORM` and send nothing: http, curl, json or vegeta")
	flags.BoolVar(&opts.DryRun, "dry-run", false, "same as --print http")
	addExpect(flags, &opts.Expect)
	opts.Connection.add(flags)
	opts.Env = string(endpoint.Sandbox)
	flags.Var(&enumValue{"--env", &opts.Env, endpoint.Envs()}, "env", "the Partner API that a data request to another host names: `ENV` is sandbox or live")
	opts.Secrets.add(flags)
	manual.Group(flags, "What is in it", "set", "set-string", "add", "seed", "now")
	manual.Group(flags, "How it is signed and sent", "header", "timestamp", "fault", "print", "dry-run", "env")
	manual.Group(flags, "How often", "count", "duplicates", "retry", "schedule", "time-scale")
	manual.Group(flags, "What has to come back", "expect", "await-reply", "reply-addr", "reply-url")
	if err := cmd.RegisterFlagCompletionFunc("scenario", opts.completeScenario); err != nil {
		panic(err)
	}
	return cmd
}

// check refuses combinations that mean nothing.
func (o *sendOptions) check() error {
	_, known := deliver.FindFault(o.Fault)
	sources := 0
	for _, given := range []bool{len(o.Events) > 0, o.All, o.Payload != "", o.Scenario != ""} {
		if given {
			sources++
		}
	}
	switch {
	case sources == 0:
		catalogue, err := o.app.catalogue()
		if err != nil {
			return err
		}
		return withHint(errors.New("no event"), "name one or more of %s, or pass --all, --scenario NAME or --payload FILE", strings.Join(catalogue.Names(), ", "))
	case sources > 1:
		return withHint(errors.New("EVENT, --all, --payload and --scenario exclude each other"), "give one of them; -H 'X-M2M-Event: …' sets a payload's event header")
	case o.Payload != "" && o.Sample:
		return errors.New("--payload and --sample exclude each other")
	case o.Fault != "" && !known:
		return unknown("fault", o.Fault, faultNames())
	case o.Duplicates < 0 || o.Duplicates > maxDuplicates:
		return fmt.Errorf("--duplicates %d: it has to be in 0 to %d", o.Duplicates, maxDuplicates)
	case o.Duplicates > 0 && o.Schedule != nil:
		return withHint(errors.New("--retry and --duplicates exclude each other"), "M2M retries one after the other; --duplicates is the race that it does not promise to avoid")
	case o.waitsTooLong():
		return fmt.Errorf("the schedule, with --time-scale %g, has a pause of more than 30 days", o.TimeScale)
	case o.Count < 1:
		return fmt.Errorf("--count %d: it has to be 1 or more", o.Count)
	case o.app.JSON && o.Print != "" && o.Print != "json":
		return withHint(fmt.Errorf("--json and --print %s exclude each other", o.Print), "use --print json")
	}
	return checkSeed(o.Seed)
}

func checkSeed(seed string) error {
	if _, err := strconv.ParseUint(seed, 10, 64); seed != "" && err != nil {
		return fmt.Errorf("--seed %q: it has to be a whole number", seed)
	}
	return nil
}

func runSend(ctx context.Context, o *sendOptions) error {
	switch {
	case o.Fault == "help":
		return o.listFaults()
	case o.Scenario == scenarioHelp:
		return o.listScenarios()
	case o.Scenario == scenarioSchema:
		return o.printScenarioSchema()
	}
	for _, key := range []string{"timeout", "env"} {
		if err := o.app.settings.fill(key); err != nil {
			return err
		}
	}
	if err := o.app.target(&o.Target, o.Secrets, o.Print != ""); err != nil {
		return err
	}
	if o.Scenario != "" {
		return o.runScenario(ctx)
	}
	maker, err := newMaker(o)
	if err != nil {
		return err
	}
	if maker.await, err = o.startAwaiter(ctx); err != nil {
		return err
	}
	defer maker.await.stop()
	// The first round is made before anything is sent, so that a mistake in it
	// stops the run while nothing has happened.
	round, err := maker.round()
	if err != nil {
		return err
	}
	ring, err := o.app.keysFor(o.Secrets, o.Target.Loopback())
	if err != nil {
		return err
	}
	fault, _ := deliver.FindFault(o.Fault) // the zero Fault breaks nothing
	spec := deliver.Spec{Target: o.Target, Key: ring.keys[0], UserAgent: userAgent(), Edits: o.Headers, Fault: fault}
	if err := o.checkFault(spec, round); err != nil {
		return err
	}
	if o.Print != "" {
		return maker.each(round, func(payload []byte) error {
			return o.print(maker, spec.Request(payload, o.timestamp()))
		})
	}
	connection, err := o.Connection.options(o.app)
	if err != nil {
		return err
	}
	connection.Unbuffered = fault.BodyTime > 0
	client := endpoint.NewClient(o.app.Transport, connection)
	defer client.CloseIdle()
	s := &sending{
		sendOptions: o, maker: maker, spec: spec, tally: &sendTally{}, await: maker.await,
		sender: &deliver.Sender{Client: client, Now: o.app.Now, NewID: maker.newID, BodyTime: fault.BodyTime},
	}
	return s.run(ctx, round)
}

// present is the clock of the payloads and signatures.
func (o *sendOptions) present() time.Time { return o.Now.at(o.app.Now()) }

func (o *sendOptions) timestamp() string { return o.Timestamp.header(o.present()) }
