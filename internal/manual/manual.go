// Package manual writes what a command line says about itself: help, man pages and
// Markdown, all from the commands, so that none of them can be out of date.
//
// It knows no command by name, reads no clock and opens no file.
package manual

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Manual describes a tree of commands. A command with help but nothing to run is a
// topic; it is part of the root's page.
type Manual struct {
	Root *cobra.Command
	// Exit is the table of exit codes, written as in a command's Long.
	Exit string
	// Version and Date stand at the foot of man pages. A zero Date is left out.
	Version string
	Date    time.Time
}

// Page is one file of the reference.
type Page struct {
	Name string
	Text []byte
}

// Man returns a man page of section 1 for each command.
func (m Manual) Man() []Page {
	return m.pages(".1", func(command *cobra.Command) string { return m.manPage(command) })
}

// Markdown returns a Markdown page for each command.
func (m Manual) Markdown() []Page {
	return m.pages(".md", func(command *cobra.Command) string { return m.markdownPage(command) })
}

func (m Manual) pages(suffix string, write func(*cobra.Command) string) []Page {
	var pages []Page
	for _, command := range tree(m.Root) {
		pages = append(pages, Page{pageName(command) + suffix, []byte(write(command))})
	}
	return pages
}

// tree returns the command and those below it that have a page.
func tree(command *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{command}
	for _, sub := range command.Commands() {
		if sub.IsAvailableCommand() {
			list = append(list, tree(sub)...)
		}
	}
	return list
}

// topics returns the commands that only have something to say.
func topics(command *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(command.Commands()), func(sub *cobra.Command) bool {
		return !sub.IsAdditionalHelpTopicCommand() || sub.Hidden
	})
}

// isExit says whether a topic is the table of exit codes.
func (m Manual) isExit(topic *cobra.Command) bool {
	return strings.Contains(topic.Long, strings.TrimRight(m.Exit, "\n"))
}

// pageName is the command's words with hyphens between.
func pageName(command *cobra.Command) string {
	return strings.ReplaceAll(command.CommandPath(), " ", "-")
}

// chapter is the commands of one group.
type chapter struct {
	title    string
	commands []*cobra.Command
}

// chapters returns the commands below, in their groups.
func chapters(command *cobra.Command) []chapter {
	var list []chapter
	for _, group := range append(command.Groups(), &cobra.Group{Title: "Commands:"}) {
		c := chapter{title: strings.TrimSuffix(group.Title, ":")}
		for _, sub := range command.Commands() {
			if sub.GroupID == group.ID && sub.IsAvailableCommand() {
				c.commands = append(c.commands, sub)
			}
		}
		if len(c.commands) > 0 {
			list = append(list, c)
		}
	}
	return list
}

// groupKey is the annotation of a flag that is under a heading of its own.
const groupKey = "manual.group"

// Group puts flags under a heading. It panics where a flag does not exist, as cobra
// does: that is a mistake in the program.
func Group(flags *pflag.FlagSet, heading string, names ...string) {
	for _, name := range names {
		if err := flags.SetAnnotation(name, groupKey, []string{heading}); err != nil {
			panic(err)
		}
	}
}

// FlagGroup is the flags under one heading, in the order in which they were added.
type FlagGroup struct {
	Heading string
	Flags   *pflag.FlagSet
}

// Flags returns the command's own flags: first those without a heading, then the
// groups, in the order of their first flags.
func Flags(command *cobra.Command) []FlagGroup {
	groups := []FlagGroup{newGroup("Flags")}
	command.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		heading := groups[0].Heading
		if given := flag.Annotations[groupKey]; len(given) > 0 {
			heading = given[0]
		}
		i := slices.IndexFunc(groups, func(g FlagGroup) bool { return g.Heading == heading })
		if i < 0 {
			groups = append(groups, newGroup(heading))
			i = len(groups) - 1
		}
		groups[i].Flags.AddFlag(flag)
	})
	return slices.DeleteFunc(groups, func(g FlagGroup) bool { return !g.Flags.HasFlags() })
}

func newGroup(heading string) FlagGroup {
	flags := pflag.NewFlagSet(heading, pflag.ContinueOnError)
	flags.SortFlags = false
	return FlagGroup{heading, flags}
}

// globalFlags returns the flags that the command shares with all others.
func globalFlags(command *cobra.Command) *pflag.FlagSet {
	flags := newGroup("").Flags
	command.InheritedFlags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			flags.AddFlag(flag)
		}
	})
	return flags
}
