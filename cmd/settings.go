package cmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/term"
)

type configOptions struct {
	app *app

	Target     endpoint.Target
	Env        string
	Tolerance  time.Duration
	Timeout    time.Duration
	APIKeyFile string
	Secrets    secretFlags
}

const configExamples = `  # Every setting, its value and where it comes from
  m2m config

  # As a profile has them
  m2m config --profile staging`

func newConfigCmd(a *app, runF func(context.Context, *configOptions) error) *cobra.Command {
	opts := &configOptions{app: a}
	if runF == nil {
		runF = runConfig
	}
	cmd := &cobra.Command{
		Use:     "config",
		Long:    "List every setting, its value and where it comes from.\n\nThat is a flag, the environment, m2m.yaml in the working directory,\nm2m/config.yaml in the user's configuration directory, or a default. Secrets\nshow as fingerprints.",
		Example: configExamples,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runF(cmd.Context(), opts) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(targetValue{&opts.Target}, "to", "as send would take `URL`")
	opts.Env = string(endpoint.Sandbox)
	flags.Var(&enumValue{"--env", &opts.Env, endpoint.Envs()}, "env", "as send and reply would take `ENV`")
	opts.Tolerance = 5 * time.Minute
	flags.Var(spanValue{&opts.Tolerance}, "tolerance", "as listen would take `DURATION`")
	opts.Timeout = 30 * time.Second
	flags.Var(spanValue{&opts.Timeout}, "timeout", "as send and reply would take `DURATION`")
	flags.StringVar(&opts.APIKeyFile, "api-key-file", "", "read the API key from `FILE`")
	opts.Secrets.add(flags)
	return cmd
}

// settingRow is one line of the list.
type settingRow struct {
	Type   string `json:"type"`
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`
	// Error is why the value that stands there cannot be used.
	Error string `json:"error,omitempty"`
}

func runConfig(_ context.Context, o *configOptions) error {
	a := o.app
	if err := a.settings.readFiles(); err != nil {
		return err
	}
	var rows []settingRow
	var faults []error
	add := func(name, value, source string, err error) {
		row := settingRow{Type: "setting", Name: name, Value: value, Source: source}
		if err != nil {
			faults = append(faults, err)
			row.Value, row.Error = "", err.Error()
		}
		rows = append(rows, row)
	}
	ring, err := a.keys(o.Secrets)
	prints := make([]string, len(ring.keys))
	for i, key := range ring.keys {
		prints[i] = key.Fingerprint()
	}
	add("webhook_secret", strings.Join(prints, ", "), orDefault(ring.source, len(ring.keys) > 0 || err != nil), err)
	value, source, err := o.key()
	add("api_key", value, source, err)
	for _, key := range []string{"to", "env", "tolerance", "timeout"} {
		f, err := a.settings.fillFrom(key)
		value := a.settings.flags.Lookup(key).Value.String()
		if err == nil && key == "to" && f.project && !o.Target.Loopback() && ring.file != f.file {
			value += " (ignored: the webhook secret is not from that file)"
		}
		if err == nil && key == "env" && f.project && o.Env == string(endpoint.Live) {
			value += " (reply ignores it)"
		}
		add(key, value, f.source, err)
	}
	profileSource := "default"
	if a.settings.flags.Changed("profile") {
		profileSource = "--profile"
	} else if a.Profile != "" {
		profileSource = envName("profile")
	}
	add("profile", a.Profile, profileSource, nil)
	color := "default"
	if a.settings.flags.Changed("color") {
		color = "--color"
	} else if text, _ := a.LookupEnv("NO_COLOR"); text != "" {
		color = "NO_COLOR"
	} else if text, _ := a.LookupEnv("TERM"); text == "dumb" {
		color = "TERM"
	}
	add("color", a.Color, color, nil)
	if err := o.show(rows); err != nil {
		return err
	}
	for _, fault := range faults {
		a.tellError(fault)
	}
	if len(faults) > 0 {
		return result(exitNotTried)
	}
	return nil
}

// key describes the API key.
func (o *configOptions) key() (value, source string, err error) {
	key, source, err := o.app.apiKey(o.APIKeyFile)
	if err != nil || key.IsZero() {
		return "", orDefault(source, source != ""), err
	}
	return fmt.Sprintf("%s (%s)", key.Fingerprint(), key.Kind()), source, nil
}

func orDefault(source string, given bool) string {
	if !given {
		return "default"
	}
	return source
}

func (o *configOptions) show(rows []settingRow) error {
	if o.app.JSON {
		for _, row := range rows {
			if err := o.app.writeJSON(row); err != nil {
				return err
			}
		}
		return nil
	}
	table := [][]string{{"SETTING", "VALUE", "FROM"}}
	for _, row := range rows {
		value := row.Value
		switch {
		case row.Error != "":
			value = "(cannot be used)"
		case value == "":
			value = "(none)"
		}
		table = append(table, []string{row.Name, term.Safe(value), term.Safe(row.Source)})
	}
	p := o.app.printer(o.app.Out)
	p.Table(table)
	return p.Err()
}
