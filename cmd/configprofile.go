package cmd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkProfiles refuses profiles that hold no settings: they would be as if they were
// not there.
func (f configFile) checkProfiles() error {
	value, ok := f.values["profiles"]
	if !ok || value == nil {
		return nil
	}
	profiles, ok := value.(map[string]any)
	if !ok {
		return withHint(fmt.Errorf("profiles in %s has to be a mapping of names to settings", f.name), "for instance profiles: {staging: {to: localhost:8080}}")
	}
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		if _, ok := profiles[name].(map[string]any); !ok {
			return withHint(fmt.Errorf("profiles.%s in %s has to be a mapping of settings", name, f.name), "for instance profiles: {%s: {to: localhost:8080}}", name)
		}
	}
	return nil
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

// checkProfile refuses a profile that is in no file.
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
