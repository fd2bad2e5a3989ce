package cmd

import "github.com/spf13/cobra"

// newHelpCmd replaces cobra's, which takes a topic that does not exist for done.
func newHelpCmd() *cobra.Command {
	return &cobra.Command{
		Use:    "help [COMMAND]",
		Short:  "Help on a command",
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, _, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			if topic == cmd.Root() {
				if err := noSuchCommand(topic, args); err != nil {
					return err
				}
			}
			topic.InitDefaultHelpFlag()
			return topic.Help()
		},
	}
}

const helpTemplate = `{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{if or .Runnable .HasSubCommands}}{{.UsageString}}{{end}}`

// usageTemplate puts examples above flags, and the exit codes at the end.
const usageTemplate = `Usage:{{if and .Runnable (ne .CommandPath "m2m")}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND [flags]{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if (and (eq .GroupID $group.ID) .IsAvailableCommand)}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Global flags:
{{.InheritedFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}{{end}}

Exit codes:
` + exitCodesHelp + `{{if .HasAvailableSubCommands}}
Help on a command: {{.CommandPath}} COMMAND --help
{{end}}`
