package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/manual"
)

type listenOptions struct {
	app *app

	Host            string
	Port            int
	Format          string
	Events, Expect  []string
	Save            string
	Count           int
	For             time.Duration
	MaxBody         int64
	Tolerance       time.Duration
	NoVerify        bool
	TLSCert, TLSKey string
	ReadyFile       string
	ForwardTo       endpoint.Target
	Connection      connectionFlags
	Respond         int
	FailFirst       int
	Delay           time.Duration
	Exec            string
	Answer          answerFlags
	HasPort         bool
	Secrets         secretFlags
}

const listenExamples = `  # Receive, verify and show deliveries on http://localhost:3000/webhooks/m2m
  m2m listen

  # In a script: any free port, two deliveries within 30 s, kept in a file
  m2m listen --port 0 --count 2 --for 30s --save deliveries.ndjson

  # Wait until a transfer was both created and cancelled
  m2m listen --expect operation.created --expect operation.cancelled --for 1m

  # One line a delivery, only these events
  m2m listen --format line --events operation.created,operation.cancelled

  # Verify, and pass what is valid on to your handler
  m2m listen --forward-to localhost:8080/hooks

  # See what the sender makes of failures
  m2m listen --fail-first 2 --delay 3s

  # Drive it all from one command, and end with its exit code
  m2m listen --port 0 --count 5 --exec 'm2m send --all --to "$M2M_LISTEN_URL"'`

func newListenCmd(a *app, runF func(context.Context, *listenOptions) error) *cobra.Command {
	opts := &listenOptions{app: a}
	if runF == nil {
		runF = runListen
	}
	cmd := &cobra.Command{
		Use:     "listen",
		Long:    "Receive deliveries, verify their signatures, show them and answer.\n\nEvery path is served: 200 OK when valid, 401 Invalid signature when not. A PUT\nto /partner/data-requests/ID is answered as M2M's Partner API would.",
		Example: listenExamples,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.HasPort = cmd.Flags().Changed("port")
			if err := opts.check(cmd.Flags()); err != nil {
				return err
			}
			if a.JSON {
				opts.Format = "json"
			}
			return runF(cmd.Context(), opts)
		},
	}
	known := func(name string) error {
		catalogue, err := a.catalogue()
		if err == nil {
			_, err = catalogue.Event(name)
		}
		return err
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVarP(&opts.Port, "port", "p", 3000, "listen on `PORT`; 0 picks a free one")
	flags.StringVar(&opts.Host, "host", "localhost", "listen on `ADDR`; localhost is 127.0.0.1 and ::1")
	opts.Format = "pretty"
	flags.Var(&enumValue{"--format", &opts.Format, []string{"pretty", "line", "json"}}, "format", "show deliveries as `FORM`: pretty, line or json")
	flags.VarP(eventsValue{&opts.Events, known}, "events", "e", "show and save only these `EVENTS` (a,b)")
	flags.StringVar(&opts.Save, "save", "", "append delivery records to `FILE` before answering")
	flags.IntVar(&opts.Count, "count", 0, "end after `N` deliveries")
	flags.Var(eventsValue{&opts.Expect, known}, "expect", "end when a valid `EVENT` has come; repeatable")
	flags.Var(spanValue{&opts.For}, "for", "end after `DURATION` at the latest")
	opts.MaxBody = 1 << 20
	flags.Var(sizeValue{&opts.MaxBody}, "max-body", "refuse larger bodies than `SIZE`")
	opts.Tolerance = 5 * time.Minute
	flags.Var(spanValue{&opts.Tolerance}, "tolerance", "take timestamps up to `DURATION` off; 0 takes any")
	flags.BoolVar(&opts.NoVerify, "no-verify", false, "accept deliveries whatever their signature is worth")
	flags.StringVar(&opts.TLSCert, "tls-cert", "", "speak TLS with the certificate in `FILE` (PEM)")
	flags.StringVar(&opts.TLSKey, "tls-key", "", "the certificate's key in `FILE` (PEM)")
	flags.StringVar(&opts.ReadyFile, "ready-file", "", "write the URL to `FILE` when the port is open")
	flags.StringVar(&opts.Exec, "exec", "", "run `COMMAND` when the port is open, with M2M_LISTEN_URL set; its end and exit code are the run's")
	flags.VarP(targetValue{&opts.ForwardTo}, "forward-to", "f", "pass valid deliveries on to `URL` and relay its answers")
	opts.Connection.add(flags)
	flags.Lookup("timeout").Usage = "answer 504 when the handler takes longer than `DURATION`; 0 never"
	flags.Lookup("insecure").Usage = "accept any TLS certificate of the handler's"
	flags.IntVar(&opts.Respond, "respond", 0, "answer valid deliveries with `STATUS`")
	flags.IntVar(&opts.FailFirst, "fail-first", 0, "answer the first `N` valid deliveries with 500, or with --respond")
	flags.Var(spanValue{&opts.Delay}, "delay", "wait `DURATION` before each answer")
	opts.Answer.add(flags)
	opts.Secrets.add(flags)
	manual.Group(flags, "What is taken", "max-body", "tolerance", "no-verify", "tls-cert", "tls-key")
	manual.Group(flags, "When to end", "count", "expect", "for", "ready-file", "exec")
	manual.Group(flags, "Pass on", "forward-to", "timeout", "insecure", "cacert")
	manual.Group(flags, "Rehearse failures", "respond", "fail-first", "delay")
	manual.Group(flags, "Answer data requests", "answer", "api-key-file", "allow-host")
	return cmd
}

