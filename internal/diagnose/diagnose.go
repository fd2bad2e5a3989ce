// Package diagnose finds out why a signature does not match: it varies the bytes,
// the secret, what was signed of the timestamp and the algorithm, alone and
// together, until one combination gives the signature that was received.
//
// A combination that gives the received MAC is the cause, and nothing else is ever
// named one: the package does not guess. It makes no verdict and prints nothing,
// and neither a secret nor a MAC that it computed leaves it.
package diagnose

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/leapfinancial/m2m/internal/sign"
)

// Cause names why a signature does not match. The values are part of the
// verification record.
type Cause string

// The causes: what is wrong with what was given, or with how the signer signed.
const (
	TrailingNewline     Cause = "trailing-newline"
	MissingNewline      Cause = "missing-newline"
	CRLF                Cause = "crlf"
	LF                  Cause = "lf"
	BOM                 Cause = "bom"
	ReserializedJSON    Cause = "reserialized-json"
	GzipBody            Cause = "gzip-body"
	URLEncodedBody      Cause = "urlencoded-body"
	SecretWhitespace    Cause = "secret-whitespace"
	SecretQuoted        Cause = "secret-quoted"
	SecretBase64        Cause = "secret-base64"
	SecretHex           Cause = "secret-hex"
	SecretPrefix        Cause = "secret-prefix"
	TimestampMillis     Cause = "timestamp-milliseconds"
	TimestampSeconds    Cause = "timestamp-seconds"
	TimestampFromBody   Cause = "timestamp-from-body"
	TimestampNotSigned  Cause = "timestamp-missing-from-signed-content"
	WrongSeparator      Cause = "wrong-separator"
	SignatureBase64     Cause = "signature-base64"
	SignatureUppercase  Cause = "signature-uppercase"
	SignatureUnprefixed Cause = "signature-without-prefix"
	WrongAlgorithm      Cause = "wrong-algorithm"
	PlainHash           Cause = "plain-hash"
	OtherSecret         Cause = "other-secret"
	OtherDelivery       Cause = "other-delivery"
	Unknown             Cause = "unknown"
)

// Finding is one thing that is wrong, and how to mend it. It holds nothing from
// outside but digits and the names of profiles and files.
type Finding struct {
	Cause   Cause
	Message string
	Fix     string
}

// Diagnosis says why a signature does not match.
type Diagnosis struct {
	// Findings are all that is wrong, together: taken away, the signature matches.
	// One of them when it is Unknown. None when there is nothing to explain: the
	// signature matches as it stands.
	Findings []Finding
	// Tried is how many combinations were tried.
	Tried int
	// Cost is how much work that was, in bytes hashed or written.
	Cost int
}

// Cause returns the first cause, empty without findings.
func (d Diagnosis) Cause() Cause {
	if len(d.Findings) == 0 {
		return ""
	}
	return d.Findings[0].Cause
}

// Message returns the findings' messages in one line.
func (d Diagnosis) Message() string { return d.join(func(f Finding) string { return f.Message }) }

// Fix returns the findings' fixes in one line.
func (d Diagnosis) Fix() string { return d.join(func(f Finding) string { return f.Fix }) }

func (d Diagnosis) join(text func(Finding) string) string {
	texts := make([]string, len(d.Findings))
	for i, finding := range d.Findings {
		texts[i] = text(finding)
	}
	return strings.Join(texts, "; ")
}

// Delivery is one whose signature does not match, or is malformed.
type Delivery struct {
	sign.Message
	// ContentLength is the length that the capture names for the body, in bytes;
	// negative where it names none.
	ContentLength int
}

// Other is a secret that was not given for this delivery, and what it is, for
// instance "the secret of profile staging".
type Other struct {
	Key  sign.Key
	Name string
}

// Effort is how far the search goes.
type Effort int

const (
	// Glance tries what can go wrong alone, but for other spellings of JSON.
	Glance Effort = iota + 1
	// Quick tries all that can go wrong alone.
	Quick
	// Thorough tries what goes wrong together, too.
	Thorough
)

// Diagnoser explains deliveries that were to be signed with one of some secrets. It
// is safe for concurrent use.
type Diagnoser struct {
	keys   []sign.Key
	others []Other
	// secrets is a function because fmt prints none of what a function holds.
	secrets func() []secretVariant
	ranks   ranksByEvent
}

// New returns a Diagnoser. Others are tried as well, and named. The samples are
// payloads as they are documented: of a body whose members were sorted since, they
// tell the order that was signed.
func New(keys []sign.Key, others []Other, samples ...[]byte) *Diagnoser {
	others = slices.DeleteFunc(slices.Clone(others), func(other Other) bool {
		return slices.ContainsFunc(keys, func(key sign.Key) bool { return key.Fingerprint() == other.Key.Fingerprint() })
	})
	ranks := ranksByEvent{}
	for _, sample := range samples {
		ranks[gjson.GetBytes(sample, "event").String()] = ranksOf(sample)
	}
	variants := secretVariants(keys, others)
	return &Diagnoser{keys: keys, others: others, secrets: func() []secretVariant { return variants }, ranks: ranks}
}

// Diagnose looks for the cause. The search is bounded, whatever the delivery is,
// and gives the same answer for the same delivery. A finding that is Unknown says
// what was tried.
func (d *Diagnoser) Diagnose(delivery Delivery, effort Effort) Diagnosis {
	received := receivedMACs(delivery.Signature)
	if len(received) == 0 {
		return Diagnosis{Findings: []Finding{noMAC(delivery.Signature)}}
	}
	bodies, spellings := bodyVariants(delivery.Body, d.ranks)
	s := search{
		bodies:   bodies,
		secrets:  d.secrets(),
		contents: contentVariants(delivery.Message),
		methods:  methodVariants(),
		received: received,
		budget:   budget{combinations: maxCombinations, bytes: maxBytes},
	}
	if effort != Glance {
		s.spellings = spellings
	}
	found, ok := s.run(effort)
	diagnosis := Diagnosis{Findings: found, Tried: s.tried, Cost: maxBytes - s.budget.bytes}
	if !ok {
		diagnosis.Findings = []Finding{d.unknown(s.tried, effort)}
	}
	if disagreement := lengths(delivery); disagreement != "" && len(diagnosis.Findings) > 0 {
		diagnosis.Findings[0].Message += disagreement
	}
	return diagnosis
}
