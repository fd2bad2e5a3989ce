package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// Signer signs many messages under one key and reuses what it computes with. It is not
// safe for concurrent use: each goroutine needs its own.
type Signer struct {
	// fmt prints what it finds in a struct, but follows no pointer in it.
	state *signerState
}

type signerState struct {
	hash hash.Hash
	// head is the signed content before the body, and text the signature.
	head, sum, text []byte
}

// NewSigner returns a Signer. It panics on the zero Key, as Key.Sign does.
func NewSigner(key Key) *Signer {
	if len(key.bytes()) == 0 {
		panic("sign: the zero Key signs nothing")
	}
	return &Signer{&signerState{hash: hmac.New(sha256.New, key.bytes())}}
}

// Sign returns what Key.Sign does.
func (s *Signer) Sign(timestamp string, body []byte) string {
	state := s.state
	state.head = append(append(state.head[:0], timestamp...), '.')
	state.hash.Reset()
	state.hash.Write(state.head)
	state.hash.Write(body)
	state.sum = state.hash.Sum(state.sum[:0])
	state.text = hex.AppendEncode(append(state.text[:0], Prefix...), state.sum)
	return string(state.text)
}
