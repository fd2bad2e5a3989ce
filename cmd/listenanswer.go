package cmd

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/listen"
	"github.com/leapfinancial/m2m/internal/partner"
)

// answerFlags are the flags of --answer.
type answerFlags struct {
	Users      string
	APIKeyFile string
	AllowHosts []string
}

func (f *answerFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.Users, "answer", "", "answer data requests with the userData of `USERS.json`, by referenceId")
	flags.StringVar(&f.APIKeyFile, "api-key-file", "", "read the API key for --answer from `FILE`")
	flags.StringArrayVar(&f.AllowHosts, "allow-host", nil, "let the API key of --answer go to `HOST`, too")
}

func (f *answerFlags) check() error {
	switch {
	case f.Users == "-":
		return errors.New("--answer reads a file, anew for each data request, and not standard input")
	case f.Users == "" && (f.APIKeyFile != "" || len(f.AllowHosts) > 0):
		return withHint(errors.New("--api-key-file and --allow-host belong to --answer"), "pass --answer USERS.json")
	}
	return nil
}

// answerer plays the partner: it replies to the data requests that come in. The nil
// answerer replies to none.
type answerer struct {
	ctx   context.Context
	reply replyOptions
	work  sync.WaitGroup

	mu sync.Mutex
	// answered holds the data requests that a retry would ask for again.
	answered map[string]bool
	worst    error
}

func (o *listenOptions) answerer(ctx context.Context, ring keyring, view *listenView) (*answerer, error) {
	if o.Answer.Users == "" {
		return nil, nil
	}
	if ring.dev {
		return nil, withHint(errors.New("--answer does not take the development secret: anybody could ask for the users' data"),
			"set M2M_WEBHOOK_SECRET or pass --secret-file")
	}
	// Replies are told among deliveries.
	outside := *o.app.env
	outside.Out, outside.Err = &lockedWriter{&view.mu, o.app.Out}, &lockedWriter{&view.mu, o.app.Err}
	inside := *o.app
	inside.env = &outside
	a := &answerer{ctx: ctx, answered: map[string]bool{}, reply: replyOptions{
		app: &inside, Users: o.Answer.Users, AllowHosts: o.Answer.AllowHosts, APIKeyFile: o.Answer.APIKeyFile,
		// The key's way is checked whatever --insecure says of the handler's.
		Timeout: o.Connection.Timeout, CACert: o.Connection.CACert,
	}}
	// What cannot be used is told before the first data request comes.
	if _, err := a.reply.users(); err != nil {
		return nil, err
	}
	key, _, err := o.app.apiKey(o.Answer.APIKeyFile)
	if err == nil && key.IsZero() {
		err = withHint(errors.New("no API key to answer data requests with"), "set M2M_API_KEY or pass --api-key-file")
	}
	return a, err
}

// delivery replies, while deliveries go on, to an authentic data request.
func (a *answerer) delivery(d listen.Delivery) {
	if a == nil || !d.Shown || !d.Verdict.Valid() || d.Payload.Event != partner.DataRequestEvent {
		return
	}
	request, err := partner.ParseDataRequest(d.Record.Request.Body)
	if err != nil {
		a.ended(request, err)
		return
	}
	a.mu.Lock()
	again := a.answered[request.DataRequestID]
	a.answered[request.DataRequestID] = true
	a.mu.Unlock()
	if again {
		return
	}
	a.work.Go(func() { a.ended(request, a.reply.answer(a.ctx, request)) })
}

// ended tells how a reply ended. One that was not fulfilled is tried again when the
// data request comes again.
func (a *answerer) ended(request partner.DataRequest, err error) {
	if err == nil {
		return
	}
	tellError(a.reply.app.Err, err)
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.answered, request.DataRequestID)
	if a.worst == nil || worse(codeOf(a.worst), codeOf(err)) != codeOf(a.worst) {
		a.worst = result(codeOf(err)) // it has been told
	}
}

// wait returns when every reply has ended, with the worst end.
func (a *answerer) wait() error {
	if a == nil {
		return nil
	}
	a.work.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.worst
}

// lockedWriter writes while it holds a lock.
type lockedWriter struct {
	mu  *sync.Mutex
	out io.Writer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}
