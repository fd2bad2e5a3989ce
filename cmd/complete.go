package cmd

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/fixtures"
)

// completeFlags has the shell complete the values of the flags of a command and of those
// below it: words where there is a list of them, file names where a file is meant, and
// nothing elsewhere.
func (a *app) completeFlags(command *cobra.Command) {
	complete := func(flag *pflag.Flag) {
		if _, has := command.GetFlagCompletionFunc(flag.Name); has {
			return
		}
		if values := a.flagValues(command, flag); values != nil {
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

// isCompletion says whether a shell asks the command line that args are.
func isCompletion(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// unquoteFlags takes the quotes around placeholders out of what the flags of a command
// and of those below it say: help needs them to find the placeholder, but a shell shows
// them.
func unquoteFlags(command *cobra.Command) {
	unquote := func(flag *pflag.Flag) { flag.Usage = strings.ReplaceAll(flag.Usage, "`", "") }
	command.Flags().VisitAll(unquote)
	command.PersistentFlags().VisitAll(unquote)
	for _, sub := range command.Commands() {
		unquoteFlags(sub)
	}
}

// flagValues returns what completes a flag's value, or nil for file names.
func (a *app) flagValues(command *cobra.Command, flag *pflag.Flag) cobra.CompletionFunc {
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
		return a.completeReports("--"+flag.Name+"=", value.kinds)
	}
	switch flag.Name {
	case "profile":
		return a.completeProfiles
	case "set", "set-string":
		if command.Name() != "reply" { // whose paths are userData's
			return a.completePaths
		}
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

// describedEvents returns the events and when they are sent, behind what was typed
// before.
func describedEvents(catalogue *fixtures.Catalogue, before string) []string {
	var list []string
	for _, event := range catalogue.Events() {
		if !slices.Contains(strings.Split(before, ","), event.Name) {
			list = append(list, cobra.CompletionWithDesc(before+event.Name, event.Summary))
		}
	}
	return list
}

// completeEvent completes an event.
func (a *app) completeEvent(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	catalogue, err := a.catalogue()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return describedEvents(catalogue, ""), cobra.ShellCompDirectiveNoFileComp
}

// completeEvents completes the last of several events with commas between.
func (a *app) completeEvents(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	catalogue, err := a.catalogue()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	return describedEvents(catalogue, before), cobra.ShellCompDirectiveNoFileComp
}

// completePaths completes the paths of --set in the samples of the events that are
// named, or of all. The value behind a path is for the user to choose.
func (a *app) completePaths(_ *cobra.Command, events []string, typed string) ([]string, cobra.ShellCompDirective) {
	catalogue, err := a.catalogue()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var list []string
	known := map[string]bool{}
	for _, event := range catalogue.Events() {
		if len(events) > 0 && !slices.Contains(events, event.Name) {
			continue
		}
		for _, set := range fixtures.Settable(event.Sample) {
			if !known[set.Path] && strings.HasPrefix(set.Path, typed) {
				known[set.Path] = true
				list = append(list, cobra.CompletionWithDesc(set.Path+"=", "in the sample: "+string(set.Raw)))
			}
		}
	}
	return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
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

// completeReports completes the kind of a report, and then its file. Where flag, with its
// "=", stands in the same word, zsh and fish take all up to the last "=" for the flag,
// and the file is left to them.
func (a *app) completeReports(flag string, kinds []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		kind, file, found := strings.Cut(typed, "=")
		switch {
		case found && a.asked(flag+typed):
			return nil, cobra.ShellCompDirectiveDefault
		case found:
			return completeFiles(kind+"=", file)
		}
		var list []string
		for _, kind := range kinds {
			list = append(list, kind+"=")
		}
		return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}
