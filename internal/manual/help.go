package manual

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// width is how many columns a help page has.
const width = 80

// Help writes a command's help page: what it does, examples, flags, exit codes. A
// topic's page is its text.
func (m Manual) Help(w io.Writer, command *cobra.Command) error {
	_, err := io.WriteString(w, m.help(command))
	return err
}

func (m Manual) help(command *cobra.Command) string {
	var b strings.Builder
	b.WriteString(about(command) + "\n")
	if command.IsAdditionalHelpTopicCommand() {
		return b.String()
	}
	b.WriteString("\nUsage:\n  " + usage(command) + "\n")
	if command.HasExample() {
		b.WriteString("\nExamples:\n" + strings.Trim(command.Example, "\n") + "\n")
	}
	list := chapters(command)
	if also := topics(command); len(also) > 0 {
		list = append(list, chapter{"Topics", also})
	}
	for _, chapter := range list {
		b.WriteString("\n" + chapter.title + ":\n")
		for _, sub := range chapter.commands {
			fmt.Fprintf(&b, "  %-*s%s\n", longest(list)+2, sub.Name(), sub.Short)
		}
	}
	for _, group := range Flags(command) {
		b.WriteString("\n" + group.Heading + ":\n" + flagUsages(group.Flags))
	}
	if global := globalFlags(command); global.HasFlags() {
		b.WriteString("\nGlobal flags:\n" + flagUsages(global))
	}
	b.WriteString("\nExit codes:\n" + m.Exit)
	if command.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\nHelp on a command: %s COMMAND --help\n", command.CommandPath())
	}
	return b.String()
}

// longest returns the length of the longest name.
func longest(list []chapter) int {
	length := 0
	for _, chapter := range list {
		for _, command := range chapter.commands {
			length = max(length, len(command.Name()))
		}
	}
	return length
}

func flagUsages(flags *pflag.FlagSet) string {
	return strings.TrimRight(flags.FlagUsagesWrapped(width), "\n") + "\n"
}

// about is what a command says of itself.
func about(command *cobra.Command) string {
	if command.Long != "" {
		return strings.Trim(command.Long, "\n")
	}
	return command.Short
}

func usage(command *cobra.Command) string {
	if command.HasAvailableSubCommands() {
		return command.CommandPath() + " COMMAND [flags]"
	}
	// cobra's own line tells of the global flags only once they were parsed.
	return strings.TrimSuffix(command.UseLine(), " [flags]") + " [flags]"
}
