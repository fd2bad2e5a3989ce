package cmd

import (
	"slices"
	"sync"

	"github.com/leapfinancial/m2m/internal/sign"
	"github.com/leapfinancial/m2m/internal/term"
)

// secret is a webhook secret or an API key.
type secret interface {
	Fingerprint() string
	Hide(text []byte) []byte
}

// held are the secrets that a run has read. What others write to it may hold them, and
// no text for people shows them.
type held struct {
	mu      sync.RWMutex
	secrets []secret
}

// add takes a secret, unless everybody knows it.
func (h *held) add(one secret) {
	h.mu.Lock()
	defer h.mu.Unlock()
	same := func(other secret) bool { return other.Fingerprint() == one.Fingerprint() }
	if one.Fingerprint() != sign.Fingerprint([]byte(devSecret)) && !slices.ContainsFunc(h.secrets, same) {
		h.secrets = append(h.secrets, one)
	}
}

// hide returns the text with fingerprints in place of the secrets. It is not for
// delivery records, whose bodies stay what went over the wire.
func (h *held) hide(text []byte) []byte {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, one := range h.secrets {
		text = one.Hide(text)
	}
	return text
}

// holdEnvironment holds the environment's secrets, whether the command needs them or not:
// a handler on this machine often has the same environment, and dumps it when it fails.
func (a *app) holdEnvironment() {
	if text, ok := a.LookupEnv(envName("webhook_secret")); ok {
		if key, err := sign.NewKey(text); err == nil {
			a.held.add(key)
		}
	}
	if text, ok := a.LookupEnv(envName("api_key")); ok {
		_, _ = a.newAPIKey(text) // who needs it is told what is wrong with it
	}
}

// hide is held's for a string.
func (a *app) hide(text string) string { return string(a.held.hide([]byte(text))) }

// safe makes text from outside fit for a terminal and for whoever reads along.
func (a *app) safe(text string) string { return term.Safe(a.hide(text)) }
