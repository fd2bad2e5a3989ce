// Package load is what is known of a load: how many deliveries went out and what became
// of them, how long their answers took, and all of that over time.
//
// It counts and measures, in as much memory for a million deliveries as for a thousand.
// It sends nothing, reads no clock, and knows no secret.
package load

import "time"

// Result is what became of one delivery.
type Result struct {
	// Sent is when it went out.
	Sent time.Time
	// Latency is how long it took from then to the last byte of the answer, or until
	// it was known that there is none.
	Latency time.Duration
	// Status is the answer's; 0 without one.
	Status int
	// Cut says that the answer's body was longer than what was read of it.
	Cut bool
	// Failure is why there was no answer; nil when there was one, or when the delivery
	// was given up.
	Failure *Failure
	// GivenUp says that the load ended while the delivery was under way.
	GivenUp bool
}

// Bytes are the lengths of all bodies together, sent and answered.
type Bytes struct{ Out, In int64 }

// Failure is why a delivery got no answer.
type Failure struct {
	// Kind is that of a delivery record's error.
	Kind string
	// Message and Hint are for a person, and may quote what came from outside.
	Message, Hint string
}

// outcome is what a delivery counts as.
type outcome int

const (
	delivered  outcome = iota // answered as expected
	refused                   // answered otherwise
	unanswered                // not answered
	outcomes
)
