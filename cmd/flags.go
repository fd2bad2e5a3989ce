package cmd

import (
	"fmt"
	"slices"

	"github.com/spf13/pflag"
)

// notEmpty refuses flags whose variable in a script was never set, and which would
// else be as if they were not there.
func notEmpty(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(flag *pflag.Flag) {
		empty := flag.Value.Type() == "string" && flag.Value.String() == ""
		if list, ok := flag.Value.(listValue); ok {
			empty = slices.Contains(*list.list, "")
		}
		if empty && err == nil {
			err = fmt.Errorf("--%s is empty", flag.Name)
		}
	})
	return err
}

// headerTextValue is a header's text, which may have come empty.
type headerTextValue struct{ value *string }

func (v headerTextValue) String() string {
	if v.value == nil {
		return ""
	}
	return *v.value
}

func (v headerTextValue) Type() string { return "header" }

func (v headerTextValue) Set(text string) error {
	*v.value = text
	return nil
}
