// Package verify judges captured deliveries, one or a million: records in, what
// their signatures are worth out, and why where they do not match.
//
// It opens no files and knows no format but the record. A body is judged as it was
// captured and never trimmed, decoded or parsed before that.
package verify

import (
	"strconv"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/diagnose"
	"github.com/leapfinancial/m2m/internal/sign"
)

// Judge holds what deliveries are judged by. Safe for concurrent use.
type Judge struct {
	// Keys are the secrets that may have signed; during a rotation, the new and the
	// old one. At least one.
	Keys []sign.Key
	// Clock dates the deliveries. Its tolerance is zero where a capture may be old.
	Clock sign.Clock
	// Diagnoser says why a signature does not match; nil leaves that out.
	Diagnoser *diagnose.Diagnoser
	// Schema returns how a payload does not fit its event's schema; nil does not
	// look.
	Schema func(payload []byte) []SchemaError
}

// SchemaError is a place at which a payload does not fit its schema.
type SchemaError struct {
	// Path is dotted, as in data.amount.send.
	Path    string `json:"path"`
	Message string `json:"message"`
}

// Result is what was found about one captured delivery.
type Result struct {
	// Source says where the capture came from, "FILE:LINE".
	Source string
	// Payload is what the body says of itself; PayloadError is why it says nothing.
	Payload      delivery.Payload
	PayloadError error
	// Event is the payload's, or the unsigned header's where that names none.
	Event string
	// NamedEvent is the unsigned header's, empty without one.
	NamedEvent string
	Verdict    sign.Verdict
	// Received is the signature header's text; it comes from outside.
	Received string
	// Foreign says in words that the delivery is not M2M's at all; empty when it may
	// be. What it names comes from outside.
	Foreign string
	// Diagnosis says why the signature does not match; without findings where there
	// is nothing to explain.
	Diagnosis diagnose.Diagnosis
	// SchemaErrors is how the payload does not fit its schema, if that was looked
	// at. They are no part of the verdict.
	SchemaErrors []SchemaError
}

// Good says that there is nothing to complain of.
func (r Result) Good() bool { return r.Verdict.Valid() && len(r.SchemaErrors) == 0 }

// Record judges one delivery as thoroughly as it gets.
func (j Judge) Record(source string, record delivery.Record) Result {
	result := j.result(source, record.Request, sign.Verify(messageOf(record.Request), j.Keys, j.Clock))
	if j.Diagnoser != nil && Explicable(result.Verdict) {
		result.Diagnosis = j.Diagnoser.Diagnose(Broken(record.Request), diagnose.Thorough)
	}
	return result
}

func messageOf(request delivery.Request) sign.Message {
	message := sign.Message{Body: request.Body}
	message.Signature, message.HasSignature = request.Headers.Get(delivery.SignatureHeader)
	message.Timestamp, message.HasTimestamp = request.Headers.Get(delivery.TimestampHeader)
	return message
}

// result is what there is to say of a delivery beside its verdict and the diagnosis.
func (j Judge) result(source string, request delivery.Request, verdict sign.Verdict) Result {
	result := Result{Source: source, Verdict: verdict}
	result.Received, _ = request.Headers.Get(delivery.SignatureHeader)
	// A body that is no payload is judged all the same.
	result.Payload, result.PayloadError = delivery.ReadPayload(request.Body)
	result.NamedEvent, _ = request.Headers.Get(delivery.EventHeader)
	if result.Event = result.Payload.Event; result.Event == "" {
		result.Event = result.NamedEvent
	}
	if verdict.Reason == sign.MissingSignature {
		result.Foreign = foreign(request.Headers)
	}
	if j.Schema != nil {
		result.SchemaErrors = j.Schema(request.Body)
	}
	return result
}

// Explicable says whether a diagnosis can say more than the verdict's reason.
func Explicable(verdict sign.Verdict) bool {
	switch verdict.Reason {
	case sign.SignatureMismatch, sign.MalformedSignature, sign.MalformedTimestamp:
		return true
	}
	return false
}

// Broken returns a delivery as the diagnosis takes it.
func Broken(request delivery.Request) diagnose.Delivery {
	broken := diagnose.Delivery{Message: messageOf(request), ContentLength: -1}
	if text, ok := request.Headers.Get("Content-Length"); ok {
		if length, err := strconv.ParseUint(text, 10, 31); err == nil {
			broken.ContentLength = int(length)
		}
	}
	return broken
}
