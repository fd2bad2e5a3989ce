// Package deliver sends webhooks as M2M does: it makes the signed request of a
// payload, posts it, and returns what happened as a delivery record.
//
// It never changes a payload, follows no redirect, and tells a failure to deliver
// in the record: an error of Go's means that the user interrupted it.
package deliver

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/sign"
)

// Spec is what all deliveries of a run have in common.
type Spec struct {
	Target endpoint.Target
	// Key signs; it must not be the zero Key.
	Key       sign.Key
	UserAgent string
	// Edits are the user's own headers.
	Edits []HeaderEdit
	// Fault is what is wrong on purpose, applied last; the zero Fault is nothing.
	Fault Fault
}

// Request returns the request that delivers the payload, byte for byte, signed as
// of the given timestamp header text. Its event header, as documented, holds the
// event that the payload names; a payload that names none goes without.
func (s Spec) Request(payload []byte, timestamp string) delivery.Request {
	signed, timestamp, key := s.Fault.beforeSigning(payload, timestamp, s.Key)
	headers := delivery.Headers{
		{Name: "Content-Type", Value: "application/json"},
		{Name: "User-Agent", Value: s.UserAgent},
	}
	for _, body := range [][]byte{payload, signed} {
		if names, err := delivery.ReadPayload(body); err == nil && names.Event != "" && isHeaderValue(names.Event) {
			headers.Set(delivery.EventHeader, names.Event)
		}
	}
	headers.Set(delivery.TimestampHeader, timestamp)
	headers.Set(delivery.SignatureHeader, key.Sign(timestamp, signed))
	request := delivery.Request{
		Method:  http.MethodPost,
		URL:     s.Target.String(),
		Headers: applyEdits(headers, s.Edits),
		Body:    signed,
	}
	s.Fault.afterSigning(&request)
	return request
}

// HeaderEdit is a header that the user gave on the command line.
type HeaderEdit struct {
	Name, Value string
	// Remove says that nothing stood after the colon: the header is left out, as
	// curl does it.
	Remove bool
}

// ParseHeader reads "Name: value", split at the first colon. Nothing after the
// colon removes the header.
func ParseHeader(text string) (HeaderEdit, error) {
	name, value, found := strings.Cut(text, ":")
	value = strings.Trim(value, " \t")
	switch {
	case !found:
		return HeaderEdit{}, fmt.Errorf("header %q has no colon", text)
	case !isToken(name):
		return HeaderEdit{}, fmt.Errorf("header %q: %q is not a header name", text, name)
	case !isHeaderValue(value):
		return HeaderEdit{}, fmt.Errorf("header %q has control characters in its value", text)
	case strings.EqualFold(name, "Host") && !isHost(value):
		return HeaderEdit{}, fmt.Errorf("header %q: %q is not a host that can be sent as it is", text, value)
	case isFraming(name):
		return HeaderEdit{}, fmt.Errorf("header %q: %s follows from the body and cannot be chosen", text, name)
	}
	return HeaderEdit{Name: name, Value: value, Remove: value == ""}, nil
}

// applyEdits replaces the headers that the edits name. A name that the edits give
// twice is sent twice.
func applyEdits(headers delivery.Headers, edits []HeaderEdit) delivery.Headers {
	for _, edit := range edits {
		headers.Del(edit.Name)
	}
	for _, edit := range edits {
		if !edit.Remove {
			headers = append(headers, delivery.Header{Name: delivery.Canonical(edit.Name), Value: edit.Value})
		}
	}
	return headers
}

// isToken says whether name is a token of RFC 9110, section 5.6.2.
func isToken(name string) bool {
	const marks = "!#$%&'*+-.^_`|~"
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		alphanumeric := r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		return !alphanumeric && !strings.ContainsRune(marks, r)
	})
}

func isHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// isHost says whether a value is made of what hosts and ports are: of other values of a
// Host header, net/http sends a part, or another spelling.
func isHost(value string) bool {
	const marks = "-.:[]_"
	return !strings.ContainsFunc(value, func(r rune) bool {
		alphanumeric := r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		return !alphanumeric && !strings.ContainsRune(marks, r)
	})
}

func isFraming(name string) bool {
	return strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding")
}
