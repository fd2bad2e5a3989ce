package partner

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

// MaxReply is the largest body that the mock takes, in bytes. A reply may hold
// images, as base64.
const MaxReply = 8 << 20

// maxRemembered bounds how many data requests the mock knows, the newest ones.
const maxRemembered = 10_000

// MockOptions is what a Mock needs from outside.
type MockOptions struct {
	// Now is required.
	Now func() time.Time
	// OnReply is told of each PUT to a data request, whatever was answered. It runs
	// before the answer goes out, one call at a time. It may be nil.
	OnReply func(Received)
}

// Mock stands in for the Partner API: it takes the answers to the data requests
// that it was told of. It accepts any API key. Safe for concurrent use.
type Mock struct {
	now     func() time.Time
	onReply func(Received)
	telling sync.Mutex

	mu    sync.Mutex
	known map[string]*pending
	order []string // the ids of known, oldest first
}

type pending struct {
	request  DataRequest
	since    time.Time
	answered bool
}

// NewMock returns a Mock that knows of no data request.
func NewMock(options MockOptions) *Mock {
	return &Mock{now: options.Now, onReply: options.OnReply, known: map[string]*pending{}}
}

// Remember lets the data request in that payload be answered once. The payload has
// to be verified already. Errors are those of ParseDataRequest. A request that is
// delivered again replaces the earlier one, unless that was answered.
func (m *Mock) Remember(payload []byte) error {
	request, err := ParseDataRequest(payload)
	if err != nil {
		return err
	}
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	id := request.DataRequestID
	if earlier := m.known[id]; earlier == nil {
		m.order = append(m.order, id)
	} else if earlier.answered {
		return nil
	}
	m.known[id] = &pending{request: request, since: now}
	if len(m.order) > maxRemembered {
		delete(m.known, m.order[0])
		m.order = m.order[1:]
	}
	return nil
}

// ReplyID returns the id in the path of a reply, and whether u is one.
func ReplyID(u *url.URL) (id string, ok bool) {
	escaped, found := strings.CutPrefix(u.EscapedPath(), endpoint.ReplyPath(""))
	if !found {
		return "", false
	}
	id, err := url.PathUnescape(escaped)
	return id, err == nil && CheckID(id) == nil
}

// ServeHTTP answers PUT /partner/data-requests/{id}, and always in JSON.
func (m *Mock) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, ok := ReplyID(r.URL)
	switch {
	case !ok:
		refusal(http.StatusNotFound, ResourceNotFound, "there is nothing at this path").write(w)
		return
	case r.Method != Method:
		w.Header().Set("Allow", Method)
		refusal(http.StatusMethodNotAllowed, InvalidRequest, "a data request is answered with PUT").write(w)
		return
	}
	received := Received{At: m.now(), DataRequestID: id, Key: "none", KeyKind: "none"}
	a := m.answer(w, r, &received)
	received.Status, received.Code, received.Message = a.status, a.code, a.message
	if m.onReply != nil {
		m.tell(received)
	}
	a.write(w)
}

func (m *Mock) tell(received Received) {
	m.telling.Lock()
	defer m.telling.Unlock()
	m.onReply(received)
}

// answer judges a reply. The body is read last, so that who cannot be answered
// well does not fill the memory.
func (m *Mock) answer(w http.ResponseWriter, r *http.Request, received *Received) reply {
	if key := r.Header.Get(KeyHeader); key != "" {
		received.setKey(key)
	} else {
		return refusal(http.StatusUnauthorized, Unauthorized, "there is no X-API-Key header")
	}
	request, refused := m.lookup(received, false)
	if refused != nil {
		return *refused
	}
	if r.ContentLength > MaxReply {
		return refusal(http.StatusBadRequest, InvalidRequest, tooLarge())
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxReply))
	if err != nil {
		var limit *http.MaxBytesError
		if errors.As(err, &limit) {
			return refusal(http.StatusBadRequest, InvalidRequest, tooLarge())
		}
		return refusal(http.StatusBadRequest, InvalidRequest, "the body broke off")
	}
	referenceID, userData, err := parseReply(body)
	if err != nil {
		return refusal(http.StatusBadRequest, InvalidRequest, err.Error())
	}
	received.read(referenceID, userData, request.RequiredFields, r.Header.Get("Content-Type"))
	if referenceID != request.ReferenceID {
		return refusal(http.StatusBadRequest, ReferenceIDMismatch, "referenceId is not that of the data request")
	}
	// Another answer may have come while this one was read.
	if _, refused := m.lookup(received, true); refused != nil {
		return *refused
	}
	return fulfilled(request, received.At)
}

// lookup returns the data request that a reply is for, or what to answer when it
// takes no reply any more. With claim, this reply is the one that it takes.
func (m *Mock) lookup(received *Received, claim bool) (DataRequest, *reply) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var refused reply
	p := m.known[received.DataRequestID]
	if p != nil {
		received.After = received.At.Sub(p.since)
	}
	switch {
	case p == nil:
		refused = refusal(http.StatusNotFound, ResourceNotFound, "no data request of this id was delivered")
	case p.answered:
		refused = refusal(http.StatusConflict, InvalidRequest, "this data request was answered already")
	case p.request.Expired(received.At):
		refused = refusal(http.StatusGone, LinkExpired, "the data request expired at "+p.request.ExpiresAt.UTC().Format(timeForm))
	default:
		p.answered = claim
		return p.request, nil
	}
	return DataRequest{}, &refused
}

func tooLarge() string { return fmt.Sprintf("the body is over %d MiB", MaxReply>>20) }
