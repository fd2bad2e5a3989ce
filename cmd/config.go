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
	"syscall"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

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
	if !ok {
		return found{source: "default"}, err
	}
	if err != nil {
		return f, err
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
		f := found{value: text, source: envName(key)}
		if text == "" {
			return f, true, errEmpty(f.source)
		}
		return f, true, nil
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
			return nil, errEmpty(f.source)
		}
	}
	return texts, nil
}

func errEmpty(source string) error {
	return withHint(fmt.Errorf("%s: it is set but empty", source), "give it a value, or unset it")
}

func (s *settings) readFiles() error {
	if s.read {
		return nil
	}
	s.read = true
	if name := s.app.Config; name != "" {
		// Naming the project's file does not make it the user's own.
		if err := s.readFile(name, isSameFile(name, projectFile), true); err != nil {
			return err
		}
		return s.checkProfile()
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
	info, err := os.Stat(name)
	// A file where the directory would be means the same as no directory.
	missing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
	if missing && !required {
		return nil
	}
	// Nobody asked for this file, so nothing may wait on a pipe in its place.
	if err == nil && !required && !info.Mode().IsRegular() {
		return fmt.Errorf("reading the configuration: %q is not a regular file", name)
	}
	data, err := s.app.read(name, "the configuration", maxConfig)
	if err != nil {
		return err
	}
	v := viper.New()
	v.SetConfigType("yaml")
	if err := v.ReadConfig(bytes.NewReader(data)); err != nil {
		return fmt.Errorf("reading the configuration: %s: %w", name, configFault(data, err))
	}
	file := configFile{name: name, project: project, values: map[string]any{}}
	known := append(settingNames(), "profiles")
	// AllKeys, unlike AllSettings, also has a key without a value: it is set but
	// empty.
	for _, path := range v.AllKeys() {
		key, _, _ := strings.Cut(path, ".")
		file.values[key] = v.Get(key)
	}
	if err := file.checkProfiles(); err != nil {
		return err
	}
	s.files = append(s.files, file)
	if err == nil && file.holdsSecret() && isReadableByAll(info) {
		s.app.warn("%s holds a secret, and everybody on this machine can read it: chmod 600 %s", name, name)
	}
	s.warnOf(file, known)
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

// secrets returns the usable webhook secrets of a profile, or of none for "".
func (f configFile) secrets(profile string) []string {
	values := f.values
	if profile != "" {
		values = f.profile(profile)
	}
	value, ok := values["webhook_secret"]
	if !ok {
		return nil
	}
	texts, err := found{value: value}.texts()
	if err != nil {
		return nil
	}
	return texts
}
