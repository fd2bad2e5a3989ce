package cmd

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/leapfinancial/m2m/internal/fixtures"
)

// configFault says what is wrong with a file that is no YAML, or not the YAML of a
// configuration. The library's names for itself and its steps tell a user nothing, and
// what it quotes of the file may be a secret.
func configFault(data []byte, err error) error {
	text := strings.Join(strings.Fields(err.Error()), " ")
	for _, prefix := range []string{"While parsing config: ", "yaml: ", "unmarshal errors: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	line, why := fixtures.YAMLFault(data, text)
	if tag, ok := strings.CutPrefix(why, "cannot unmarshal !!"); ok && strings.HasSuffix(why, " into map[string]interface {}") {
		what := "a single value"
		if strings.HasPrefix(tag, "seq") {
			what = "a list"
		}
		why = "it has to be settings, KEY: VALUE in each line, and is " + what
	}
	if strings.HasPrefix(why, "unknown anchor ") {
		why = "a value that begins with * has to stand in quotes"
	}
	return withHint(fmt.Errorf("line %d: %s", line, unquoted(why)), "it has to be YAML, each key once: webhook_secret: \"…\"")
}

// unquoted takes out what stands in quotes, unless it is the name of a setting.
func unquoted(text string) string {
	return regexp.MustCompile("'[^']*'|`[^`]*`|\"[^\"]*\"").ReplaceAllStringFunc(text, func(quote string) string {
		if name := quote[1 : len(quote)-1]; name == "profiles" || slices.Contains(settingNames(), name) {
			return quote
		}
		return "…"
	})
}
