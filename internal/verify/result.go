package verify

import (
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/diagnose"
)

// wireResult spells a result's JSON.
type wireResult struct {
	Type         string              `json:"type"`
	Source       string              `json:"source"`
	Event        string              `json:"event,omitempty"`
	ID           string              `json:"id,omitempty"`
	Valid        bool                `json:"valid"`
	Reason       string              `json:"reason,omitempty"`
	Message      string              `json:"message,omitempty"`
	Freshness    string              `json:"freshness,omitempty"`
	SignedAt     string              `json:"signedAt,omitempty"`
	AgeSeconds   *float64            `json:"ageSeconds,omitempty"`
	Secret       string              `json:"secret,omitempty"`
	Received     string              `json:"received,omitempty"`
	Computed     string              `json:"computed,omitempty"`
	Diagnosis    *delivery.Diagnosis `json:"diagnosis,omitempty"`
	SchemaErrors []SchemaError       `json:"schemaErrors,omitempty"`
}

// Line returns the result as one line of JSON, a record of type "verification".
// The computed signature in it is cut short.
func (r Result) Line() ([]byte, error) {
	wire := wireResult{
		Type:         "verification",
		Source:       r.Source,
		Event:        r.Event,
		ID:           r.Payload.ID,
		Valid:        r.Verdict.Valid(),
		Reason:       string(r.Verdict.Reason),
		Freshness:    string(r.Verdict.Freshness),
		Computed:     r.Verdict.Computed,
		Diagnosis:    Recorded(r.Diagnosis),
		SchemaErrors: r.SchemaErrors,
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
		wire.Message = r.Text()
	}
	return delivery.EncodeLine(wire)
}

// Text says in words what the delivery is worth. It may hold what comes from outside.
func (r Result) Text() string {
	if r.Foreign != "" {
		return r.Verdict.Reason.Text() + "; " + r.Foreign
	}
	return r.Verdict.Reason.Text()
}

// Recorded returns a diagnosis as records spell it, and nil for one that says
// nothing.
func Recorded(d diagnose.Diagnosis) *delivery.Diagnosis {
	if len(d.Findings) == 0 {
		return nil
	}
	recorded := &delivery.Diagnosis{Cause: string(d.Cause()), Message: d.Message(), Fix: d.Fix()}
	if len(d.Findings) > 1 {
		for _, finding := range d.Findings {
			recorded.Causes = append(recorded.Causes, string(finding.Cause))
		}
	}
	return recorded
}
