package cmd

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/examples/go/webhook"
	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/fixtures"
	"github.com/leapfinancial/m2m/internal/listen"
	"github.com/leapfinancial/m2m/internal/partner"
	"github.com/leapfinancial/m2m/internal/sign"
	"github.com/leapfinancial/m2m/internal/term"
)

// demoAPIKey is the sample handler's. It is of the form of a test key and opens
// nothing.
const demoAPIKey = "m2m_test_demo"

// demoTimeout bounds each exchange of the demo.
const demoTimeout = 10 * time.Second

func newDemoCmd(a *app, runF func(context.Context, *app) error) *cobra.Command {
	if runF == nil {
		runF = runDemo
	}
	return &cobra.Command{
		Use:     "demo",
		Long:    "See the whole story in one process, without set-up and without network.\n\nIt is a receiver, a stand-in for M2M's Partner API and a sample handler: the\nfive events, a data request answered and a forgery refused.",
		Example: "  m2m demo",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runF(cmd.Context(), a) },
	}
}

// demo is the cast of the story.
type demo struct {
	app *app
	// out shows the story; broken is the first of its records that could not be written.
	out     *term.Printer
	broken  error
	sender  *deliver.Sender
	key     sign.Key
	life    *fixtures.Life
	handler *webhook.Handler
	// receiverURL and handlerURL take deliveries.
	receiverURL, handlerURL endpoint.Target
	// replyOrigin is the receiver by its address: the sample handler asks the system for
	// names, and a bare container knows no localhost.
	replyOrigin string
	// received and replies are what the receiver and the mock saw.
	received chan listen.Delivery
	replies  chan partner.Received
	failed   int
}

func runDemo(ctx context.Context, a *app) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	d := &demo{app: a, out: a.printer(a.Out), received: make(chan listen.Delivery, 16), replies: make(chan partner.Received, 16)}
	var err error
	if d.key, err = sign.NewKey(devSecret); err != nil {
		return err
	}
	var servers sync.WaitGroup
	defer servers.Wait()
	defer stop()
	if err := d.startReceiver(ctx, &servers); err != nil {
		return err
	}
	if err := d.startHandler(ctx, &servers); err != nil {
		return err
	}
	client := endpoint.NewClient(a.Transport, endpoint.ClientOptions{Timeout: demoTimeout})
	defer client.CloseIdle()
	d.sender = &deliver.Sender{Client: client, Now: a.Now, NewID: a.newID}
	d.life = &fixtures.Life{Rand: a.Rand, Now: a.Now(), ReplyOrigin: d.replyOrigin}
	if err := d.tell(ctx); err != nil {
		return err
	}
	if d.failed > 0 {
		err := fmt.Errorf("%s did not go as told", term.Count(d.failed, "step", "steps"))
		return &exitError{code: exitNo, err: err}
	}
	return cmp.Or(d.broken, d.out.Err())
}

// startReceiver starts what m2m listen starts, the mock of the Partner API included.
func (d *demo) startReceiver(ctx context.Context, servers *sync.WaitGroup) error {
	mock := partner.NewMock(partner.MockOptions{Now: d.app.Now, OnReply: func(r partner.Received) { d.replies <- r }})
	server := listen.NewServer(listen.Options{
		Keys: []sign.Key{d.key}, Tolerance: 5 * time.Minute, MaxBody: 1 << 20,
		LoopbackHostOnly: true, Scheme: "http", Now: d.app.Now, NewID: d.app.newID,
		PartnerAPI: mock,
		Accepted:   func(payload []byte) { _ = mock.Remember(payload) }, // other events are not the mock's
		Done:       func(delivery listen.Delivery) { d.received <- delivery },
	})
	listener, target, err := listenLoopback(ctx)
	if err != nil {
		return err
	}
	d.receiverURL, d.replyOrigin = target, "http://"+listener.Addr().String()
	servers.Go(func() { _ = server.Serve(ctx, []net.Listener{listener}, nil) })
	return nil
}

// startHandler starts the sample handler, the one in examples/go.
func (d *demo) startHandler(ctx context.Context, servers *sync.WaitGroup) error {
	var err error
	d.handler, err = webhook.New(webhook.Config{
		Secret: devSecret, APIKey: demoAPIKey, Now: d.app.Now,
		Client: &http.Client{Transport: d.app.Transport},
		Users: map[string]webhook.User{"user_12345": {
			"name.secondName": "Carlos", "name.secondLastName": "Lopez",
			"idNumber": "GALO900515HDFRPN09", "idType": "CURP", "dob": "1990-05-15",
		}},
	})
	if err != nil {
		return err
	}
	listener, target, err := listenLoopback(ctx)
	if err != nil {
		return err
	}
	d.handlerURL = target
	server := &http.Server{Handler: d.handler, ReadHeaderTimeout: demoTimeout}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	servers.Go(func() { _ = server.Serve(listener) })
	return nil
}

func listenLoopback(ctx context.Context) (net.Listener, endpoint.Target, error) {
	listeners, err := listen.Listen(ctx, "127.0.0.1", 0)
	if err != nil {
		return nil, endpoint.Target{}, listenError("listening", err)
	}
	target, err := endpoint.ParseTarget("localhost:" + strconv.Itoa(listen.Port(listeners[0])))
	return listeners[0], target, err
}

