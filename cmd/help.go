package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/manual"
)

// newHelpCmd replaces cobra's, which takes a topic that does not exist for done.
func newHelpCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:    "help [COMMAND|TOPIC]",
		Short:  "Help on a command or a topic",
		Hidden: true,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			var list []string
			for _, page := range helpPages(cmd.Root()) {
				if len(args) == 0 && strings.HasPrefix(page.Name(), typed) {
					list = append(list, cobra.CompletionWithDesc(page.Name(), page.Short))
				}
			}
			return list, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Root().Help()
			}
			var names []string
			for _, page := range helpPages(cmd.Root()) {
				names = append(names, page.Name())
			}
			topic, rest, err := cmd.Root().Find(args)
			switch {
			case err != nil || topic == cmd.Root():
				return unknown("command or topic", args[0], names)
			case len(rest) > 0:
				return withHint(fmt.Errorf("help is on one command or topic, and was given %q as well", rest[0]), "m2m help %s", topic.Name())
			}
			return topic.Help()
		},
	}
	cmd.AddCommand(
		a.newPagesCmd("man", "Write the man pages into DIR", manual.Manual.Man),
		a.newPagesCmd("markdown", "Write the reference into DIR, as Markdown", manual.Manual.Markdown),
	)
	return cmd
}

// helpPages returns the commands and topics that there is help on.
func helpPages(root *cobra.Command) []*cobra.Command {
	var pages []*cobra.Command
	for _, command := range root.Commands() {
		if command.IsAvailableCommand() || command.IsAdditionalHelpTopicCommand() {
			pages = append(pages, command)
		}
	}
	return pages
}

// newPagesCmd makes a command for those who package m2m, and who need no help on it.
func (a *app) newPagesCmd(name, short string, pages func(manual.Manual) []manual.Page) *cobra.Command {
	return &cobra.Command{
		Use:    name + " DIR",
		Short:  short,
		Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return withHint(errors.New("no directory to write the pages into"), "m2m help %s DIR", name)
			}
			m, err := a.manual(newRootCmd(a.env))
			if err != nil {
				return err
			}
			return writePages(args[0], pages(m))
		},
	}
}

// manual is what the command line says of itself.
func (a *app) manual(root *cobra.Command) (manual.Manual, error) {
	m := manual.Manual{Root: root, Exit: exitCodesHelp, Version: buildVersion()}
	// Who builds a package reproducibly says which day it is.
	if text, ok := a.LookupEnv("SOURCE_DATE_EPOCH"); ok && text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return m, withHint(fmt.Errorf("SOURCE_DATE_EPOCH: %q is not a whole number", text), "it is in Unix seconds")
		}
		m.Date = time.Unix(seconds, 0)
	}
	return m, nil
}

func writePages(dir string, pages []manual.Page) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the directory of the pages: %w", fileError(dir, err))
	}
	for _, page := range pages {
		name := filepath.Join(dir, page.Name)
		if err := os.WriteFile(name, page.Text, 0o644); err != nil {
			return fmt.Errorf("writing a page: %w", fileError(name, err))
		}
	}
	return nil
}

// showHelp has cobra show our pages.
func (a *app) showHelp(root *cobra.Command) {
	m := manual.Manual{Root: root, Exit: exitCodesHelp}
	root.SetHelpFunc(func(command *cobra.Command, _ []string) {
		_ = m.Help(command.OutOrStdout(), command) // run sees what went wrong
	})
	root.SetUsageFunc(func(command *cobra.Command) error { return m.Help(command.OutOrStderr(), command) })
}

// newTopics returns the pages of what holds for every command.
func newTopics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "environment", Short: "The environment variables", Long: environmentHelp},
		{Use: "files", Short: "The configuration files", Long: filesHelp},
		{Use: "exit-codes", Short: "What the exit codes mean", Long: "Exit codes, the same for every command:\n\n" + strings.TrimRight(exitCodesHelp, "\n")},
	}
}

const environmentHelp = `A flag beats the environment, which beats the configuration files. m2m config
lists every setting, its value and where it comes from.

  M2M_WEBHOOK_SECRET  the webhook secret, byte for byte; --secret-file
  M2M_API_KEY         the Partner API's key; --api-key-file
  M2M_TO              where deliveries go; --to
  M2M_PROFILE         the profile of the configuration files; --profile
  M2M_ENV             the Partner API: sandbox or live; --env
  M2M_TOLERANCE       how far off listen takes timestamps: 5m; --tolerance
  M2M_TIMEOUT         when to give up on an answer: 30s; --timeout
  NO_COLOR            no colour when it is set, nor with TERM=dumb; --color
  XDG_CONFIG_HOME     where configuration files are, ~/.config by default
  HTTP_PROXY, HTTPS_PROXY, NO_PROXY
                      the proxies on the way to anything but this machine

An M2M_ variable that is set but empty is an error, so that a secret that was
never filled in does not pass for none.`

const filesHelp = `Settings are read from two files, in YAML. With --config FILE, from that one
alone.

  m2m.yaml                in the working directory
  ~/.config/m2m/config.yaml
                          your own; on Windows, %AppData%\m2m\config.yaml

The keys are webhook_secret (a string, or a list during a rotation), api_key,
to, env, tolerance and timeout; profiles.NAME holds any of them for --profile
NAME:

  to: localhost:8080/hooks
  profiles:
    staging:
      to: https://staging.example.com/webhooks/m2m
      webhook_secret: "…"

The file in the working directory may have come with somebody else's
repository. From it, api_key and env: live for reply are ignored, and a target
that is not this machine is used only with a secret from the same file.`
