package listen

import (
	"sync"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/sign"
)

// judge judges deliveries by their signatures. A verifier costs more than what it is
// used for once, so those of earlier deliveries are used again.
type judge struct {
	tolerance time.Duration
	verifiers sync.Pool
}

func newJudge(keys []sign.Key, tolerance time.Duration) *judge {
	return &judge{tolerance: tolerance, verifiers: sync.Pool{New: func() any { return sign.NewVerifier(keys) }}}
}

// finding is what a delivery is worth.
type finding struct {
	verdict sign.Verdict
	// payload is what the body says of itself; payloadError is why it says nothing.
	payload      delivery.Payload
	payloadError error
	// event is the payload's, or the unsigned header's where that names none.
	event string
}

func (j *judge) delivery(request delivery.Request, now time.Time) finding {
	message := sign.Message{Body: request.Body}
	message.Signature, message.HasSignature = request.Headers.Get(delivery.SignatureHeader)
	message.Timestamp, message.HasTimestamp = request.Headers.Get(delivery.TimestampHeader)
	verifier, _ := j.verifiers.Get().(*sign.Verifier)
	defer j.verifiers.Put(verifier)
	found := finding{verdict: verifier.Verify(message, sign.Clock{Now: now, Tolerance: j.tolerance})}
	found.payload, found.payloadError = delivery.ReadPayload(request.Body)
	if found.event = found.payload.Event; found.event == "" {
		found.event, _ = request.Headers.Get(delivery.EventHeader)
	}
	return found
}

// acceptable says that the delivery is valid and a payload.
func (f finding) acceptable() bool { return f.verdict.Valid() && f.payloadError == nil }
