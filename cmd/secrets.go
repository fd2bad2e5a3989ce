package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/diagnose"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/manual"
	"github.com/leapfinancial/m2m/internal/partner"
	"github.com/leapfinancial/m2m/internal/sign"
)

// secretFlags are the flags that give webhook secrets.
type secretFlags struct {
	Secrets     []string
	SecretFiles []string
}

func (f *secretFlags) add(flags *pflag.FlagSet) {
	flags.Var(listValue{&f.Secrets}, "secret", "webhook `SECRET`, repeatable for a rotation; it shows in ps, prefer --secret-file")
	flags.Var(listValue{&f.SecretFiles}, "secret-file", "read the webhook secret from `FILE`, repeatable")
	manual.Group(flags, "Secrets", "secret", "secret-file")
}

// keyring is the webhook secrets of a run.
type keyring struct {
	keys []sign.Key
	// file is the configuration file that they stand in; empty for flags and
	// environment.
	file string
	// dev says that the development secret is among them, which everybody knows.
	dev    bool
	source string
}

// keys finds the configured webhook secrets, once for a run. The keyring is empty
// when there are none.
func (a *app) keys(flags secretFlags) (keyring, error) {
	if a.ring == nil {
		ring, err := a.readKeys(flags)
		if err != nil {
			return keyring{source: ring.source}, err
		}
		a.ring = &ring
	}
	return *a.ring, nil
}

func (a *app) readKeys(flags secretFlags) (keyring, error) {
	a.holdEnvironment()
	texts, ring, err := a.secretTexts(flags)
	if err != nil {
		return ring, err
	}
	for _, text := range texts {
		key, err := sign.NewKey(text)
		if err != nil {
			return ring, fmt.Errorf("%s: %w", ring.source, err)
		}
		if fault := suspicious(text); fault != "" {
			a.warn("%s: the webhook secret %s; it is used as it is", ring.source, fault)
		}
		a.held.add(key)
		ring.keys = append(ring.keys, key)
		ring.dev = ring.dev || text == devSecret
	}
	return ring, nil
}

// suspicious says what in a secret was probably not meant, or nothing. It stays as
// it is all the same: only M2M knows its bytes.
func suspicious(secret string) string {
	quotes := len(secret) > 1 && secret[0] == secret[len(secret)-1] && strings.ContainsRune(`"'`, rune(secret[0]))
	switch {
	case strings.TrimSpace(secret) != secret:
		return "begins or ends with white space"
	case strings.HasPrefix(secret, "\ufeff"):
		return "begins with a byte order mark"
	case quotes:
		return "has quotes around it"
	}
	return ""
}

func (a *app) secretTexts(flags secretFlags) ([]string, keyring, error) {
	texts := slices.Clone(flags.Secrets)
	ring := keyring{source: "--secret"}
	for _, name := range flags.SecretFiles {
		ring.source = "--secret-file " + name
		text, err := a.readSecret(name, "the webhook secret")
		if err != nil {
			return nil, ring, err
		}
		texts = append(texts, text)
	}
	if len(texts) > 0 {
		return texts, ring, nil
	}
	f, ok, err := a.settings.lookup("webhook_secret")
	ring.source, ring.file = f.source, f.file
	if err != nil || !ok {
		return nil, ring, err
	}
	texts, err = f.texts()
	return texts, ring, err
}

// readSecret reads a file that holds a secret, without one trailing newline.
func (a *app) readSecret(name, what string) (string, error) {
	data, err := a.read(name, what, 64<<10)
	if err != nil {
		return "", err
	}
	text := strings.TrimSuffix(string(data), "\n")
	if len(text) < len(data) {
		text = strings.TrimSuffix(text, "\r")
	}
	if text == "" {
		return "", withHint(fmt.Errorf("reading %s: %q is empty", what, name), "put the secret into it, and nothing else")
	}
	return text, nil
}

