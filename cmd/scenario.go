package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/fixtures"
)

const (
	// scenarioHelp lists the scenarios, scenarioSchema prints their JSON Schema.
	scenarioHelp   = "help"
	scenarioSchema = "schema"
)

// scenarioFlags are the flags of send that mean something beside --scenario. The
// others are for a step to say, or for one delivery alone.
func scenarioFlags() []string {
	return []string{
		"scenario", "to", "seed", "now", "time-scale", "header", "print", "dry-run",
		"env", "timeout", "insecure", "cacert", "secret", "secret-file",
	}
}

// checkScenario refuses what a step says itself.
func (o *sendOptions) checkScenario(cmd *cobra.Command) error {
	const steps = "a step has its own event, set, add, fault, wait, retry and expect"
	if o.Scenario == "" {
		return nil
	}
	if len(o.Events) > 0 {
		return withHint(errors.New("EVENT and --scenario exclude each other"), steps)
	}
	var other string
	cmd.LocalNonPersistentFlags().VisitAll(func(flag *pflag.Flag) {
		if other == "" && flag.Changed && !slices.Contains(scenarioFlags(), flag.Name) {
			other = flag.Name
		}
	})
	if other != "" {
		return withHint(fmt.Errorf("--%s and --scenario exclude each other", other), steps)
	}
	return nil
}

func vocabulary() fixtures.Vocabulary {
	return fixtures.Vocabulary{
		Faults:   faultNames(),
		Schedule: deliver.Schedule(),
		Status: func(text string) error {
			_, err := deliver.ParseExpectation(text)
			return err
		},
	}
}

// loadScenario reads the scenario that --scenario names. Whatever has a full stop or
// a slash in it is a file.
func (o *sendOptions) loadScenario(catalogue *fixtures.Catalogue) (*fixtures.Scenario, error) {
	builtIn, err := fixtures.BuiltInScenarios(o.app.Files)
	if err != nil {
		return nil, err
	}
	var text []byte
	var names []string
	for _, scenario := range builtIn {
		if names = append(names, scenario.Name); scenario.Name == o.Scenario {
			text = scenario.Text
		}
	}
	isFile := o.Scenario == "-" || filepath.Base(o.Scenario) != o.Scenario || filepath.Ext(o.Scenario) != ""
	switch {
	case text == nil && isFile:
		if text, err = o.app.read(o.Scenario, "the scenario", fixtures.MaxScenario); err != nil {
			return nil, err
		}
	case text == nil:
		err := unknown("scenario", o.Scenario, names)
		return nil, withHint(err, "it is one of %s, or a file such as story.yaml", strings.Join(names, ", "))
	}
	scenario, err := catalogue.ParseScenario(text, vocabulary())
	if err != nil {
		return nil, fmt.Errorf("reading the scenario %q: %w", o.Scenario, err)
	}
	return scenario, nil
}

// scenarioRecord is a line of --scenario help --json.
type scenarioRecord struct {
	Type        string   `json:"type"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Events      []string `json:"events"`
}

// listScenarios is what --scenario help prints.
func (o *sendOptions) listScenarios() error {
	catalogue, err := o.app.catalogue()
	if err != nil {
		return err
	}
	builtIn, err := fixtures.BuiltInScenarios(o.app.Files)
	if err != nil {
		return err
	}
	p := o.app.printer(o.app.Out)
	rows := [][]string{{p.Bold("scenario"), p.Bold("steps"), p.Bold("the story")}}
	for _, source := range builtIn {
		scenario, err := catalogue.ParseScenario(source.Text, vocabulary())
		if err != nil {
			return fmt.Errorf("reading the scenario %s: %w", source.Name, err)
		}
		if !o.app.JSON {
			rows = append(rows, []string{source.Name, strconv.Itoa(len(scenario.Steps)), scenario.Description})
			continue
		}
		record := scenarioRecord{Type: "scenario", Name: source.Name, Description: scenario.Description}
		for _, step := range scenario.Steps {
			record.Events = append(record.Events, step.Event.Name)
		}
		if err := o.app.writeJSON(record); err != nil {
			return err
		}
	}
	if !o.app.JSON {
		p.Table(rows)
	}
	return p.Err()
}

// printScenarioSchema is what --scenario schema prints.
func (o *sendOptions) printScenarioSchema() error {
	schema, err := fixtures.ScenarioSchema(o.app.Files)
	if err != nil {
		return err
	}
	if o.app.JSON {
		return o.app.writeJSON(struct {
			Type   string          `json:"type"`
			Schema json.RawMessage `json:"schema"`
		}{"schema", schema})
	}
	_, err = o.app.Out.Write(schema)
	return err
}

// completeScenario offers the built-in scenarios, and files.
func (o *sendOptions) completeScenario(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	catalogue, err := o.app.catalogue()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	builtIn, err := fixtures.BuiltInScenarios(o.app.Files)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	list := []string{
		cobra.CompletionWithDesc(scenarioHelp, "list them"),
		cobra.CompletionWithDesc(scenarioSchema, "print the JSON Schema of scenario files"),
	}
	for _, source := range builtIn {
		scenario, err := catalogue.ParseScenario(source.Text, vocabulary())
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		list = append(list, cobra.CompletionWithDesc(source.Name, scenario.Description))
	}
	return list, cobra.ShellCompDirectiveDefault
}
