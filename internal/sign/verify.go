package sign

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"
)

// Reason says why a delivery is not valid; the empty Reason says that it is. The
// values are part of the delivery record.
type Reason string

// The reasons, in the order in which they are looked for: the first that holds is
// the verdict's.
const (
	MissingSignature   Reason = "missing_signature"
	MalformedSignature Reason = "malformed_signature"
	MissingTimestamp   Reason = "missing_timestamp"
	MalformedTimestamp Reason = "malformed_timestamp"
	SignatureMismatch  Reason = "signature_mismatch"
	TooOld             Reason = "too_old"
	InFuture           Reason = "in_future"
)

// Text returns the reason as a person reads it.
func (r Reason) Text() string {
	switch r {
	case "":
		return "valid"
	case MissingSignature:
		return "there is no X-M2M-Signature header"
	case MalformedSignature:
		return "the signature is malformed: it has to be sha256= and 64 lowercase hex digits"
	case MissingTimestamp:
		return "there is no X-M2M-Timestamp header"
	case MalformedTimestamp:
		return "the timestamp is malformed: it has to be Unix seconds, digits alone"
	case SignatureMismatch:
		return "signature does not match"
	case TooOld:
		return "the signature matches, but it is too old"
	case InFuture:
		return "the signature matches, but its timestamp is in the future"
	}
	return string(r)
}

// text is what a header's text may be kept in.
type text interface{ string | []byte }

// MessageOf is a delivery as far as its signature is concerned.
type MessageOf[T text] struct {
	// Signature and Timestamp are the literal texts of the two headers. They
	// count only when HasSignature and HasTimestamp say that the header was there.
	Signature, Timestamp       T
	HasSignature, HasTimestamp bool
	// Body holds the raw bytes, as they were on the wire.
	Body []byte
}

// Message is a delivery whose headers are strings.
type Message = MessageOf[string]

// RawMessage is a delivery whose headers lie in a buffer that is used again. A
// verdict keeps nothing of it.
type RawMessage = MessageOf[[]byte]

// Clock is what freshness is judged by.
type Clock struct {
	// Now is the present.
	Now time.Time
	// Tolerance is how far the timestamp may lie from Now, to either side and
	// inclusive. Zero turns the judgement off.
	Tolerance time.Duration
}

// Verdict is what Verify found. The signature and its freshness are judged apart
// and both are told.
type Verdict struct {
	// Reason is why the delivery is not valid, or empty: then the signature
	// matches and, where a tolerance was given, it is fresh.
	Reason Reason
	// Freshness is TooOld or InFuture when the timestamp is, whatever the
	// signature is worth; empty when it is fresh or freshness was not judged.
	Freshness Reason
	// HasAge says that the timestamp is well formed, so that Seconds and Age count.
	HasAge bool
	// Seconds is the timestamp, in Unix seconds.
	Seconds int64
	// Age is how many seconds old the delivery is by its timestamp; negative in
	// the future.
	Age float64
	// Key is the key under which the signature matches; the zero Key without one.
	Key Key
	// Computed is the beginning of the signature that the first key gives for
	// this message, then "…", to set beside one that is malformed or does not
	// match. Empty otherwise, and without a timestamp header.
	Computed string
}

// Valid says whether the delivery is authentic and, if that was judged, fresh.
func (v Verdict) Valid() bool { return v.Reason == "" }

// Authentic says whether the signature matches under one of the keys.
func (v Verdict) Authentic() bool { return len(v.Key.bytes()) > 0 }

// SignedAt returns the moment that the timestamp names, in UTC, or the zero time
// where there is none or it is after the year 9999, which no format here can write.
func (v Verdict) SignedAt() time.Time {
	const lastSecond = 253402300799
	if !v.HasAge || v.Seconds > lastSecond {
		return time.Time{}
	}
	return time.Unix(v.Seconds, 0).UTC()
}

// Verify judges a message under any of several keys, as during a rotation. Keys
// of no bytes never match. It takes the same time wherever two signatures differ.
// Who has many messages uses a Verifier.
func Verify(m Message, keys []Key, clock Clock) Verdict {
	return NewVerifier(keys).Verify(m, clock)
}

func freshness(age float64, tolerance time.Duration) Reason {
	switch limit := tolerance.Seconds(); {
	case tolerance == 0:
		return ""
	case age > limit:
		return TooOld
	case age < -limit:
		return InFuture
	}
	return ""
}

// ParseTimestamp returns the Unix seconds that a timestamp header's text names,
// and whether it is well formed: ASCII digits alone, leading zeros allowed, less
// than 2^63.
func ParseTimestamp(text string) (seconds int64, ok bool) { return parseTimestamp(text) }

func parseTimestamp[T text](text T) (seconds int64, ok bool) {
	for i := range len(text) {
		digit := int64(text[i]) - '0'
		if digit < 0 || digit > 9 || seconds > (math.MaxInt64-digit)/10 {
			return 0, false
		}
		seconds = 10*seconds + digit
	}
	return seconds, len(text) > 0
}

// ParseSignature returns the MAC that a signature header's text spells, and
// whether it is well formed: "sha256=" and 64 lowercase hex digits.
func ParseSignature(text string) (mac []byte, ok bool) {
	parsed, ok := parseSignature(text)
	if !ok {
		return nil, false
	}
	return parsed[:], true
}

func parseSignature[T text](text T) (mac [sha256.Size]byte, ok bool) {
	if len(text) != len(Prefix)+2*len(mac) || string(text[:len(Prefix)]) != Prefix {
		return mac, false
	}
	var digits [2 * sha256.Size]byte
	copy(digits[:], text[len(Prefix):])
	// hex takes A to F as well. Of what it takes, they alone have the bit 0x40 and not
	// 0x20; eight at a time, because this is done for every delivery of a batch.
	var upper uint64
	for i := 0; i < len(digits); i += 8 {
		eight := binary.NativeEndian.Uint64(digits[i:])
		upper |= eight & 0x4040404040404040 &^ (eight << 1)
	}
	_, err := hex.Decode(mac[:], digits[:])
	return mac, err == nil && upper == 0
}

// Shorten cuts a signature that was computed to check another one down to its
// first 8 hex digits and "…": a person can compare it, and nobody who reads the
// log can use it. Short texts are cut too.
func Shorten(signature string) string {
	digits, found := strings.CutPrefix(signature, Prefix)
	keep := digits[:min(8, len(digits)/2)]
	if found {
		return Prefix + keep + "…"
	}
	return keep + "…"
}

// FormatTimestamp returns a moment as the text of a timestamp header. Moments
// before 1970 have none and give the text of a malformed header.
func FormatTimestamp(t time.Time) string {
	return strconv.FormatInt(t.Unix(), 10)
}