// otherSecrets are the webhook secrets that the configuration files hold, and the
// development secret, for the case that a delivery was signed with one of them. What
// cannot be read is no reason to fail: the files may not be needed at all.
func (a *app) otherSecrets() []diagnose.Other {
	var others []diagnose.Other
	add := func(name, text string) {
		if key, err := sign.NewKey(text); err == nil {
			a.held.add(key)
			others = append(others, diagnose.Other{Key: key, Name: name})
		}
	}
	quiet := *a
	quiet.Quiet, quiet.Profile = true, ""
	files := newSettings(&quiet, nil)
	if err := files.readFiles(); err == nil {
		for _, file := range files.files {
			for _, text := range file.secrets("") {
				add("the secret of "+file.name, text)
			}
			for _, profile := range file.profiles() {
				for _, text := range file.secrets(profile) {
					add("the secret of profile "+profile, text)
				}
			}
		}
	}
	add("the development secret, "+devSecret, devSecret)
	return others
}

// keysFor is keys for a command that talks to one address: on loopback, the
// development secret stands in where none is configured.
func (a *app) keysFor(flags secretFlags, loopback bool) (keyring, error) {
	ring, err := a.keys(flags)
	if err != nil || len(ring.keys) > 0 {
		return ring, err
	}
	if !loopback {
		a.notice("the development secret is for loopback addresses alone, and this is another one")
		return ring, withHint(errors.New("no webhook secret"),
			"set M2M_WEBHOOK_SECRET, pass --secret-file, or add webhook_secret to m2m.yaml")
	}
	key, err := sign.NewKey(devSecret)
	if err != nil {
		return ring, err
	}
	a.notice("using the development secret; in your handler's environment: export M2M_WEBHOOK_SECRET=%s", devSecret)
	return keyring{keys: []sign.Key{key}, dev: true, source: "default"}, nil
}

// target completes *target from the environment and the files. A target from the
// project's file that is not loopback is used with a secret from that file alone:
// else a cloned repository could have a real secret's signatures sent to it.
func (a *app) target(target *endpoint.Target, secrets secretFlags, standIn bool) error {
	f, err := a.settings.fillFrom("to")
	if err != nil {
		return err
	}
	if target.URL != nil && !target.Loopback() && f.project {
		ring, err := a.keys(secrets)
		if err != nil {
			return err
		}
		if ring.file != f.file {
			a.warn("%s is ignored: %s is not this machine, and the webhook secret is not from that file; pass --to", f.source, target.URL.Host)
			target.URL = nil
		}
	}
	if target.URL == nil && standIn {
		*target, err = endpoint.ParseTarget("localhost")
		return err
	}
	if target.URL == nil {
		return withHint(errors.New("no target"), "pass --to URL, --to localhost for instance, or set M2M_TO")
	}
	if target.PlainRemote() {
		a.warn("%s is plain http: M2M delivers to HTTPS only", target)
	}
	return nil
}

func (a *app) newAPIKey(text string) (partner.Key, error) {
	key, err := partner.NewKey(text)
	if err == nil {
		a.held.add(key)
	}
	return key, err
}

// apiKey finds the API key; the zero Key when there is none.
func (a *app) apiKey(file string) (partner.Key, string, error) {
	a.holdEnvironment()
	if file != "" {
		text, err := a.readSecret(file, "the API key")
		if err != nil {
			return partner.Key{}, "", err
		}
		key, err := a.newAPIKey(text)
		return key, "--api-key-file", err
	}
	f, ok, err := a.settings.lookup("api_key")
	if err != nil || !ok {
		return partner.Key{}, f.source, err
	}
	texts, err := f.texts()
	if err != nil {
		return partner.Key{}, f.source, err
	}
	if len(texts) > 1 {
		return partner.Key{}, f.source, fmt.Errorf("%s: it has to be a single key", f.source)
	}
	key, err := a.newAPIKey(texts[0])
	if err != nil {
		return partner.Key{}, f.source, fmt.Errorf("%s: %w", f.source, err)
	}
	return key, f.source, nil
}
