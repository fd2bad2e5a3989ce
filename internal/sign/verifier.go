package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// Verifier judges many messages under the same keys and reuses what it computes
// with; a valid message costs it no memory. It is not safe for concurrent use: each
// goroutine needs its own.
type Verifier struct {
	// fmt prints what it finds in a struct, but follows no pointer in it.
	state *verifierState
}

type verifierState struct {
	keys   []Key
	hashes []hash.Hash // by key
	// head is the signed content before the body; it is here because a hash lets
	// what is written to it escape.
	head []byte
	sum  []byte
	// mac is the message's, when hasMAC says that one was computed.
	mac    [sha256.Size]byte
	hasMAC bool
}

// NewVerifier returns a Verifier for any of several keys, as during a rotation.
// Keys of no bytes are left out: nothing verifies under them.
func NewVerifier(keys []Key) *Verifier {
	state := &verifierState{}
	for _, key := range keys {
		if secret := key.bytes(); len(secret) > 0 {
			state.keys = append(state.keys, key)
			state.hashes = append(state.hashes, hmac.New(sha256.New, secret))
		}
	}
	return &Verifier{state: state}
}

// Verify judges a message. It takes the same time wherever two signatures differ.
func (v *Verifier) Verify(m Message, clock Clock) Verdict { return judge(v.state, m, clock) }

// VerifyRaw does the same for a message whose headers lie in somebody's buffer.
func (v *Verifier) VerifyRaw(m RawMessage, clock Clock) Verdict { return judge(v.state, m, clock) }

// MAC returns the MAC of the message judged last, under the key that matches or
// else the first; ok is false where none was computed. It is there to see whether
// one message's signature belongs to another one: whoever could read it could sign,
// so it must never be printed nor leave the process.
func (v *Verifier) MAC() (mac [sha256.Size]byte, ok bool) { return v.state.mac, v.state.hasMAC }

func judge[T text](s *verifierState, m MessageOf[T], clock Clock) Verdict {
	s.hasMAC = false
	var v Verdict
	v.Seconds, v.HasAge = parseTimestamp(m.Timestamp)
	if v.HasAge = v.HasAge && m.HasTimestamp; v.HasAge {
		v.Age = float64(clock.Now.Unix()) - float64(v.Seconds) + float64(clock.Now.Nanosecond())/1e9
		v.Freshness = freshness(v.Age, clock.Tolerance)
	}
	s.head = append(append(s.head[:0], m.Timestamp...), '.')
	received, wellFormed := parseSignature(m.Signature)
	switch {
	case !m.HasSignature:
		v.Reason = MissingSignature
	case !wellFormed:
		v.Reason = MalformedSignature
	case !m.HasTimestamp:
		v.Reason = MissingTimestamp
	case !v.HasAge:
		v.Reason = MalformedTimestamp
	default:
		v.Key = s.match(received, m.Body)
		v.Reason = v.Freshness
		if !v.Authentic() {
			v.Reason = SignatureMismatch
		}
	}
	unlike := v.Reason == SignatureMismatch || v.Reason == MalformedSignature
	if unlike && m.HasTimestamp && len(s.keys) > 0 {
		if !s.hasMAC {
			s.mac, s.hasMAC = s.compute(0, m.Body), true
		}
		v.Computed = Shorten(Prefix + hex.EncodeToString(s.mac[:]))
	}
	return v
}

// match returns the key under which the head and the body have that MAC.
func (s *verifierState) match(received [sha256.Size]byte, body []byte) Key {
	for i, key := range s.keys {
		mac := s.compute(i, body)
		equal := hmac.Equal(received[:], mac[:])
		if i == 0 || equal {
			s.mac, s.hasMAC = mac, true
		}
		if equal {
			return key
		}
	}
	return Key{}
}

func (s *verifierState) compute(key int, body []byte) [sha256.Size]byte {
	h := s.hashes[key]
	h.Reset()
	h.Write(s.head)
	h.Write(body)
	s.sum = h.Sum(s.sum[:0])
	return [sha256.Size]byte(s.sum)
}
