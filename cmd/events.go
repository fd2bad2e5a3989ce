package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/leapfinancial/m2m/internal/fixtures"
)

type eventsOptions struct {
	app *app

	Event           string
	Schema, Vectors bool
}

const eventsExamples = `  # The five events
  m2m events

  # A documented sample, byte for byte
  m2m events operation.created

  # The JSON Schema of its payloads
  m2m events operation.created --schema

  # Signature test vectors, for checking an implementation in any language
  m2m events --vectors`

func newEventsCmd(a *app, runF func(context.Context, *eventsOptions) error) *cobra.Command {
	opts := &eventsOptions{app: a}
	if runF == nil {
		runF = runEvents
	}
	cmd := &cobra.Command{
		Use:     "events [EVENT]",
		Long:    "List the events, or print one's sample, its JSON Schema or the test vectors.\n\nA vector has name, secret, timestamp, body or else bodyBase64, signature, valid\nand, when it is not, reason. The timestamp and the signature are the headers'\ntexts, absent where the header is. A timestamp is well formed when it is ASCII\ndigits alone and less than 2^63; how old it is does not matter here.",
		Example: eventsExamples,
		Args:    atMostOne("EVENT"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.completeEvent(cmd, args, typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.Event = args[0]
			}
			switch {
			case opts.Event != "" && opts.Vectors:
				return errors.New("EVENT and --vectors exclude each other")
			case opts.Schema && opts.Vectors:
				return errors.New("--schema and --vectors exclude each other")
			case opts.Schema && opts.Event == "":
				return withHint(errors.New("--schema needs an EVENT"), "m2m events lists them; then, say, m2m events link.created --schema")
			}
			return runF(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.Schema, "schema", false, "print the JSON Schema of the event's payloads")
	cmd.Flags().BoolVar(&opts.Vectors, "vectors", false, "print the signature test vectors, a JSON list")
	return cmd
}

func runEvents(_ context.Context, o *eventsOptions) error {
	catalogue, err := o.app.catalogue()
	switch {
	case err != nil:
		return err
	case o.Vectors:
		return o.vectors(catalogue)
	case o.Event != "":
		return o.event(catalogue)
	case o.app.JSON:
		for _, event := range catalogue.Events() {
			if err := o.app.writeJSON(eventRecord(event)); err != nil {
				return err
			}
		}
		return nil
	}
	p := o.app.printer(o.app.Out)
	rows := [][]string{{"EVENT", "SENT WHEN", "ID"}}
	for _, event := range catalogue.Events() {
		rows = append(rows, []string{event.Name, event.Summary, event.ID})
	}
	p.Table(rows)
	return p.Err()
}

func eventRecord(event fixtures.Event) any {
	return struct {
		Type   string `json:"type"`
		Event  string `json:"event"`
		When   string `json:"sentWhen"`
		ID     string `json:"id"`
		Sample string `json:"sample"`
	}{"event", event.Name, event.Summary, event.ID, string(event.Sample)}
}

func schemaRecord(event fixtures.Event) any {
	return struct {
		Type   string          `json:"type"`
		Event  string          `json:"event"`
		Schema json.RawMessage `json:"schema"`
	}{"schema", event.Name, event.Schema}
}

// event prints the sample of one event, or its schema.
func (o *eventsOptions) event(catalogue *fixtures.Catalogue) error {
	event, err := catalogue.Event(o.Event)
	if err != nil {
		return err
	}
	record, text := eventRecord(event), event.Sample
	if o.Schema {
		record, text = schemaRecord(event), event.Schema
	}
	if o.app.JSON {
		return o.app.writeJSON(record)
	}
	_, err = o.app.Out.Write(text)
	return err
}

func (o *eventsOptions) vectors(catalogue *fixtures.Catalogue) error {
	if !o.app.JSON {
		_, err := o.app.Out.Write(catalogue.Vectors())
		return err
	}
	var vectors []map[string]any
	if err := json.Unmarshal(catalogue.Vectors(), &vectors); err != nil {
		return fmt.Errorf("reading the signature vectors: %w", err)
	}
	for _, vector := range vectors {
		vector["type"] = "vector"
		if err := o.app.writeJSON(vector); err != nil {
			return err
		}
	}
	return nil
}
