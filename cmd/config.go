package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/partner"
	"github.com/leapfinancial/m2m/internal/sign"
	"github.com/leapfinancial/m2m/internal/suggest"
)

// projectFile is looked for in the working directory. It may have come with
// somebody else's repository.
const projectFile = "m2m.yaml"

// maxConfig is the largest configuration file, in bytes.
const maxConfig = 1 << 20

// devSecret signs and verifies on loopback where no secret is configured. It is
// public.
const devSecret = "m2m-dev-secret"

// settings finds values: flag, environment, project file, user file, default.
type settings struct {
	app   *app
	flags *pflag.FlagSet
	files []configFile
	read  bool
}

// configFile is one configuration file that was read.
type configFile struct {
	name    string
	project bool
	values  map[string]any
}

// found is a value and where it stands.
type found struct {
	value  any
	source string
	// file is the configuration file's name; empty for flag and environment.
	file    string
	project bool
}

func newSettings(a *app, flags *pflag.FlagSet) *settings {
	return &settings{app: a, flags: flags}
}

// settingNames lists the keys of a configuration file, without "profiles".
func settingNames() []string {
	return []string{"webhook_secret", "api_key", "to", "env", "tolerance", "timeout"}
}

// envName returns the environment variable of a setting.
func envName(key string) string { return "M2M_" + strings.ToUpper(key) }

// fill sets the flag of that name from the environment or a file, through the
// flag's own parser, unless the command line has it.
func (s *settings) fill(key string) error {
	_, err := s.fillFrom(key)
	return err
}

func (s *settings) fillFrom(key string) (found, error) {
	flag := s.flags.Lookup(key)
	if flag == nil {
		return found{}, fmt.Errorf("no flag --%s", key)
	}
	if flag.Changed {
		return found{value: flag.Value.String(), source: "--" + key}, nil
	}
	f, ok, err := s.lookup(key)
	if err != nil || !ok {
		return found{source: "default"}, err
	}
	text, err := f.scalar()
	if err != nil {
		return f, err
	}
	if err := flag.Value.Set(text); err != nil {
		return f, fmt.Errorf("%s: %w", f.source, err)
	}
	return f, nil
}

// lookup finds a setting in the environment or the files.
func (s *settings) lookup(key string) (found, bool, error) {
	if text, ok := s.app.LookupEnv(envName(key)); ok {
		return found{value: text, source: envName(key)}, true, nil
	}
	if key == "profile" {
		return found{}, false, nil
	}
	if err := s.readFiles(); err != nil {
		return found{}, false, err
	}
	for _, profile := range []string{s.app.Profile, ""} {
		for _, file := range s.files {
			values, label := file.values, key
			if profile != "" {
				values, label = file.profile(profile), "profiles."+profile+"."+key
			}
			if value, ok := values[key]; ok {
				source := fmt.Sprintf("%s in %s", label, file.name)
				return found{value: value, source: source, file: file.name, project: file.project}, true, nil
			}
		}
		if profile == "" {
			break
		}
	}
	return found{}, false, nil
}

// scalar returns the value as the text that its flag would be given.
func (f found) scalar() (string, error) {
	switch value := f.value.(type) {
	case string:
		return value, nil
	case int, int64, uint64, float64, bool:
		return fmt.Sprint(value), nil
	case nil:
		return "", nil
	}
	return "", fmt.Errorf("%s: it has to be a single value", f.source)
}

// texts returns a secret's value: a string, or a list of them. A number is refused,
// because YAML has already changed its spelling.
func (f found) texts() ([]string, error) {
	list, ok := f.value.([]any)
	if !ok {
		list = []any{f.value}
	}
	if len(list) == 0 {
		list = []any{nil}
	}
	texts := make([]string, len(list))
	for i, item := range list {
		switch value := item.(type) {
		case string:
			texts[i] = value
		case nil:
		default:
			return nil, withHint(fmt.Errorf("%s: it has to be a string", f.source), "put it in quotes")
		}
		if texts[i] == "" {
			return nil, fmt.Errorf("%s: it is set but empty", f.source)
		}
	}
	return texts, nil
}

func (s *settings) readFiles() error {
	if s.read {
		return nil
	}
	s.read = true
	if name := s.app.Config; name != "" {
		// Naming the project's file does not make it the user's own.
		return s.readFile(name, isSameFile(name, projectFile), true)
	}
	if err := s.readFile(projectFile, true, false); err != nil {
		return err
	}
	if s.app.ConfigDir != "" {
		if err := s.readFile(filepath.Join(s.app.ConfigDir, "m2m", "config.yaml"), false, false); err != nil {
			return err
		}
	}
	return s.checkProfile()
}

func isSameFile(a, b string) bool {
	first, errA := os.Stat(a)
	second, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(first, second)
}