func (o *listenOptions) check(flags *pflag.FlagSet) error {
	switch {
	case o.app.JSON && flags.Changed("format") && o.Format != "json":
		return fmt.Errorf("--json and --format %s exclude each other", o.Format)
	case o.Port < 0 || o.Port > 65535:
		return fmt.Errorf("--port %d: it has to be in 0 to 65535", o.Port)
	case flags.Changed("count") && o.Count < 1:
		return fmt.Errorf("--count %d: it has to be 1 or more", o.Count)
	case flags.Changed("for") && o.For == 0:
		return withHint(errors.New("--for 0: it has to be more than 0"), "without --for, m2m listens until it is stopped")
	case (o.TLSCert == "") != (o.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key go together")
	case o.Save == "-":
		return withHint(errors.New("--save takes a file, and - is none"), "--json writes the records to standard output")
	case o.ReadyFile == "-":
		return withHint(errors.New("--ready-file takes a file, and - is none"), "--json begins with a record that holds the URL")
	case flags.Changed("respond") && (o.Respond < 200 || o.Respond > 599):
		return fmt.Errorf("--respond %d: it has to be in 200 to 599", o.Respond)
	case o.FailFirst < 0:
		return fmt.Errorf("--fail-first %d: it has to be 0 or more", o.FailFirst)
	case o.ForwardTo.URL != nil && o.Respond != 0 && o.FailFirst == 0:
		return withHint(errors.New("--forward-to and --respond exclude each other"), "--fail-first N with --respond answers only the first N")
	}
	if err := o.Answer.check(); err != nil {
		return err
	}
	return o.checkConnection(flags)
}

// checkConnection refuses flags of a connection that is not made. A timeout in the
// environment or a file is every command's, and may stand there.
func (o *listenOptions) checkConnection(flags *pflag.FlagSet) error {
	if o.ForwardTo.URL != nil {
		return nil
	}
	if o.Connection.Insecure {
		return withHint(errors.New("--insecure belongs to --forward-to"), "pass --forward-to URL")
	}
	for _, name := range []string{"timeout", "cacert"} {
		if flags.Changed(name) && o.Answer.Users == "" {
			return withHint(fmt.Errorf("--%s belongs to --forward-to and --answer", name), "pass --forward-to URL or --answer USERS.json")
		}
	}
	return nil
}
