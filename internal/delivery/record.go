// Package delivery is the delivery record: one JSON object that holds one
// webhook delivery byte for byte, and the newline-delimited files made of them.
//
// It is the one type that every other package understands. It judges nothing,
// signs nothing and sends nothing, and it never changes a body: what was
// received is what is written, and what was written is what is read back.
package delivery

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// The headers of a delivery, as M2M documents and spells them. They are written
// in this spelling and read in any case.
const (
	EventHeader     = "X-M2M-Event"
	TimestampHeader = "X-M2M-Timestamp"
	SignatureHeader = "X-M2M-Signature"
)

// Record is one delivery: what was asked and, as far as they are known, what the
// signature was worth and what was answered. A zero member does not apply and is
// left out of the JSON.
type Record struct {
	// ID is a UUID that names this record, not the event: M2M's events have no
	// id of their own.
	ID string
	// Time is when the delivery was sent or received; written in UTC with
	// milliseconds.
	Time time.Time
	// Event is the event type, such as "link.opened"; empty when unknown.
	Event string
	// Request is what went over the wire.
	Request Request
	// Verification is what the receiver found; nil where nobody looked.
	Verification *Verification
	// Response is the answer; nil when there was none.
	Response *Response
	// Error says why there was no answer; nil when there was one.
	Error *Error
	// Attempt counts from 1; 0 on the receiving side, which cannot know it.
	Attempt int
	// Latency is the time from the first byte out to the last byte in on the
	// sending side, and from the request read to the answer ready on the
	// receiving one.
	Latency time.Duration
}

// Request is the HTTP request of a delivery.
type Request struct {
	Method string
	// URL is absolute where the record was made by this tool; a raw HTTP
	// capture may know no more than the path.
	URL string
	// Remote is the sender's address, "host:port", on the receiving side.
	Remote  string
	Headers Headers
	// Body holds the bytes as they were on the wire.
	Body []byte
}

// Response is the HTTP answer to a delivery.
type Response struct {
	Status int
	// StatusText is the server's own phrase; empty for the registered one. It is
	// shown and not recorded.
	StatusText string
	Headers    Headers
	Body       []byte
	// Truncated says that Body holds only the beginning of a longer answer.
	Truncated bool
}

// Phrase returns the server's own phrase for the status, or the registered one.
func (r Response) Phrase() string {
	if r.StatusText != "" {
		return r.StatusText
	}
	return http.StatusText(r.Status)
}

// Verification is a receiver's verdict over a delivery.
type Verification struct {
	Valid bool
	// Reason is one of the sign package's reasons when Valid is false.
	Reason string
	// SignedAt is the moment that the timestamp header names; zero when it is
	// absent, malformed or after the year 9999.
	SignedAt time.Time
	// AgeSeconds is how old the delivery was by its own timestamp; negative
	// when that lies in the future. Nil without a well-formed timestamp.
	AgeSeconds *float64
	// Secret is the fingerprint of the secret that matched.
	Secret string
	// Diagnosis says why the signature does not match; nil where nobody looked.
	Diagnosis *Diagnosis
}

// Diagnosis says why a signature does not match.
type Diagnosis struct {
	// Cause is one of the diagnose package's causes, the first where there are
	// several.
	Cause string `json:"cause"`
	// Causes lists all where several things went wrong together.
	Causes  []string `json:"causes,omitempty"`
	Message string   `json:"message"`
	Fix     string   `json:"fix"`
}

// Error says why a delivery got no answer. Kind is one of "refused", "dns", "tls",
// "timeout", "reset" and "protocol".
type Error struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	// Hint says how to mend it. It is shown and not recorded.
	Hint string `json:"-"`
}

// Header is one header line.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Headers are the header lines of a request or a response. Their order means
// nothing; a name may stand there more than once.
type Headers []Header

// HeadersOf returns the lines of net/http's headers, sorted by name, M2M's spelled as
// documented.
func HeadersOf(header http.Header) Headers {
	headers := make(Headers, 0, len(header))
	for name, values := range header {
		for _, value := range values {
			headers = append(headers, Header{Name: Canonical(name), Value: value})
		}
	}
	slices.SortStableFunc(headers, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	return headers
}

// Get returns the value of the named header, in whatever case it was written,
// and whether it was there at all. Values of a repeated header are joined by
// ", ", as RFC 9110, section 5.3, reads them: two signatures are then no
// well-formed signature, and nobody has to choose between them.
func (h Headers) Get(name string) (value string, ok bool) {
	for _, line := range h {
		if !strings.EqualFold(line.Name, name) {
			continue
		}
		if ok {
			value += ", " + line.Value
			continue
		}
		value, ok = line.Value, true
	}
	return value, ok
}

// Set replaces every header of that name by one, or adds it.
func (h *Headers) Set(name, value string) {
	h.Del(name)
	*h = append(*h, Header{Name: name, Value: value})
}

// Del removes every header of that name, in whatever case it was written.
func (h *Headers) Del(name string) {
	kept := (*h)[:0:0]
	for _, line := range *h {
		if !strings.EqualFold(line.Name, name) {
			kept = append(kept, line)
		}
	}
	*h = kept
}

// Canonical returns name in the documented spelling when it is one of M2M's
// headers in another case, and name itself otherwise.
func Canonical(name string) string {
	if name == "" || name[0]|0x20 != 'x' { // as nearly none has
		return name
	}
	for _, documented := range [...]string{EventHeader, TimestampHeader, SignatureHeader} {
		if strings.EqualFold(name, documented) {
			return documented
		}
	}
	return name
}
