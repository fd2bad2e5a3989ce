package cmd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/listen"
	"github.com/leapfinancial/m2m/internal/partner"
)

// maxMemory is what the receiver's memory is held to, in bytes, as far as that can be.
const maxMemory = 32 << 20

// listening is one run of listen.
type listening struct {
	*listenOptions
	ring        keyring
	certificate *tls.Certificate
	view        *listenView
	answerer    *answerer
	// met says that all that was waited for has come; whoever is called then ends
	// the run, once.
	met bool
	end func()
}

func runListen(ctx context.Context, o *listenOptions) error {
	// A flood of large deliveries must not make the process large: what they leave
	// behind is collected in time. No sooner, since that takes time from all senders.
	debug.SetMemoryLimit(maxMemory)
	debug.SetGCPercent(-1)
	// Who finds the ready file may send a Ctrl-C at once, and it has to end the run in order.
	ctx.Done()
	// A closed stdout is told, and does not kill.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	for _, key := range []string{"tolerance", "timeout"} {
		if err := o.app.settings.fill(key); err != nil {
			return err
		}
	}
	ring, err := o.app.keysFor(o.Secrets, endpoint.IsLoopback(o.Host))
	if err != nil {
		return err
	}
	l := &listening{listenOptions: o, ring: ring}
	if o.TLSCert != "" {
		if l.certificate, err = o.readCertificate(); err != nil {
			return err
		}
	}
	diagnoser, err := o.app.diagnoser(ring.keys)
	if err != nil {
		return err
	}
	l.view = &listenView{options: o, wanted: newExpectations(o), explainer: newExplainer(diagnoser, o.app.Now)}
	if l.answerer, err = o.answerer(ctx, ring, l.view); err != nil {
		return err
	}
	options := l.receiver()
	if o.ForwardTo.URL != nil {
		forwarder, err := o.forwarder()
		if err != nil {
			return err
		}
		defer forwarder.sender.Client.CloseIdle()
		options.Forward = forwarder.forward
	}
	if err := o.prepareReadyFile(); err != nil {
		return err
	}
	if o.Save != "" {
		file, torn, err := delivery.OpenFile(o.Save)
		if err != nil {
			return fmt.Errorf("--save: %w", fileError(o.Save, err))
		}
		// Every record is on file already when it returns.
		defer func() { _ = file.Close() }()
		if torn > 0 {
			o.app.warn("%s ended in a torn line, left by a run that was killed: cut off %d bytes", o.Save, torn)
		}
		file.Anew = func() {
			o.app.warn("%s is not there any more: a new one takes the records from here on", o.Save)
		}
		options.Save = file.AppendLine
	}
	listeners, err := l.open(ctx)
	if err != nil {
		return err
	}
	url := l.url(listeners[0])
	if err := l.ready(url); err != nil {
		return err
	}
	return l.serve(ctx, listen.NewServer(options), listeners, url)
}

// receiver returns what the flags make of the receiver.
func (l *listening) receiver() listen.Options {
	mock := partner.NewMock(partner.MockOptions{Now: l.app.Now, OnReply: l.view.reply})
	return listen.Options{
		Keys: l.ring.keys, Tolerance: l.Tolerance, MaxBody: l.MaxBody, AcceptAll: l.NoVerify,
		Rehearsal:        listen.Rehearsal{Status: l.Respond, FailFirst: l.FailFirst, Delay: l.Delay},
		LoopbackHostOnly: l.ring.dev && endpoint.IsLoopback(l.Host), Scheme: l.scheme(), Only: l.Events,
		Now: l.app.Now, NewID: l.app.newID, PartnerAPI: mock, Misdirected: l.view.misdirected, Refused: l.view.refusedRequest,
		BrokenOff: l.view.brokenOff,
		Lines:     l.Format == "json",
		Done: func(d listen.Delivery) {
			l.view.delivery(d)
			l.answerer.delivery(d)
			if l.met {
				l.end()
			}
		},
		Accepted: func(payload []byte) {
			// One that is none is told of when its delivery is shown.
			_ = mock.Remember(payload)
			l.answerer.accepted(payload)
		},
	}
}

