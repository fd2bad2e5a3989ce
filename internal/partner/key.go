// Package partner is the part of M2M's Partner API with which a data request is
// answered: what a request asks for, the user data that goes back, the client that
// sends it and a mock that takes it.
//
// It sends the API key nowhere that endpoint's rules forbid, whatever a payload
// says, follows no redirect with it, and prints, returns and records its
// fingerprint alone. It verifies no signature: who hands it a payload vouches for
// that payload. Where M2M documents nothing, docs/partner-api.md says what was
// chosen.
package partner

import (
	"fmt"
	"strings"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/sign"
)

// Key is an API key. However it is printed or encoded, only its fingerprint
// shows. The zero Key is none.
type Key struct {
	// A pointer, because fmt cannot call the methods of a Key in an unexported
	// field and prints what it finds there: here, an address.
	text *string
}

// KeyError is a text that cannot be an API key. It never quotes the text.
type KeyError struct {
	Message string
	// Hint says how to mend it; empty where there is nothing to add.
	Hint string
}

func (e *KeyError) Error() string { return e.Message }

// NewKey returns the key of that text, byte for byte. The error is a *KeyError: the
// text is empty, or no HTTP header can hold it as it is.
func NewKey(text string) (Key, error) {
	isControl := func(r rune) bool { return r < ' ' || r == 0x7f }
	switch body := strings.TrimRight(text, "\r\n"); {
	case text == "":
		return Key{}, &KeyError{Message: "the API key is empty"}
	case strings.ContainsFunc(body, isControl):
		return Key{}, &KeyError{Message: "the API key has control characters in it, which no HTTP header can hold"}
	case body != text:
		return Key{}, &KeyError{
			Message: "the API key ends in a line end, which no HTTP header can hold",
			Hint:    "is there one trailing newline too many?",
		}
	case strings.Trim(text, " ") != text:
		// A server reads the header without them, so another key would arrive.
		return Key{}, &KeyError{
			Message: "the API key begins or ends with a space, which no HTTP header can hold",
			Hint:    "take the white space around it off",
		}
	}
	return Key{text: &text}, nil
}

// IsZero says whether there is no key.
func (k Key) IsZero() bool { return k.text == nil }

// Hide returns the text with the key's fingerprint wherever the key stands, as
// sign.Hide does it.
func (k Key) Hide(text []byte) []byte { return sign.Hide(text, []byte(k.reveal())) }

// Kind returns what the key's prefix says that it is for.
func (k Key) Kind() endpoint.KeyKind { return endpoint.KindOfKey(k.reveal()) }

// Fingerprint returns the key's fingerprint, as sign.Fingerprint makes it, or
// "none".
func (k Key) Fingerprint() string {
	if k.IsZero() {
		return "none"
	}
	return sign.Fingerprint([]byte(*k.text))
}

// String returns the fingerprint.
func (k Key) String() string { return k.Fingerprint() }

// Format writes the fingerprint, whatever the verb: %d and %#v would otherwise go
// past String.
func (k Key) Format(state fmt.State, _ rune) { fmt.Fprint(state, k.Fingerprint()) }

// MarshalText returns the fingerprint, which makes it the key's JSON as well.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.Fingerprint()), nil }

func (k Key) reveal() string {
	if k.IsZero() {
		return ""
	}
	return *k.text
}
