// Package sign makes and judges the signature of an M2M webhook: bytes and a
// clock in, a verdict out.
//
// The scheme, as M2M documents it: HMAC-SHA256, keyed with the bytes of the
// webhook secret, over the text of the X-M2M-Timestamp header, a full stop and
// the raw body; written as "sha256=" and 64 lowercase hex digits.
//
// The package never reads a clock, a file or the network, never looks into a
// body, and hands out neither a secret nor, when it verifies, a whole signature
// that it computed.
package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
)

// Prefix stands before the hex digits of a signature.
const Prefix = "sha256="

// ErrEmptySecret is returned for a secret of no bytes, which would let anybody
// sign.
var ErrEmptySecret = errors.New("the secret is empty")

// Key is a webhook secret. It can sign and be compared, but whatever way it is
// printed, only its fingerprint shows. The zero Key is no key: it does not sign,
// and nothing verifies under it. Safe for concurrent use.
type Key struct {
	// Of a Key in somebody's unexported field, fmt calls no String method but
	// prints what it finds: through one pointer, never through a second.
	secret **[]byte
	// fingerprint is asked for with every delivery.
	fingerprint string
}

// NewKey returns the key made of the secret's bytes exactly as they are. The
// error is ErrEmptySecret.
func NewKey(secret string) (Key, error) {
	if secret == "" {
		return Key{}, ErrEmptySecret
	}
	bytes := []byte(secret)
	pointer := &bytes
	return Key{secret: &pointer, fingerprint: Fingerprint(bytes)}, nil
}

// bytes returns the secret, and nothing for the zero Key.
func (k Key) bytes() []byte {
	if k.secret == nil {
		return nil
	}
	return **k.secret
}

// Reveal returns a copy of the secret's bytes, and nothing for the zero Key. It is
// there for the diagnosis of a signature that does not match, which has to try other
// readings of the secret; whoever calls it must print and keep nothing of it.
func (k Key) Reveal() []byte { return slices.Clone(k.bytes()) }

// Fingerprint returns "sha256:" and the first 8 hex digits of the secret's
// SHA-256: enough to see whether two are the same, and of no use to an attacker
// for a secret that cannot be guessed.
func (k Key) Fingerprint() string {
	if k.secret == nil {
		return Fingerprint(nil)
	}
	return k.fingerprint
}

// Fingerprint returns the fingerprint of any secret, an API key's for instance.
func Fingerprint(secret []byte) string {
	sum := sha256.Sum256(secret)
	return "sha256:" + hex.EncodeToString(sum[:4])
}

// String returns the fingerprint.
func (k Key) String() string { return k.Fingerprint() }

// GoString returns the fingerprint, so that %#v shows no secret.
func (k Key) GoString() string { return "sign.Key(" + k.Fingerprint() + ")" }

// Sign returns the signature header for a body sent with that text as its
// timestamp header. It panics on the zero Key, for which there is no signature.
func (k Key) Sign(timestamp string, body []byte) string {
	if len(k.bytes()) == 0 {
		panic("sign: the zero Key signs nothing")
	}
	return Prefix + hex.EncodeToString(k.mac(timestamp, body))
}

// mac covers the literal header text: a re-printed number would let
// "+1700000000" pass for "1700000000".
func (k Key) mac(timestamp string, body []byte) []byte {
	h := hmac.New(sha256.New, k.bytes())
	h.Write([]byte(timestamp))
	h.Write([]byte{'.'})
	h.Write(body)
	return h.Sum(nil)
}
