// Package verify judges captured deliveries: a record in, what its signature is
// worth out.
//
// It reads no files and knows no format but the record. A body is judged as it was
// captured and never trimmed, decoded or parsed before that.
package verify

import (
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/sign"
)

// Judge holds what deliveries are judged by. Safe for concurrent use.
type Judge struct {
	// Keys are the secrets that may have signed; during a rotation, the new and the
	// old one. At least one.
	Keys []sign.Key
	// Clock dates the deliveries. Its tolerance is zero where a capture may be old.
	Clock sign.Clock
}

// Result is the verdict over one captured delivery.
type Result struct {
	// Source says where the capture came from, "FILE:LINE".
	Source string
	// Payload is what the body says of itself; PayloadError is why it says nothing.
	Payload      delivery.Payload
	PayloadError error
	// Event is the payload's, or the unsigned header's where that names none.
	Event   string
	Verdict sign.Verdict
	// Received is the signature header's text; it comes from outside.
	Received string
}

// Record judges one delivery.
func (j Judge) Record(source string, record delivery.Record) Result {
	request := record.Request
	message := sign.Message{Body: request.Body}
	message.Signature, message.HasSignature = request.Headers.Get(delivery.SignatureHeader)
	message.Timestamp, message.HasTimestamp = request.Headers.Get(delivery.TimestampHeader)
	result := Result{
		Source:   source,
		Verdict:  sign.Verify(message, j.Keys, j.Clock),
		Received: message.Signature,
	}
	// A body that is no payload is judged all the same.
	result.Payload, result.PayloadError = delivery.ReadPayload(request.Body)
	if result.Event = result.Payload.Event; result.Event == "" {
		result.Event, _ = request.Headers.Get(delivery.EventHeader)
	}
	return result
}

// wireResult spells a result's JSON.
type wireResult struct {
	Type       string   `json:"type"`
	Source     string   `json:"source"`
	Event      string   `json:"event,omitempty"`
	ID         string   `json:"id,omitempty"`
	Valid      bool     `json:"valid"`
	Reason     string   `json:"reason,omitempty"`
	Freshness  string   `json:"freshness,omitempty"`
	SignedAt   string   `json:"signedAt,omitempty"`
	AgeSeconds *float64 `json:"ageSeconds,omitempty"`
	Secret     string   `json:"secret,omitempty"`
	Received   string   `json:"received,omitempty"`
	Computed   string   `json:"computed,omitempty"`
}

// Line returns the result as one line of JSON, a record of type "verification".
// The computed signature in it is cut short.
func (r Result) Line() ([]byte, error) {
	wire := wireResult{
		Type:      "verification",
		Source:    r.Source,
		Event:     r.Event,
		ID:        r.Payload.ID,
		Valid:     r.Verdict.Valid(),
		Reason:    string(r.Verdict.Reason),
		Freshness: string(r.Verdict.Freshness),
		Computed:  r.Verdict.Computed,
	}
	if signedAt := r.Verdict.SignedAt(); !signedAt.IsZero() {
		wire.SignedAt = signedAt.Format(time.RFC3339)
	}
	if r.Verdict.HasAge {
		age := delivery.Round(r.Verdict.Age, 3)
		wire.AgeSeconds = &age
	}
	if r.Verdict.Authentic() {
		wire.Secret = r.Verdict.Key.Fingerprint()
	}
	if !r.Verdict.Valid() {
		wire.Received = r.Received
	}
	return delivery.EncodeLine(wire)
}
