package cmd

import (
	"fmt"
	"strings"

	"github.com/leapfinancial/m2m/internal/fixtures"
)

// configFault says what is wrong with a file that is no YAML, or not the YAML of a
// configuration. The library's names for itself and its steps tell a user nothing.
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
	return withHint(fmt.Errorf("line %d: %s", line, why), "it has to be YAML, each key once: webhook_secret: \"…\"")
}
