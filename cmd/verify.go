package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/delivery"
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
		Short:   "Check the signatures of captured deliveries",
		Long:    "Check the signatures of captured deliveries. The form is recognised from the\ncontent. Freshness is judged only with --tolerance: a captured delivery is old\nby nature.",
		Example: verifyExamples,
		GroupID: "everyday",
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
	flags.StringVar(&opts.Signature, "signature", "", "the X-M2M-Signature header's `TEXT`")
	flags.StringVar(&opts.Timestamp, "timestamp", "", "the X-M2M-Timestamp header's `TEXT`")
	flags.StringVar(&opts.Headers, "headers", "", "the headers in `FILE`, as Name: value lines")
	opts.Format = string(capture.Auto)
	formats := []string{string(capture.Auto), string(capture.HTTP), string(capture.NDJSON), string(capture.Curl)}
	flags.Var(&enumValue{"--format", &opts.Format, formats}, "format", "the captures' `FORM`: auto, http, ndjson or curl")
	flags.Var(spanValue{&opts.Tolerance}, "tolerance", "judge freshness too: up to `DURATION` off")
	flags.Var(momentValue{&opts.Now}, "now", "take `TIME` for the present")
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
		return withHint(errNoSecret(), "set M2M_WEBHOOK_SECRET or pass --secret-file; what m2m sends without one is signed with %s", devSecret)
	}
	clock := sign.Clock{Now: o.Now.at(o.app.Now()), Tolerance: o.Tolerance}
	v := &verifier{options: o, judge: verify.Judge{Keys: ring.keys, Clock: clock}}
	if o.Payload != "" {
		record, err := o.assemble()
		if err != nil {
			return err
		}
		if err := v.add(o.Payload, record); err != nil {
			return err
		}
		return v.end()
	}
	for _, name := range o.Files {
		if err := v.file(ctx, name); err != nil {
			return err
		}
	}
	return v.end()
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

// verifier judges captures and shows them.
type verifier struct {
	options *verifyOptions
	judge   verify.Judge
	code    exitCode
	// first is held back until it is clear whether there are several.
	first          *verify.Result
	checked, valid int
}

// file judges all captures of a file. The error is one that ends the run; a capture
// that cannot be used is told and counted.
func (v *verifier) file(ctx context.Context, name string) error {
	in, err := v.options.app.open(name, "the capture")
	if err != nil {
		v.fault(err)
		return nil
	}
	defer in.Close()
	captures, err := capture.Open(in, capture.Format(v.options.Format))
	if errors.Is(err, errInterrupted) {
		return err
	}
	if err != nil {
		v.fault(captureError(name, err))
		return nil
	}
	before := v.checked
	var torn *delivery.LineError
	for {
		record, line, err := captures.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		var fault *delivery.LineError
		switch {
		case ctx.Err() != nil:
			return errInterrupted
		case errors.As(err, &fault) && fault.Torn:
			torn = fault
		case err != nil:
			v.fault(captureError(name, err))
		default:
			if err := v.add(fmt.Sprintf("%s:%d", name, line), record); err != nil {
				return err
			}
		}
	}
	switch {
	case torn != nil && v.checked == before:
		v.fault(captureError(name, torn.Err))
	case torn != nil:
		v.options.app.warn("%s: line %d is cut off and was not judged", name, torn.Line)
	case v.checked == before && v.code != exitNotTried:
		v.fault(fmt.Errorf("reading %s: no delivery in it", name))
	}
	return nil
}

// fault tells a capture that cannot be used.
func (v *verifier) fault(err error) {
	report(v.options.app.Err, err)
	v.code = worse(v.code, exitNotTried)
}

func captureError(name string, err error) error {
	err = fmt.Errorf("reading %s: %w", name, err)
	if errors.Is(err, capture.ErrPayload) {
		return withHint(err, "pass the body with --payload %s and its headers with --signature and --timestamp, or --headers FILE", name)
	}
	return err
}

func (v *verifier) add(source string, record delivery.Record) error {
	result := v.judge.Record(source, record)
	v.checked++
	if result.Verdict.Valid() {
		v.valid++
	} else {
		v.code = worse(v.code, exitNo)
	}
	a := v.options.app
	switch {
	case a.Quiet:
		return nil
	case a.JSON:
		line, err := result.Line()
		if err != nil {
			return err
		}
		_, err = a.Out.Write(line)
		return err
	case v.checked == 1:
		v.first = &result
		return nil
	case v.first != nil:
		if err := v.show(*v.first); err != nil {
			return err
		}
		v.first = nil
	}
	return v.show(result)
}

// show prints one of several results.
func (v *verifier) show(result verify.Result) error {
	a := v.options.app
	if result.Verdict.Valid() && !a.Verbose {
		return nil
	}
	p := a.printer(a.Out)
	p.Verified(result, true)
	return p.Err()
}

func (v *verifier) end() error {
	a := v.options.app
	p := a.printer(a.Out)
	switch {
	case a.Quiet || a.JSON || v.checked == 0:
	case v.first != nil:
		p.Verified(*v.first, false)
	default:
		text := fmt.Sprintf("%d checked: %d valid", v.checked, v.valid)
		if invalid := v.checked - v.valid; invalid > 0 {
			text += fmt.Sprintf(", %d INVALID", invalid)
		}
		p.Line("%s", text)
	}
	if err := p.Err(); err != nil {
		return err
	}
	return result(v.code)
}
