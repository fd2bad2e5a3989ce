package cmd

import (
	"context"
	"errors"
	"fmt"
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
	flags.Var(listValue{&f.AllowHosts}, "allow-host", "let the API key of --answer go to `HOST`, too")
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

	mu sync.Mutex
	// work counts the data requests that were accepted and have no end yet; idle is
	// told when there is none.
	work int
	idle *sync.Cond
	// unseen counts those of them, by id, whose delivery is not done.
	unseen map[string]int
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
	a := &answerer{ctx: ctx, unseen: map[string]int{}, answered: map[string]bool{}, reply: replyOptions{
		app: &inside, Users: o.Answer.Users, AllowHosts: o.Answer.AllowHosts, APIKeyFile: o.Answer.APIKeyFile,
		// The key's way is checked whatever --insecure says of the handler's.
		Timeout: o.Connection.Timeout, CACert: o.Connection.CACert,
	}}
	a.idle = sync.NewCond(&a.mu)
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

// accepted notes that a data request will be answered, before its sender knows that
// it came: who then ends the run does not end it before the reply.
func (a *answerer) accepted(payload []byte) {
	if a == nil {
		return
	}
	request, err := partner.ParseDataRequest(payload)
	if err != nil {
		return // told when its delivery is done
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.work++
	a.unseen[request.DataRequestID]++
}

// delivery replies, while deliveries go on, to a data request that was accepted.
func (a *answerer) delivery(d listen.Delivery) {
	if a == nil || !d.Verdict.Valid() || d.Payload.Event != partner.DataRequestEvent {
		return
	}
	request, err := partner.ParseDataRequest(d.Record.Request.Body)
	if err != nil {
		a.tell(fmt.Errorf("answering a data request: %w", err))
		return
	}
	if a.claim(request.DataRequestID) {
		go func() {
			defer a.done()
			a.ended(request, a.reply.answer(a.ctx, request))
		}()
	}
}

// claim says whether a data request whose delivery is done is to be answered.
func (a *answerer) claim(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.unseen[id] == 0 {
		return false
	}
	if a.unseen[id]--; a.unseen[id] == 0 {
		delete(a.unseen, id)
	}
	if a.answered[id] {
		a.doneLocked()
		return false
	}
	a.answered[id] = true
	return true
}

func (a *answerer) done() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.doneLocked()
}

func (a *answerer) doneLocked() {
	if a.work--; a.work == 0 {
		a.idle.Broadcast()
	}
}

// ended tells how a reply ended. One that was not fulfilled is tried again when the
// data request comes again.
func (a *answerer) ended(request partner.DataRequest, err error) {
	if err == nil {
		return
	}
	a.mu.Lock()
	delete(a.answered, request.DataRequestID)
	a.mu.Unlock()
	var refused *exitError
	var missing *missingFieldsError
	switch {
	case errors.As(err, &refused) && refused.err == nil: // it was shown
	case errors.As(err, &missing):
		err = withHint(fmt.Errorf("answering %s: %w", request.DataRequestID, err),
			"add them to %s, which is read anew for each data request", a.reply.Users)
	default:
		err = fmt.Errorf("answering %s: %w", request.DataRequestID, err)
	}
	a.tell(err)
}

// tell tells an error, and keeps what it makes of the run.
func (a *answerer) tell(err error) {
	a.reply.app.tellError(err)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.worst == nil || worse(codeOf(a.worst), codeOf(err)) != codeOf(a.worst) {
		a.worst = result(codeOf(err)) // it has been told
	}
}

// wait returns when no reply is under way, with the worst end of all.
func (a *answerer) wait() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.work > 0 {
		a.idle.Wait()
	}
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
