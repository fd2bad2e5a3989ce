package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/manual"
	"github.com/leapfinancial/m2m/internal/sign"
	"github.com/leapfinancial/m2m/internal/verify"
)

type verifyOptions struct {
	app *app

	Files     []string
	Payload   string
	Signature string
	Timestamp string
	Headers   string
	// HasSignature and HasTimestamp say that the flags were given.
	HasSignature, HasTimestamp bool
	Format                     string
	Tolerance                  time.Duration
	Now                        moment
	Schema                     bool
	Reports                    []reportFile
	Secrets                    secretFlags
}

const verifyExamples = `  # A captured delivery: a record, a raw HTTP request or a curl command
  m2m verify delivery.json
  m2m send operation.created --print http | m2m verify -

  # A body and its two headers
  m2m verify --payload body.json --signature "$SIG" --timestamp "$TS"
  m2m verify --payload body.json --headers headers.txt

  # Thousands, in a script: one record each, and the exit code
  m2m verify deliveries.ndjson --json`

func newVerifyCmd(a *app, runF func(context.Context, *verifyOptions) error) *cobra.Command {
	opts := &verifyOptions{app: a}
	if runF == nil {
		runF = runVerify
	}
	cmd := &cobra.Command{
		Use:     "verify FILE...",
		Long:    "Check the signatures of captured deliveries, and say why one does not match.\n\nThe form is recognised from the content. Freshness is judged only with\n--tolerance: a captured delivery is old by nature. The secret has to be set,\nwith M2M_WEBHOOK_SECRET for instance: none is assumed.",
		Example: verifyExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Files = args
			opts.HasSignature = cmd.Flags().Changed("signature")
			opts.HasTimestamp = cmd.Flags().Changed("timestamp")
			if err := opts.check(); err != nil {
				return err
			}
			return runF(cmd.Context(), opts)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opts.Payload, "payload", "", "the raw body in `FILE` (- for stdin)")
	flags.Var(headerTextValue{&opts.Signature}, "signature", "the X-M2M-Signature header's `TEXT`")
	flags.Var(headerTextValue{&opts.Timestamp}, "timestamp", "the X-M2M-Timestamp header's `TEXT`")
	flags.StringVar(&opts.Headers, "headers", "", "the headers in `FILE`, as Name: value lines")
	opts.Format = string(capture.Auto)
	formats := []string{string(capture.Auto), string(capture.HTTP), string(capture.NDJSON), string(capture.Curl)}
	flags.Var(&enumValue{"--format", &opts.Format, formats}, "format", "the captures' `FORM`: auto, http, ndjson or curl")
	flags.Var(spanValue{&opts.Tolerance}, "tolerance", "judge freshness too: up to `DURATION` off")
	flags.Var(momentValue{&opts.Now}, "now", "take `TIME` for the present")
	flags.BoolVar(&opts.Schema, "schema", false, "check payloads against their event's JSON Schema, too")
	flags.Var(reportsValue{&opts.Reports, []string{"junit"}}, "report", "write a report, `junit=FILE`; repeatable")
	manual.Group(flags, "A body with its headers", "payload", "signature", "timestamp", "headers")
	opts.Secrets.add(flags)
	return cmd
}

func (o *verifyOptions) check() error {
	loose := o.HasSignature || o.HasTimestamp || o.Headers != ""
	switch {
	case o.Payload == "" && len(o.Files) == 0:
		return withHint(errors.New("nothing to verify"), "name a captured delivery, - for stdin, or pass --payload FILE --signature SIG --timestamp TS")
	case o.Payload != "" && len(o.Files) > 0:
		return errors.New("--payload and FILE exclude each other")
	case o.Payload == "" && loose:
		return withHint(errors.New("--signature, --timestamp and --headers belong to --payload"), "pass the raw body with --payload FILE")
	case o.Payload != "" && o.Format != string(capture.Auto):
		return errors.New("--payload and --format exclude each other: a payload has no form")
	case o.Payload != "" && !loose, o.Payload != "" && o.Headers == "" && (!o.HasSignature || !o.HasTimestamp):
		return withHint(errors.New("--payload needs its headers"), "pass --signature and --timestamp, or --headers FILE")
	case o.Headers != "" && (o.HasSignature || o.HasTimestamp):
		return errors.New("--headers and --signature or --timestamp exclude each other")
	}
	return nil
}

func runVerify(ctx context.Context, o *verifyOptions) error {
	ring, err := o.app.keys(o.Secrets)
	if err != nil {
		return err
	}
	if len(ring.keys) == 0 {
		return withHint(errors.New("no webhook secret"), "set M2M_WEBHOOK_SECRET or pass --secret-file; what m2m sends without one is signed with %s", devSecret)
	}
	judge := verify.Judge{
		Keys:  ring.keys,
		Clock: sign.Clock{Now: o.Now.at(o.app.Now()), Tolerance: o.Tolerance},
	}
	// Nobody reads why, where only the exit code counts.
	if !o.app.Quiet || len(o.Reports) > 0 {
		if judge.Diagnoser, err = o.app.diagnoser(ring.keys); err != nil {
			return err
		}
	}
	if o.Schema {
		if judge.Schema, err = o.app.schemaCheck(); err != nil {
			return err
		}
	}
	v := &verifier{options: o}
	if err := o.spareInputs(); err != nil {
		return err
	}
	if v.reports, err = o.app.openVerifyReports(o.Reports); err != nil {
		return err
	}
	defer v.reports.discard()
	v.start(judge)
	err = o.add(ctx, v)
	if err == nil {
		// A file that ended because its writer was interrupted, too.
		err = context.Cause(ctx)
	}
	return v.end(err)
}

// spareInputs refuses a report in the place of what is to be read.
func (o *verifyOptions) spareInputs() error {
	for _, report := range o.Reports {
		for _, input := range append([]string{o.Payload, o.Headers}, o.Files...) {
			if input != "" && input != "-" && isSameFile(input, report.File) {
				return withHint(fmt.Errorf("--report %s=%s would write over an input", report.Kind, report.File), "name another file for the report")
			}
		}
	}
	return nil
}

// add has everything judged that the command line names.
func (o *verifyOptions) add(ctx context.Context, v *verifier) error {
	if o.Payload != "" {
		record, err := o.assemble()
		if err != nil {
			return err
		}
		return v.batch.Record(ctx, o.Payload, record)
	}
	for _, name := range o.Files {
		if err := v.read(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// assemble makes a record of a body and its headers.
func (o *verifyOptions) assemble() (delivery.Record, error) {
	var record delivery.Record
	var err error
	if record.Request.Body, err = o.app.read(o.Payload, "the payload", delivery.MaxLine); err != nil {
		return record, err
	}
	if o.Headers == "" {
		record.Request.Headers = delivery.Headers{
			{Name: delivery.SignatureHeader, Value: o.Signature},
			{Name: delivery.TimestampHeader, Value: o.Timestamp},
		}
		return record, nil
	}
	text, err := o.app.read(o.Headers, "the headers", maxConfig)
	if err != nil {
		return record, err
	}
	if record.Request.Headers, err = capture.ParseHeaders(text); err != nil {
		return record, fmt.Errorf("reading the headers: %s: %w", o.Headers, err)
	}
	return record, nil
}
