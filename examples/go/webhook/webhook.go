// Package webhook receives M2M's webhooks: an http.Handler made to be copied into
// a partner's own server and changed there.
//
// It takes a delivery only when it is signed with the partner's secret and not older
// than five minutes, records each event once however often it is delivered, and
// answers data requests with what is on file for the user. It refuses to look at
// anything in a body before the signature is checked, and to send the API key to
// anybody but M2M and, for trying it out, this machine. What it records is kept in
// memory only.
package webhook

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"sync"
	"time"
)

const (
	// Path is where the examples take deliveries.
	Path = "/webhooks/m2m"
	// MaxBody is the largest body that a Handler takes, in bytes.
	MaxBody = 1 << 20
	// Tolerance is how far the timestamp of a delivery may lie from the present,
	// in either direction.
	Tolerance = 5 * time.Minute
)

// Config is what a Handler needs to know. Only Secret has to be set.
type Config struct {
	// Secret is the webhook secret, byte for byte as the Partner Portal shows it.
	Secret string
	// APIKey is the key for the Partner API. Without it data requests are
	// acknowledged and recorded, but not answered.
	APIKey string
	// ReplyOrigin is one more place where a test key may go, such as
	// "http://host.docker.internal:4000", for local tools that are not on the
	// loopback address. No slash at its end.
	ReplyOrigin string
	// Users holds what is on file, by referenceId.
	Users map[string]User
	// Client sends the answers to data requests; nil means the default
	// transport. Whatever it says, redirects are not followed and an answer
	// takes ten seconds at most.
	Client *http.Client
	// Effects takes one line for each event that is recorded for the first time,
	// before the event is acknowledged; nil discards them.
	Effects io.Writer
	// Log takes one line for each effect, repeat and answer; nil discards them.
	Log io.Writer
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Handler takes M2M's deliveries, wherever it is mounted. It is safe for concurrent use.
type Handler struct {
	secret      []byte
	apiKey      string
	replyOrigin string
	client      http.Client
	log         *log.Logger
	now         func() time.Time
	users       map[string]User
	events      store
	background  sync.WaitGroup
}

// New returns a Handler, or an error when the secret is empty: anybody can sign with
// an empty key.
func New(cfg Config) (*Handler, error) {
	if cfg.Secret == "" {
		return nil, errors.New("no webhook secret: without it no delivery can be verified")
	}
	h := &Handler{
		secret:      []byte(cfg.Secret),
		apiKey:      cfg.APIKey,
		replyOrigin: cfg.ReplyOrigin,
		client:      replyClient(cfg.Client),
		log:         log.New(io.Discard, "", 0),
		now:         time.Now,
		users:       cfg.Users,
		events: store{
			recorded: make(map[key]bool), operations: make(map[string]string), effects: io.Discard,
		},
	}
	if cfg.Log != nil {
		h.log.SetOutput(cfg.Log)
	}
	if cfg.Effects != nil {
		h.events.effects = cfg.Effects
	}
	if cfg.Now != nil {
		h.now = cfg.Now
	}
	return h, nil
}

// Wait returns when the work that acknowledged deliveries left behind is done. Call it
// once no more deliveries can come, after http.Server.Shutdown for example.
func (h *Handler) Wait() {
	h.background.Wait()
}

// ServeHTTP answers a delivery: 200 when it was taken, 401 when it is not authentic or
// not fresh, 413 when it is larger than MaxBody, 400 when it is signed but no event, 405
// when it is not a POST, 500 when its effect could not be written.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		answer(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}

	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		answer(w, http.StatusRequestEntityTooLarge, "Payload Too Large")
		return
	case err != nil:
		answer(w, http.StatusBadRequest, "Bad Request")
		return
	}

	// One answer for whatever is wrong: more would help nobody but a forger.
	if !h.authentic(r.Header, body) {
		answer(w, http.StatusUnauthorized, "Invalid signature")
		return
	}

	// The type is read from the body: the X-M2M-Event header is not signed.
	var e event
	if err := json.Unmarshal(body, &e); err != nil || e.Type == "" {
		answer(w, http.StatusBadRequest, "Not an event")
		return
	}

	// What has been acknowledged will not be sent again: record first, acknowledge
	// then, and leave all that takes time for afterwards.
	isNew, err := h.record(e)
	if err != nil {
		h.log.Printf("%s not recorded: %v", e.Type, err)
		answer(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	answer(w, http.StatusOK, "OK")

	// The answer goes out when this function returns, and then the request's context
	// ends: the work needs a goroutine and a context of its own.
	if isNew && e.Type == dataRequested {
		h.background.Go(func() { h.answerDataRequest(e) })
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // a sender that has gone will send again
}
