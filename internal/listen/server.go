// Package listen is the receiver of webhooks: it reads a delivery once, judges its
// signature, has it recorded, and only then answers.
//
// It never answers with more than whether a delivery was taken: why a signature does
// not match is for the person at the terminal, not for whoever sent it. It prints
// nothing and opens no file.
package listen

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/partner"
	"github.com/leapfinancial/m2m/internal/sign"
)

// Options are what a receiver does with deliveries.
type Options struct {
	// Keys are the secrets that may have signed. At least one.
	Keys []sign.Key
	// Tolerance is how far a timestamp may lie from the present; 0 takes any.
	Tolerance time.Duration
	// MaxBody is the largest accepted request body, in bytes.
	MaxBody int64
	// AcceptAll answers 200 whatever the verdict.
	AcceptAll bool
	// Rehearsal is what goes wrong on purpose.
	Rehearsal Rehearsal
	// Forward passes a delivery that is accepted on to the handler, whose answer is
	// then the sender's; nil answers here. Deliveries that come over one connection
	// are passed on one after the other, in the order in which they came. What the
	// answer holds beyond what is to be on record is read from rest, which is then
	// closed; it may be nil.
	Forward func(context.Context, delivery.Request) (response *delivery.Response, rest io.ReadCloser, failure *delivery.Error)
	// LoopbackHostOnly refuses a request whose Host is not loopback, so that no web
	// page can reach a receiver whose secret everybody knows. A PUT is always
	// refused then.
	LoopbackHostOnly bool
	// Scheme is "http" or "https", for the URLs in the records.
	Scheme string
	// Only holds the events that are saved and handed on; empty means all. The
	// others are judged, answered and counted.
	Only []string

	// Deadlines bound how long a sender may take; a zero one is the usual one.
	Deadlines Deadlines

	Now   func() time.Time
	NewID func() string
	// PartnerAPI answers a PUT to a data request; nil refuses it like any other
	// method.
	PartnerAPI http.Handler
	// Save puts a record's line on file before the answer goes out; nil saves none.
	// Its error makes the answer a 500, so that the sender tries again.
	Save func(line []byte) error
	// Lines has Done given each record's line, too, made while other deliveries are
	// received.
	Lines bool
	// Accepted is called with the payload of each valid data request before it is
	// answered; nil is no one.
	Accepted func(payload []byte)
	// Refused is called with each request that is answered 405 or 413; nil is no one.
	Refused func(method, path string, status int)
	// Misdirected is called with the Host of a request that is refused for it; nil is
	// no one.
	Misdirected func(host string)
	// BrokenOff is called with why the rest of a handler's answer did not come, which is
	// not on record; nil is no one.
	BrokenOff func(error)
	// Done is called with each delivery after its answer has gone out, but for what a
	// record does not hold, one at a time; it may block, and holds up only the senders then.
	Done func(Delivery)
}

// Delivery is one delivery as the receiver saw it.
type Delivery struct {
	Record delivery.Record
	// Payload is what the body says of itself.
	Payload delivery.Payload
	Verdict sign.Verdict
	// Shown is false for an event that Options.Only leaves out.
	Shown bool
	// Forwarded says that the answer, or the lack of one, is the handler's.
	Forwarded bool
	// Line is the record's, where it is on file or Options.Lines asks for it; nil where
	// it could not be made. Its memory is used again when Done has returned.
	Line []byte
	// SaveError is why the record is not on file.
	SaveError error
}

// Server is an http.Handler that receives deliveries on every path.
type Server struct {
	options Options
	judge   *judge
	told    *teller
	// telling are those that tell beside their senders.
	telling sync.WaitGroup
	lines   lines
	// taken is the usual answer, which nobody changes.
	taken *delivery.Response
	// accepted counts the deliveries that were, or but for the rehearsal would have
	// been, accepted.
	accepted atomic.Int64
	queues   queues
	// large holds a place for each large body that may be in memory.
	large    chan struct{}
	arriving *arriving
	// whole is read-locked by whoever has a whole delivery in hand, so that the end
	// can wait for it; ended says that it came too late.
	whole sync.RWMutex
	ended bool
}

// NewServer returns a receiver.
func NewServer(options Options) *Server {
	s := &Server{
		options:  options,
		judge:    newJudge(options.Keys, options.Tolerance),
		taken:    plain(http.StatusOK, "OK"),
		large:    make(chan struct{}, largePlaces(options.MaxBody)),
		arriving: newArriving(),
	}
	s.told = newTeller(func(d Delivery) {
		options.Done(d)
		s.lines.free(d.Line)
	})
	return s
}