func (s *settings) readFile(name string, project, required bool) error {
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) && !required {
		return nil
	}
	data, err := s.app.read(name, "the configuration", maxConfig)
	if err != nil {
		return err
	}
	v := viper.New()
	v.SetConfigType("yaml")
	if err := v.ReadConfig(bytes.NewReader(data)); err != nil {
		return withHint(fmt.Errorf("reading the configuration: %s: %v", name, err), "it has to be YAML, key: value")
	}
	file := configFile{name: name, project: project, values: map[string]any{}}
	known := append(settingNames(), "profiles")
	// AllKeys, unlike AllSettings, also has a key without a value: it is set but
	// empty.
	for _, path := range v.AllKeys() {
		key, _, _ := strings.Cut(path, ".")
		file.values[key] = v.Get(key)
	}
	s.files = append(s.files, file)
	s.warnOf(file, known)
	if required {
		return s.checkProfile()
	}
	return nil
}

// warnOf tells what in a file is not used: keys that nobody knows, and what a
// project's file may not choose.
func (s *settings) warnOf(file configFile, known []string) {
	sections := map[string]map[string]any{"": file.values}
	for _, name := range file.profiles() {
		sections["profiles."+name+"."] = file.profile(name)
	}
	for prefix, values := range sections {
		for key := range values {
			switch {
			case file.project && key == "api_key":
				s.app.warn("%sapi_key in %s is ignored: the file comes with the directory; set M2M_API_KEY", prefix, file.name)
				delete(values, key)
			case !slices.Contains(known, key):
				text := fmt.Sprintf("%s%s in %s is not a setting and is ignored", prefix, key, file.name)
				if nearest := suggest.Nearest(key, known); nearest != "" {
					text += fmt.Sprintf("; did you mean %s?", nearest)
				}
				s.app.warn("%s", text)
			}
		}
	}
}

func (f configFile) profiles() []string {
	profiles, ok := f.values["profiles"].(map[string]any)
	if !ok {
		return nil
	}
	var names []string
	for name := range profiles {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (f configFile) profile(name string) map[string]any {
	profiles, _ := f.values["profiles"].(map[string]any)
	values, _ := profiles[strings.ToLower(name)].(map[string]any)
	return values
}

func (s *settings) checkProfile() error {
	if s.app.Profile == "" {
		return nil
	}
	var names []string
	for _, file := range s.files {
		if file.profile(s.app.Profile) != nil {
			return nil
		}
		names = append(names, file.profiles()...)
	}
	if len(names) == 0 {
		return withHint(fmt.Errorf("unknown profile %q", s.app.Profile), "no configuration file has profiles: add profiles.%s to m2m.yaml", s.app.Profile)
	}
	return unknown("profile", s.app.Profile, names)
}

// secretFlags are the flags that give webhook secrets.
type secretFlags struct {
	Secrets     []string
	SecretFiles []string
}

func (f *secretFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.Secrets, "secret", nil, "webhook `SECRET`, repeatable for a rotation; it shows in ps, prefer --secret-file")
	flags.StringArrayVar(&f.SecretFiles, "secret-file", nil, "read the webhook secret from `FILE`, repeatable")
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

// keys finds the configured webhook secrets. The keyring is empty when there are
// none.
func (a *app) keys(flags secretFlags) (keyring, error) {
	texts, ring, err := a.secretTexts(flags)
	if err != nil {
		return keyring{}, err
	}
	for _, text := range texts {
		key, err := sign.NewKey(text)
		if err != nil {
			return keyring{}, withHint(fmt.Errorf("%s: the webhook secret is set but empty", ring.source), "give it a value, or unset it")
		}
		ring.keys = append(ring.keys, key)
		ring.dev = ring.dev || text == devSecret
	}
	return ring, nil
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
	if err != nil || !ok {
		return nil, ring, err
	}
	ring.source, ring.file = f.source, f.file
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
		return "", fmt.Errorf("reading %s: %q is empty", what, name)
	}
	return text, nil
}

// errNoSecret is told where no secret is configured and none may be assumed.
func errNoSecret() error {
	return withHint(errors.New("no webhook secret"),
		"set M2M_WEBHOOK_SECRET, pass --secret-file, or add webhook_secret to m2m.yaml")
}

// keysFor is keys for a command that talks to one address: on loopback, the
// development secret stands in where none is configured.
func (a *app) keysFor(flags secretFlags, loopback bool) (keyring, error) {
	ring, err := a.keys(flags)
	if err != nil || len(ring.keys) > 0 {
		return ring, err
	}
	if !loopback {
		return ring, errNoSecret()
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

// apiKey finds the API key; the zero Key when there is none.
func (a *app) apiKey(file string) (partner.Key, string, error) {
	if file != "" {
		text, err := a.readSecret(file, "the API key")
		if err != nil {
			return partner.Key{}, "", err
		}
		key, err := partner.NewKey(text)
		return key, "--api-key-file", err
	}
	f, ok, err := a.settings.lookup("api_key")
	if err != nil || !ok {
		return partner.Key{}, "", err
	}
	texts, err := f.texts()
	if err != nil {
		return partner.Key{}, f.source, err
	}
	if len(texts) > 1 {
		return partner.Key{}, f.source, fmt.Errorf("%s: it has to be a single key", f.source)
	}
	key, err := partner.NewKey(texts[0])
	if err != nil {
		return partner.Key{}, f.source, fmt.Errorf("%s: %w", f.source, err)
	}
	return key, f.source, nil
}
