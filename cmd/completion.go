package cmd

import (
	"bytes"
	"errors"
	"strings"

	"github.com/spf13/cobra"
)

const completionExamples = `  # bash, with the package bash-completion
  m2m completion bash > ~/.local/share/bash-completion/completions/m2m

  # zsh, where ~/.zfunc is in fpath before compinit runs
  m2m completion zsh > ~/.zfunc/_m2m

  # fish
  m2m completion fish > ~/.config/fish/completions/m2m.fish

  # PowerShell: add the script to your profile
  m2m completion powershell >> $PROFILE`

// newCompletionCmd replaces cobra's, whose pages are not ours.
func newCompletionCmd(a *app) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	noDescriptions := false
	cmd := &cobra.Command{
		Use: "completion SHELL",
		Long: `Print the script with which a shell completes m2m's commands and flags.

It completes their values, too: events, faults, scenarios, profiles. The
packages bring it along.`,
		Example:   completionExamples,
		ValidArgs: shells,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return withHint(errors.New("no shell"), "it is one of %s", strings.Join(shells, ", "))
			}
			return noArguments(cmd, args[1:])
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var script bytes.Buffer
			root, err := cmd.Root(), error(nil)
			switch args[0] {
			case "bash":
				err = root.GenBashCompletionV2(&script, !noDescriptions)
			case "zsh":
				if noDescriptions {
					err = root.GenZshCompletionNoDesc(&script)
				} else {
					err = root.GenZshCompletion(&script)
				}
			case "fish":
				err = root.GenFishCompletion(&script, !noDescriptions)
				// What is completed may begin as an option does: --set=data.status=
				mended := bytes.ReplaceAll(script.Bytes(), []byte(`string split --max 1 \t `), []byte(`string split --max 1 -- \t `))
				script = *bytes.NewBuffer(mended)
			case "powershell":
				if noDescriptions {
					err = root.GenPowerShellCompletion(&script)
				} else {
					err = root.GenPowerShellCompletionWithDesc(&script)
				}
			default:
				err = unknown("shell", args[0], shells)
			}
			if err != nil {
				return err
			}
			_, err = a.Out.Write(script.Bytes())
			return err
		},
	}
	cmd.Flags().BoolVar(&noDescriptions, "no-descriptions", false, "complete words without saying what they mean")
	return cmd
}