// open opens the port.
func (l *listening) open(ctx context.Context) ([]net.Listener, error) {
	if l.ForwardTo.URL != nil && !l.HasPort && l.ForwardTo.Loopback() && l.ForwardTo.Port() == strconv.Itoa(l.Port) {
		l.Port++
		l.app.notice("%s is the handler's port: listening on %d", l.ForwardTo.Port(), l.Port)
	}
	listeners, err := listen.Listen(ctx, l.Host, l.Port)
	if err != nil {
		err = listenError("listening", err)
		if errors.Is(err, syscall.EADDRNOTAVAIL) {
			return nil, withHint(err, "--host takes an address of this machine, or 0.0.0.0 for all of them")
		}
		return nil, withHint(err, "choose another port with --port, or --port 0 for any free one")
	}
	if l.ForwardTo.URL != nil && listen.Reaches(ctx, l.ForwardTo.URL.Hostname(), l.ForwardTo.Port(), listeners) {
		for _, listener := range listeners {
			_ = listener.Close() // nobody was told of it
		}
		return nil, withHint(fmt.Errorf("--forward-to %s is this receiver itself", l.ForwardTo), "name your handler's port there, or another one for m2m with --port")
	}
	return listeners, nil
}

// serve receives until what was wanted has come, the time is over, the command has
// ended, or the user ends it.
func (l *listening) serve(ctx context.Context, server *listen.Server, listeners []net.Listener, url string) error {
	serving, stop := context.WithCancel(ctx)
	defer stop()
	// The replies of --answer may go to this very port.
	afterReplies := func() {
		_ = l.answerer.wait() // which is asked again in the end
		stop()
	}
	l.end = sync.OnceFunc(func() { go afterReplies() })
	l.view.stop = func() { l.met = true }
	if l.For > 0 {
		timer := time.AfterFunc(l.For, stop)
		defer timer.Stop()
	}
	ended := make(chan error, 1)
	if l.Exec != "" {
		go func() {
			defer afterReplies()
			ended <- l.exec(serving, url)
		}()
	}
	err := server.Serve(serving, listeners, l.certificate)
	stop()
	var command error
	if l.Exec != "" {
		command = <-ended
	}
	replies := l.answerer.wait()
	l.view.mu.Lock()
	defer l.view.mu.Unlock()
	l.view.summary()
	switch {
	case err != nil:
		return err
	case l.view.err != nil:
		return l.view.err
	}
	return l.result(command, replies, ctx.Err() != nil)
}

// result returns how the run ends: as the command did that drives it, or else by the
// worst of what did not come and what was not answered.
func (l *listening) result(command, replies error, interrupted bool) error {
	wanted := l.view.wanted.result(interrupted)
	if l.Exec != "" {
		wanted = l.view.wanted.resultWith(command, interrupted)
	}
	if interrupted || command != nil || worse(codeOf(wanted), codeOf(replies)) == codeOf(wanted) {
		return wanted
	}
	l.app.tellError(wanted)
	return replies
}

func (o *listenOptions) scheme() string {
	if o.TLSCert != "" {
		return "https"
	}
	return "http"
}

func (o *listenOptions) url(listener net.Listener) string {
	host := o.Host
	if address := net.ParseIP(host); address != nil && address.IsUnspecified() {
		host = "localhost"
	}
	return o.scheme() + "://" + net.JoinHostPort(host, strconv.Itoa(listen.Port(listener))) + endpoint.DefaultPath
}

func (l *listening) ready(url string) error {
	if l.Format == "json" {
		if err := l.app.writeJSON(struct {
			Type   string `json:"type"`
			URL    string `json:"url"`
			Secret string `json:"secret"`
		}{"ready", url, l.ring.keys[0].Fingerprint()}); err != nil {
			return err
		}
	}
	if !l.app.Quiet {
		var prints []string
		for _, key := range l.ring.keys {
			prints = append(prints, key.Fingerprint())
		}
		forwarding := ""
		if l.ForwardTo.URL != nil {
			forwarding = "   forwarding to " + l.ForwardTo.String()
		}
		fmt.Fprintf(l.app.Err, "listening on %s   secret %s%s   Ctrl-C to stop\n", url, strings.Join(prints, ", "), forwarding)
	}
	if l.ReadyFile == "" {
		return nil
	}
	if err := writeReadyFile(l.ReadyFile, url+"\n"); err != nil {
		return fmt.Errorf("--ready-file: %w", fileError(l.ReadyFile, err))
	}
	return nil
}
