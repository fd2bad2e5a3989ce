package cmd

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/deliver"
)

// completeFlags has the shell complete the values of the flags of a command and of those
// below it: words where there is a list of them, file names where a file is meant, and
// nothing elsewhere.
func (a *app) completeFlags(command *cobra.Command) {
	complete := func(flag *pflag.Flag) {
		if _, has := command.GetFlagCompletionFunc(flag.Name); has {
			return
		}
		if values := a.flagValues(flag); values != nil {
			// The flag is the command's own, and has none yet.
			_ = command.RegisterFlagCompletionFunc(flag.Name, values)
		}
	}
	command.Flags().VisitAll(complete)
	command.PersistentFlags().VisitAll(complete)
	for _, sub := range command.Commands() {
		a.completeFlags(sub)
	}
}

// flagValues returns what completes a flag's value, or nil for file names.
func (a *app) flagValues(flag *pflag.Flag) cobra.CompletionFunc {
	switch value := flag.Value.(type) {
	case *enumValue:
		return cobra.FixedCompletions(value.allowed, cobra.ShellCompDirectiveNoFileComp)
	case faultValue:
		return cobra.FixedCompletions(describedFaults(), cobra.ShellCompDirectiveNoFileComp)
	case eventsValue:
		return a.completeEvents
	case spanValue:
		return cobra.NoFileCompletions
	case reportsValue:
		return completeReports(value.kinds)
	}
	if flag.Name == "profile" {
		return a.completeProfiles
	}
	if placeholder, _ := pflag.UnquoteUsage(flag); strings.Contains(placeholder, "FILE") || strings.HasSuffix(placeholder, ".json") {
		return nil
	}
	return cobra.NoFileCompletions
}

func describedFaults() []string {
	list := []string{cobra.CompletionWithDesc("help", "list them")}
	for _, fault := range deliver.Faults() {
		list = append(list, cobra.CompletionWithDesc(fault.Name, fault.Wire))
	}
	return list
}

// completeEvent completes an event.
func (a *app) completeEvent(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	catalogue, err := a.catalogue()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return catalogue.Names(), cobra.ShellCompDirectiveNoFileComp
}

// completeEvents completes the last of several events with commas between.
func (a *app) completeEvents(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	catalogue, err := a.catalogue()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	var list []string
	for _, name := range catalogue.Names() {
		if !slices.Contains(strings.Split(before, ","), name) {
			list = append(list, before+name)
		}
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}

// completeProfiles completes the profiles of the configuration files.
func (a *app) completeProfiles(command *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	a.Quiet = true // a warning would stand in the middle of the command line
	a.Profile = ""
	settings := newSettings(a, command.Flags())
	if err := settings.readFiles(); err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, file := range settings.files {
		names = append(names, file.profiles()...)
	}
	slices.Sort(names)
	return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
}

// completeReports completes the kind of a report; the file behind it is for the user to
// choose.
func completeReports(kinds []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		if strings.Contains(typed, "=") {
			return nil, cobra.ShellCompDirectiveDefault
		}
		var list []string
		for _, kind := range kinds {
			list = append(list, kind+"=")
		}
		return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}
