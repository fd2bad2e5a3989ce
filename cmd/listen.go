package cmd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/listen"
	"github.com/leapfinancial/m2m/internal/partner"
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
	Secrets         secretFlags
}

const listenExamples = `  # Receive, verify and show deliveries on http://localhost:3000/webhooks/m2m
  m2m listen

  # In a script: any free port, two deliveries within 30 s, kept in a file
  m2m listen --port 0 --count 2 --for 30s --save deliveries.ndjson

  # Wait until a transfer was both created and cancelled
  m2m listen --expect operation.created --expect operation.cancelled --for 1m

  # One line a delivery, only these events
  m2m listen --format line --events operation.created,operation.cancelled`

func newListenCmd(a *app, runF func(context.Context, *listenOptions) error) *cobra.Command {
	opts := &listenOptions{app: a}
	if runF == nil {
		runF = runListen
	}
	cmd := &cobra.Command{
		Use:     "listen",
		Short:   "Receive deliveries, verify and show them",
		Long:    "Receive deliveries on every path, verify their signatures, show them and answer:\n200 OK when valid, 401 Invalid signature when not. A PUT to\n/partner/data-requests/ID is answered as M2M's Partner API would.",
		Example: listenExamples,
		GroupID: "everyday",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.JSON {
				opts.Format = "json"
			}
			if err := opts.check(); err != nil {
				return err
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
	flags.BoolVar(&opts.NoVerify, "no-verify", false, "answer 200 whatever the signature is worth")
	flags.StringVar(&opts.TLSCert, "tls-cert", "", "speak TLS with the certificate in `FILE` (PEM)")
	flags.StringVar(&opts.TLSKey, "tls-key", "", "the certificate's key in `FILE` (PEM)")
	flags.StringVar(&opts.ReadyFile, "ready-file", "", "write the URL to `FILE` when the port is open")
	opts.Secrets.add(flags)
	return cmd
}

func (o *listenOptions) check() error {
	switch {
	case o.Port < 0 || o.Port > 65535:
		return fmt.Errorf("--port %d: it has to be in 0 to 65535", o.Port)
	case o.Count < 0:
		return fmt.Errorf("--count %d: it has to be 1 or more", o.Count)
	case (o.TLSCert == "") != (o.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key go together")
	case o.Host == "":
		return errors.New("--host is empty")
	}
	return nil
}

func runListen(ctx context.Context, o *listenOptions) error {
	if err := o.app.settings.fill("tolerance"); err != nil {
		return err
	}
	ring, err := o.app.keysFor(o.Secrets, endpoint.IsLoopback(o.Host))
	if err != nil {
		return err
	}
	var certificate *tls.Certificate
	scheme := "http"
	if o.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(o.TLSCert, o.TLSKey)
		if err != nil {
			return fmt.Errorf("reading the TLS certificate: %w", err)
		}
		certificate, scheme = &pair, "https"
	}
	diagnoser, err := o.app.diagnoser(ring.keys)
	if err != nil {
		return err
	}
	view := &listenView{options: o, wanted: newExpectations(o), explainer: newExplainer(diagnoser, o.app.Now)}
	options := o.receiver(ring, scheme, view)
	if o.ReadyFile != "" {
		// One that an earlier run left names a port that is no longer open.
		if err := os.Remove(o.ReadyFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("--ready-file: %w", err)
		}
	}
	if o.Save != "" {
		file, torn, err := delivery.OpenFile(o.Save)
		if err != nil {
			return fmt.Errorf("--save: %w", err)
		}
		// Every record is on file already when it returns.
		defer func() { _ = file.Close() }()
		if torn > 0 {
			o.app.warn("%s ended in a torn line, left by a run that was killed: cut off %d bytes", o.Save, torn)
		}
		options.Save = file.Append
	}
	listeners, err := listen.Listen(ctx, o.Host, o.Port)
	if err != nil {
		return withHint(fmt.Errorf("listening: %w", err), "choose another port with --port, or --port 0 for any free one")
	}
	url := o.url(scheme, listeners[0])
	if err := o.ready(url, ring); err != nil {
		return err
	}
	return o.serve(ctx, listen.NewServer(options), listeners, certificate, view)
}

// receiver returns what the flags make of the receiver.
func (o *listenOptions) receiver(ring keyring, scheme string, view *listenView) listen.Options {
	mock := partner.NewMock(partner.MockOptions{Now: o.app.Now, OnReply: view.reply})
	return listen.Options{
		Keys: ring.keys, Tolerance: o.Tolerance, MaxBody: o.MaxBody, AcceptAll: o.NoVerify,
		LoopbackHostOnly: ring.dev && endpoint.IsLoopback(o.Host), Scheme: scheme, Only: o.Events,
		Now: o.app.Now, NewID: o.app.newID, PartnerAPI: mock, Done: view.delivery, Misdirected: view.misdirected,
		Accepted: func(payload []byte) {
			// Other events than data requests are not the mock's.
			_ = mock.Remember(payload)
		},
	}
}

// serve receives until what was wanted has come, the time is over, or the user
// ends it.
func (o *listenOptions) serve(ctx context.Context, server *listen.Server, listeners []net.Listener, certificate *tls.Certificate, view *listenView) error {
	serving, stop := context.WithCancel(ctx)
	defer stop()
	view.stop = stop
	if o.For > 0 {
		timer := time.AfterFunc(o.For, stop)
		defer timer.Stop()
	}
	err := server.Serve(serving, listeners, certificate)
	view.mu.Lock()
	defer view.mu.Unlock()
	view.summary()
	if err != nil {
		return err
	}
	if view.err != nil {
		return view.err
	}
	return view.wanted.result(ctx.Err() != nil)
}

func (o *listenOptions) url(scheme string, listener net.Listener) string {
	host := o.Host
	if address := net.ParseIP(host); address != nil && address.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(listen.Port(listener))) + endpoint.DefaultPath
}

func (o *listenOptions) ready(url string, ring keyring) error {
	if o.Format == "json" {
		if err := o.app.writeJSON(struct {
			Type   string `json:"type"`
			URL    string `json:"url"`
			Secret string `json:"secret"`
		}{"ready", url, ring.keys[0].Fingerprint()}); err != nil {
			return err
		}
	}
	if !o.app.Quiet {
		var prints []string
		for _, key := range ring.keys {
			prints = append(prints, key.Fingerprint())
		}
		fmt.Fprintf(o.app.Err, "listening on %s   secret %s   Ctrl-C to stop\n", url, strings.Join(prints, ", "))
	}
	if o.ReadyFile == "" {
		return nil
	}
	if err := os.WriteFile(o.ReadyFile, []byte(url+"\n"), 0o600); err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	return nil
}
