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
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/listen"
	"github.com/leapfinancial/m2m/internal/partner"
	"github.com/leapfinancial/m2m/internal/term"
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
	view := &listenView{options: o, wanted: newExpectations(o)}
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

// listenView shows what the receiver and the mock tell it, each from goroutines of
// its own.
type listenView struct {
	mu      sync.Mutex
	options *listenOptions
	wanted  *expectations
	stop    context.CancelFunc
	// unsaved and refused are what was said already.
	unsaved bool
	refused bool
	err     error
}

func (v *listenView) delivery(d listen.Delivery) {
	v.mu.Lock()
	defer v.mu.Unlock()
	o := v.options
	if d.SaveError != nil && !v.unsaved {
		v.unsaved = true
		report(o.app.Err, withHint(fmt.Errorf("--save: %w", d.SaveError), "deliveries are answered 500 until it can be written again"))
	}
	if d.SaveError == nil {
		v.unsaved = false
	}
	if d.Shown && v.err == nil {
		v.err = v.show(d)
	}
	if v.wanted.add(d) || v.err != nil {
		v.stop()
	}
}

func (v *listenView) show(d listen.Delivery) error {
	a := v.options.app
	if v.options.Format == "json" {
		return a.writeRecord(d.Record)
	}
	if a.Quiet {
		return nil
	}
	p := a.printer(a.Out)
	p.Received(d.Record, d.Payload, d.Verdict, v.options.Format == "pretty", a.Verbose)
	return p.Err()
}

func (v *listenView) reply(received partner.Received) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a := v.options.app
	switch {
	case v.options.Format == "json":
		// A closed pipe shows at the next delivery.
		_ = a.writeJSON(replyRecord(received))
	case !a.Quiet:
		a.printer(a.Out).Reply(received)
	}
}

func replyRecord(r partner.Received) any {
	missing := []string{}
	for _, field := range r.Fields {
		if !field.Present {
			missing = append(missing, field.Path)
		}
	}
	return struct {
		Type          string   `json:"type"`
		DataRequestID string   `json:"dataRequestId"`
		ReferenceID   string   `json:"referenceId,omitempty"`
		Status        int      `json:"status"`
		Code          string   `json:"code,omitempty"`
		Missing       []string `json:"missing"`
		Extra         []string `json:"extra,omitempty"`
		Key           string   `json:"key"`
		KeyKind       string   `json:"keyKind"`
	}{"data_request_reply", r.DataRequestID, r.ReferenceID, r.Status, string(r.Code), missing, r.Extra, r.Key, r.KeyKind}
}

// misdirected tells of the first request for another host; a web page could send
// any number of them.
func (v *listenView) misdirected(host string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.refused {
		v.refused = true
		v.options.app.warn("answered 421 to a request for the host %q, which is not loopback", host)
	}
}

func (v *listenView) summary() {
	if !v.options.app.Quiet {
		fmt.Fprintln(v.options.app.Err, v.wanted.summary())
	}
}

// expectations are what a run of listen waits for, and what has come of it.
type expectations struct {
	acceptAll  bool
	count      int
	events     []string
	came       map[string]bool
	got, valid int
}

func newExpectations(o *listenOptions) *expectations {
	return &expectations{
		acceptAll: o.NoVerify, count: o.Count, events: o.Expect, came: map[string]bool{},
	}
}

// add counts a delivery and says whether everything has come now.
func (e *expectations) add(d listen.Delivery) bool {
	e.got++
	if d.Verdict.Valid() {
		e.valid++
	}
	// A forgery meets nobody's expectation.
	if d.Verdict.Valid() || e.acceptAll {
		e.came[d.Record.Event] = true
	}
	return (e.count > 0 || len(e.events) > 0) && e.unmet() == nil
}

// unmet says what is still missing, or nil.
func (e *expectations) unmet() error {
	if e.got < e.count {
		return fmt.Errorf("%d of %s came", e.got, term.Count(e.count, "delivery", "deliveries"))
	}
	for _, event := range e.events {
		if !e.came[event] {
			return fmt.Errorf("no valid %s came", event)
		}
	}
	return nil
}

// result returns how the run ends. Without an end of its own, a run that the user
// ends has done its work.
func (e *expectations) result(interrupted bool) error {
	unmet := e.unmet()
	switch {
	case unmet != nil && interrupted:
		return &exitError{code: exitInterrupted, err: unmet}
	case unmet != nil:
		return &exitError{code: exitNo, err: unmet}
	case interrupted:
		return nil
	case e.got > e.valid:
		return result(exitNo)
	}
	return nil
}

func (e *expectations) summary() string {
	text := fmt.Sprintf("%d received: %d valid", e.got, e.valid)
	if invalid := e.got - e.valid; invalid > 0 {
		text += fmt.Sprintf(", %d INVALID", invalid)
	}
	return text
}
