package cmd

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"
)

// checkFlags refuses what no command can mean.
func (a *app) checkFlags(flags *pflag.FlagSet) error {
	if a.Quiet && a.Verbose {
		return errors.New("--quiet and --verbose exclude each other")
	}
	return notEmpty(flags)
}

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

// faultValue is the one thing that is broken on purpose.
type faultValue struct{ value *string }

func (v faultValue) String() string {
	if v.value == nil {
		return ""
	}
	return *v.value
}

func (v faultValue) Type() string { return "string" }

func (v faultValue) Set(text string) error {
	if other := *v.value; other != "" && other != text {
		return withHint(fmt.Errorf("%s and %s exclude each other: one thing is broken at a time", other, text), "send once for each of them")
	}
	*v.value = text
	return nil
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
