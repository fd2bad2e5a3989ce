package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/manual"
	"github.com/leapfinancial/m2m/internal/sign"
	"github.com/leapfinancial/m2m/internal/term"
)

type replayOptions struct {
	app *app

	Files                   []string
	Target                  endpoint.Target
	AsCaptured              bool
	Events                  []string
	OnlyInvalid, OnlyFailed bool
	Headers                 []deliver.HeaderEdit
	Expect                  deliver.Expectation
	Yes                     bool
	Connection              connectionFlags
	Secrets                 secretFlags
}

const replayExamples = `  # Saved deliveries again, in their order, signed anew
  m2m replay deliveries.ndjson --to localhost:8080/hooks

  # Those that your handler did not take
  m2m replay deliveries.ndjson --only-failed --to localhost:8080/hooks

  # Exactly as they were captured: a handler has to refuse what is old
  m2m replay deliveries.ndjson --as-captured --expect 401 --to localhost`

func newReplayCmd(a *app, runF func(context.Context, *replayOptions) error) *cobra.Command {
	opts := &replayOptions{app: a}
	if runF == nil {
		runF = runReplay
	}
	cmd := &cobra.Command{
		Use:     "replay FILE...",
		Long:    "Send captured deliveries again, in their order.\n\nCaptures are delivery records, raw HTTP requests or curl commands. Body and\nheaders stay as they are; timestamp and signature are made anew, since a\nhandler refuses old ones.",
		Example: replayExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.Files = args; len(args) == 0 {
				return withHint(errors.New("nothing to replay"), "name a file that m2m listen --save wrote, or - for stdin")
			}
			if opts.AsCaptured && (len(opts.Secrets.Secrets) > 0 || len(opts.Secrets.SecretFiles) > 0) {
				return withHint(errors.New("--as-captured and --secret or --secret-file exclude each other"), "nothing is signed: the captured signatures go out as they are")
			}
			return runF(cmd.Context(), opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(targetValue{&opts.Target}, "to", "deliver to `URL`; localhost, :3000 and 3000 are enough")
	flags.BoolVar(&opts.AsCaptured, "as-captured", false, "keep the captured timestamps and signatures")
	flags.VarP(eventsValue{&opts.Events, func(string) error { return nil }}, "events", "e", "only these `EVENTS` (a,b)")
	flags.BoolVar(&opts.OnlyInvalid, "only-invalid", false, "only deliveries that were recorded as not valid")
	flags.BoolVar(&opts.OnlyFailed, "only-failed", false, "only deliveries whose recorded answer is not 2xx")
	flags.VarP(headerValue{&opts.Headers}, "header", "H", "add or replace a header, `'Name: value'`")
	addExpect(flags, &opts.Expect)
	flags.BoolVarP(&opts.Yes, "yes", "y", false, "replay to another machine, too")
	opts.Connection.add(flags)
	opts.Secrets.add(flags)
	manual.Group(flags, "Which deliveries", "events", "only-invalid", "only-failed")
	return cmd
}

func runReplay(ctx context.Context, o *replayOptions) error {
	if err := o.app.settings.fill("timeout"); err != nil {
		return err
	}
	if err := o.app.target(&o.Target, o.Secrets, false); err != nil {
		return err
	}
	if err := confirmed(o.Target, o.Yes, "replay"); err != nil {
		return err
	}
	spec := deliver.Spec{Target: o.Target, Edits: o.Headers}
	if !o.AsCaptured {
		ring, err := o.app.keysFor(o.Secrets, o.Target.Loopback())
		if err != nil {
			return err
		}
		spec.Key = ring.keys[0]
	}
	client, err := o.Connection.client(o.app)
	if err != nil {
		return err
	}
	defer client.CloseIdle()
	run := &replaying{
		replayOptions: o, spec: spec, tally: &sendTally{},
		sender: &deliver.Sender{Client: client, Now: o.app.Now, NewID: o.app.newID},
	}
	for _, name := range o.Files {
		if err := run.file(ctx, name); err != nil {
			return err
		}
	}
	if run.forged > 0 && !o.AsCaptured {
		o.app.warn("%s not valid when recorded and went out signed anew, as authentic; --as-captured keeps signatures as they were",
			term.Count(run.forged, "delivery was", "deliveries were"))
	}
	if run.tally.sent == 0 {
		if err := o.unknownEvent(); err != nil {
			return err
		}
	}
	if run.tally.sent == 0 && run.read > 0 {
		o.app.notice("nothing was sent: of %s none is asked for", term.Count(run.read, "captured delivery", "captured deliveries"))
	}
	return run.tally.end(o.app)
}

// unknownEvent is the error for an event that is none of M2M's: a misspelt one, where
// no capture has it.
func (o *replayOptions) unknownEvent() error {
	catalogue, err := o.app.catalogue()
	if err != nil {
		return err
	}
	for _, name := range o.Events {
		if _, err := catalogue.Event(name); err != nil {
			return err
		}
	}
	return nil
}

// confirmed refuses a target that is not this machine unless the user insists.
func confirmed(target endpoint.Target, yes bool, verb string) error {
	if yes || target.Loopback() {
		return nil
	}
	return withHint(fmt.Errorf("%s is not this machine", target.URL.Host), "to %s there all the same, pass --yes", verb)
}

// replaying is one run of replay.
type replaying struct {
	*replayOptions
	spec   deliver.Spec
	sender *deliver.Sender
	tally  *sendTally
	read   int
	// forged counts those that were recorded as not authentic.
	forged int
}

func (r *replaying) file(ctx context.Context, name string) error {
	in, err := r.app.open(name, "the capture")
	if err != nil {
		r.refuse(err)
		return nil
	}
	defer in.Close()
	captures, err := capture.Open(in, capture.Auto)
	switch {
	case errors.Is(err, errInterrupted):
		return err
	case err != nil:
		r.refuse(captureError(name, err))
		return nil
	}
	before, faulty := r.read, false
	for {
		record, _, err := captures.Next()
		var line *delivery.LineError
		switch {
		case errors.Is(err, io.EOF):
			if r.read == before && !faulty {
				r.refuse(fmt.Errorf("reading %s: no delivery in it", name))
			}
			return nil
		case errors.Is(err, errInterrupted):
			return err
		case errors.As(err, &line) && line.Torn && r.read > before:
			r.app.warn("%s: line %d is cut off and was not sent", name, line.Line)
			continue
		case err != nil:
			faulty = true
			r.refuse(captureError(name, err))
			if line == nil {
				return nil // what comes after it cannot be found
			}
			continue
		}
		r.read++
		if !r.wanted(record) {
			continue
		}
		if v := record.Verification; v != nil && !v.Valid && v.Secret == "" {
			r.forged++
		}
		if err := r.send(ctx, record.Request); err != nil {
			return err
		}
	}
}

// refuse tells of a capture that cannot be used; the others are sent all the same.
func (r *replaying) refuse(err error) {
	r.app.tellError(err)
	r.tally.code = worse(r.tally.code, exitNotTried)
}

func (r *replaying) wanted(record delivery.Record) bool {
	invalid := record.Verification != nil && !record.Verification.Valid
	failed := record.Error != nil || record.Response != nil && !deliver.Acknowledged(record)
	event := delivery.EventOf(record.Request)
	return (len(r.Events) == 0 || slices.Contains(r.Events, event)) &&
		(!r.OnlyInvalid || invalid) && (!r.OnlyFailed || failed)
}

func (r *replaying) send(ctx context.Context, captured delivery.Request) error {
	timestamp := ""
	if !r.AsCaptured {
		timestamp = sign.FormatTimestamp(r.app.Now())
	}
	record, err := r.sender.Send(ctx, r.spec.Replay(captured, timestamp), 1)
	if err != nil {
		return err
	}
	return r.app.showSent(record, r.Expect, r.tally)
}