// ServeHTTP takes one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrival := s.arriving.begin(w, r)
	defer arrival.left()
	if (s.options.LoopbackHostOnly || r.Method == http.MethodPut) && !endpoint.IsLoopbackHostPort(r.Host) {
		if s.options.Misdirected != nil {
			s.options.Misdirected(r.Host)
		}
		refuse(w, http.StatusMisdirectedRequest, "Misdirected Request")
		return
	}
	if _, isReply := partner.ReplyID(r.URL); isReply && r.Method == partner.Method && s.options.PartnerAPI != nil {
		r = r.WithContext(r.Context()) // a copy: net/http looks at its own body later
		r.Body = arrivingBody{r.Body, arrival}
		s.options.PartnerAPI.ServeHTTP(w, r)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		s.refuse(w, r, http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	if s.options.Forward != nil {
		defer s.queues.wait(r.RemoteAddr)()
	}
	body, release, err := s.readBody(w, r)
	defer release()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		s.refuse(w, r, http.StatusRequestEntityTooLarge, "Payload Too Large")
	case err != nil && s.arriving.over():
		panic(http.ErrAbortHandler) // its connection is closed without a word
	case err != nil:
		// The sender went away or sent rubbish in place of a body: nobody is
		// left to be told more.
		refuse(w, http.StatusBadRequest, "Bad Request")
	default:
		arrival.arrived()
		s.whole.RLock()
		defer s.whole.RUnlock()
		if s.ended {
			panic(http.ErrAbortHandler) // nothing was acknowledged
		}
		s.receive(w, r, body)
	}
}

func (s *Server) receive(w http.ResponseWriter, r *http.Request, body []byte) {
	read := s.options.Now()
	request := s.request(r, body)
	got := Delivery{Record: delivery.Record{ID: s.options.NewID(), Time: read, Request: withoutKey(request)}}
	found := s.judge.delivery(request, read)
	got.Payload, got.Verdict = found.payload, found.verdict
	got.Record.Event = found.event
	got.Record.Verification = verification(found.verdict)
	got.Shown = len(s.options.Only) == 0 || slices.Contains(s.options.Only, got.Record.Event)
	// Before the handler sees it: it may reply to a data request before it answers.
	if s.options.Accepted != nil && found.acceptable() && found.payload.Event == partner.DataRequestEvent {
		s.options.Accepted(body)
	}
	s.options.Rehearsal.wait(r.Context())
	rest := s.respond(r.Context(), &got, found, request)
	if rest != nil {
		defer rest.Close()
	}
	got.Record.Latency = s.options.Now().Sub(read)
	if s.options.Save != nil && got.Shown {
		if got.Line, got.SaveError = s.save(got.Record); got.SaveError != nil {
			got.Record.Response, rest = plain(http.StatusInternalServerError, "Internal Server Error"), nil
		}
	}
	var relayed *relaying
	var err error
	if rest == nil {
		write(w, got.Record.Response)
	} else if relayed, err = s.relay(w, got.Record.Response); err != nil {
		rest = nil // the sender is gone; its delivery is on record
	}
	if s.options.Lines && got.Line == nil && got.Shown {
		got.Line, _ = s.lines.of(got.Record)
	}
	if rest == nil {
		s.told.tell(got)
		return
	}
	// Who tells may have to tell of others, too, and the rest is not to wait for that.
	// Nor is the record to be held for as long as the rest takes.
	s.telling.Go(func() { s.told.tell(got) })
	s.relayRest(relayed, rest)
}

func (s *Server) save(record delivery.Record) (line []byte, err error) {
	line, err = s.lines.of(record)
	if err == nil {
		err = s.options.Save(line)
	}
	if err != nil {
		return nil, err
	}
	return line, nil
}

// respond finds out what the sender is told, the rest of a handler's answer included.
func (s *Server) respond(ctx context.Context, got *Delivery, found finding, request delivery.Request) (rest io.ReadCloser) {
	switch {
	case s.options.AcceptAll:
	case !found.verdict.Valid():
		got.Record.Response = plain(http.StatusUnauthorized, "Invalid signature")
		return nil
	case found.payloadError != nil:
		got.Record.Response = plain(http.StatusBadRequest, "Bad Request")
		return nil
	}
	number := s.accepted.Add(1)
	status := s.options.Rehearsal.status(number)
	switch {
	case status != 0:
		got.Record.Response = plain(status, http.StatusText(status))
	case s.options.Forward != nil && got.Shown:
		return s.forward(ctx, got, request)
	default:
		got.Record.Response = s.taken
	}
	return nil
}

func (s *Server) request(r *http.Request, body []byte) delivery.Request {
	url := r.RequestURI
	if !r.URL.IsAbs() {
		url = s.options.Scheme + "://" + r.Host + r.RequestURI
	}
	return delivery.Request{Method: r.Method, URL: url, Remote: r.RemoteAddr, Headers: delivery.HeadersOf(r.Header), Body: body}
}

// withoutKey puts the fingerprint in the place of an API key, which has no business in
// a delivery and must not get into a record.
func withoutKey(request delivery.Request) delivery.Request {
	isKey := func(header delivery.Header) bool { return strings.EqualFold(header.Name, partner.KeyHeader) }
	if !slices.ContainsFunc(request.Headers, isKey) {
		return request
	}
	request.Headers = slices.Clone(request.Headers)
	for i, header := range request.Headers {
		if isKey(header) {
			request.Headers[i].Value = sign.Fingerprint([]byte(header.Value))
		}
	}
	return request
}

func verification(verdict sign.Verdict) *delivery.Verification {
	v := &delivery.Verification{
		Valid:    verdict.Valid(),
		Reason:   string(verdict.Reason),
		SignedAt: verdict.SignedAt(),
	}
	if verdict.HasAge {
		age := delivery.Round(verdict.Age, 3)
		v.AgeSeconds = &age
	}
	if verdict.Authentic() {
		v.Secret = verdict.Key.Fingerprint()
	}
	return v
}
