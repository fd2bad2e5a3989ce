package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/suggest"
)

func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if slices.Contains(names, args[0]) {
		return withHint(fmt.Errorf("the command %q stands behind --, where none is looked for", args[0]), "leave out the --: m2m %s", args[0])
	}
	return unknown("command", args[0], names)
}

// unknown is an error for a word that is none of the allowed ones: it names the
// nearest and lists all.
func unknown(what, word string, allowed []string) error {
	err := fmt.Errorf("unknown %s %q", what, word)
	if nearest := suggest.Nearest(word, allowed); nearest != "" {
		err = fmt.Errorf("unknown %s %q, did you mean %q?", what, word, nearest)
	}
	return withHint(err, "it is one of %s", strings.Join(allowed, ", "))
}

func flagError(cmd *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	var number *strconv.NumError
	if errors.As(err, &invalid) && errors.As(err, &number) {
		kind := "a whole number"
		if invalid.GetFlag().Value.Type() == "bool" {
			kind = "true or false"
		}
		return fmt.Errorf("--%s: %q is not %s", invalid.GetFlag().Name, number.Num, kind)
	}
	if errors.As(err, &invalid) && invalid.Unwrap() != nil {
		return fmt.Errorf("--%s: %w", invalid.GetFlag().Name, invalid.Unwrap())
	}
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return withHint(err, "see %s --help", cmd.CommandPath())
	}
	var known []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			known = append(known, "--"+flag.Name)
		}
	})
	name := missing.GetSpecifiedName()
	if len(name) == 1 {
		name = "-" + name
	} else {
		name = "--" + name
	}
	return unknown("flag", name, known)
}

// withPage names the page of the command where a flag was wrong, and the error has no
// hint of its own.
func withPage(err error, command *cobra.Command) error {
	var file syscall.Errno
	if err == nil || hintOf(err) != "" || !strings.HasPrefix(err.Error(), "--") || errors.As(err, &file) {
		return err
	}
	return withHint(err, "see %s --help", command.CommandPath())
}