// tell runs the story.
func (d *demo) tell(ctx context.Context) error {
	catalogue, err := d.app.catalogue()
	if err != nil {
		return err
	}
	d.head("1. M2M tells of one transfer. A receiver, as m2m listen is one, checks each signature.")
	var request, operation []byte
	for _, event := range catalogue.Events() {
		payload, err := d.life.Fresh(event)
		if err != nil {
			return err
		}
		switch event.Name {
		case partner.DataRequestEvent:
			request = payload
		case "operation.created":
			operation = payload
		}
		if err := d.deliverToReceiver(ctx, payload); err != nil {
			return err
		}
	}
	d.head("2. The sample handler takes the same events; it is the one in examples/go.")
	for _, event := range catalogue.Events() {
		payload, err := d.life.Fresh(event)
		if err != nil {
			return err
		}
		if event.Name == partner.DataRequestEvent {
			payload = request
		}
		if err := d.deliverTo(ctx, d.handlerURL, payload, nil, http.StatusOK); err != nil {
			return err
		}
	}
	d.head("3. One of them asked for a user's data: the handler answers the Partner API, field by field.")
	if err := d.awaitReply(ctx); err != nil {
		return err
	}
	d.head("4. Somebody changes an amount on the way. Receiver and handler refuse.")
	forged := bytes.Replace(operation, []byte(`"send": 100.00`), []byte(`"send": 900.00`), 1)
	for _, target := range []endpoint.Target{d.receiverURL, d.handlerURL} {
		if err := d.deliverTo(ctx, target, operation, forged, http.StatusUnauthorized); err != nil {
			return err
		}
	}
	if d.failed == 0 {
		d.head("All went as told. Now yours, in two terminals:")
		d.say("    m2m listen\n    m2m send operation.created --to localhost\n")
		d.say("Or straight to your own handler, with M2M_WEBHOOK_SECRET=%s in its environment:\n", devSecret)
		d.say("    m2m send --all --to localhost:PORT/PATH")
	}
	return nil
}

// deliverToReceiver sends a payload and shows what the receiver made of it.
func (d *demo) deliverToReceiver(ctx context.Context, payload []byte) error {
	record, err := d.send(ctx, d.receiverURL, payload, nil)
	if err != nil {
		return err
	}
	select {
	case got := <-d.received:
		ok := got.Verdict.Valid() && status(record) == http.StatusOK
		d.step(got.Record.Event+" is valid", ok)
		if !d.app.JSON && !d.app.Quiet {
			d.out.Received(term.Incoming{Record: got.Record, Payload: got.Payload, Verdict: got.Verdict}, false, false)
		}
	case <-time.After(demoTimeout):
		d.step(record.Event+" is received", false)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// deliverTo sends a payload, or another one under its signature, and shows whether
// the answer was the expected one.
func (d *demo) deliverTo(ctx context.Context, target endpoint.Target, signed, forged []byte, want int) error {
	record, err := d.send(ctx, target, signed, forged)
	if err != nil {
		return err
	}
	ok := status(record) == want
	d.step(fmt.Sprintf("%s is answered %d", record.Event, want), ok)
	if !d.app.JSON && !d.app.Quiet {
		d.out.Sent(record, term.Expectation{Met: ok}, d.app.Verbose)
	}
	return nil
}

func (d *demo) send(ctx context.Context, target endpoint.Target, signed, forged []byte) (delivery.Record, error) {
	spec := deliver.Spec{Target: target, Key: d.key, UserAgent: userAgent()}
	request := spec.Request(signed, sign.FormatTimestamp(d.app.Now()))
	if forged != nil {
		request.Body = forged
	}
	return d.sender.Send(ctx, request, 1)
}

func (d *demo) awaitReply(ctx context.Context) error {
	select {
	case reply := <-d.replies:
		ok := reply.Status == http.StatusOK
		for _, field := range reply.Fields {
			ok = ok && field.Present
		}
		d.step("the data request is answered", ok)
		if !d.app.JSON && !d.app.Quiet {
			d.out.Reply(reply)
		}
	case <-time.After(demoTimeout):
		d.step("the data request is answered", false)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

func status(record delivery.Record) int {
	if record.Response == nil {
		return 0
	}
	return record.Response.Status
}

// step notes whether a step went as told.
func (d *demo) step(what string, ok bool) {
	if !ok {
		d.failed++
		d.app.tellError(errors.New("not as told: " + what))
	}
	if d.app.JSON {
		err := d.app.writeJSON(struct {
			Type string `json:"type"`
			What string `json:"what"`
			OK   bool   `json:"ok"`
		}{"step", what, ok})
		d.broken = cmp.Or(d.broken, err)
	}
}

func (d *demo) head(text string) {
	if !d.app.JSON && !d.app.Quiet {
		d.out.Line("\n%s\n", d.out.Bold(text))
	}
}

func (d *demo) say(format string, args ...any) {
	if !d.app.JSON && !d.app.Quiet {
		d.out.Line(format, args...)
	}
}
