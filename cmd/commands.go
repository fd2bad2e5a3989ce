package cmd

import (
	"context"

	"github.com/spf13/cobra"
)

// command is a line of m2m --help, and how the rest of the command is made. That is put
// off until it is asked for: all the commands with all their flags take longer than
// most of what one of them does.
type command struct {
	group, name, short string
	whole              func(*app) *cobra.Command
}

func commands() []command {
	return []command{
		{"everyday", "send", "Deliver correctly signed events to a handler", running(newSendCmd)},
		{"everyday", "listen", "Receive deliveries, verify and show them", running(newListenCmd)},
		{"everyday", "verify", "Check the signatures of captured deliveries", running(newVerifyCmd)},
		{"everyday", "reply", "Answer a data request with a user's data", running(newReplyCmd)},
		{"further", "test", "Play M2M, and an attacker, against your handler", running(newTestCmd)},
		{"further", "replay", "Send captured deliveries again", running(newReplayCmd)},
		{"further", "load", "Deliver at a rate, and report how the handler bore it", running(newLoadCmd)},
		{"learning", "demo", "See the whole story in one process", running(newDemoCmd)},
		{"learning", "events", "List the events, print their samples and JSON Schemas", running(newEventsCmd)},
		{"learning", "config", "List the settings and where they come from", running(newConfigCmd)},
		{"learning", "version", "Print the version", newVersionCmd},
		{"learning", "completion", "Print the completion script for a shell", newCompletionCmd},
	}
}

// running makes a command that does what it says, where a test has it do less.
func running[O any](newCmd func(*app, func(context.Context, *O) error) *cobra.Command) func(*app) *cobra.Command {
	return func(a *app) *cobra.Command { return newCmd(a, nil) }
}

// addCommands adds the commands: whole where they are asked for, and else no more than
// their line.
func (a *app) addCommands(root *cobra.Command, asked func(name string) bool) {
	for _, line := range commands() {
		command := &cobra.Command{Use: line.name, Run: func(*cobra.Command, []string) {}}
		if asked(line.name) {
			command = line.whole(a)
		}
		command.Short, command.GroupID = line.short, line.group
		root.AddCommand(command)
	}
}
