package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// markdown writes a Markdown page. Its methods take plain text.
type markdown struct{ strings.Builder }

func (m Manual) markdownPage(command *cobra.Command) string {
	d := &markdown{}
	fmt.Fprintf(d, "# %s\n", command.CommandPath())
	d.text(about(command))
	d.literal("text", []string{usage(command)})
	if list := examples(command.Example); len(list) > 0 {
		d.heading(2, "Examples")
		for _, example := range list {
			if example.words != "" {
				fmt.Fprintf(d, "\n%s:\n", proseOf(example.words))
			}
			d.literal("sh", example.commands)
		}
	}
	for i, chapter := range chapters(command) {
		if i == 0 {
			d.heading(2, "Commands")
		}
		d.heading(3, chapter.title)
		d.WriteString("\n")
		for _, sub := range chapter.commands {
			fmt.Fprintf(d, "- [%s](%s.md): %s\n", sub.CommandPath(), pageName(sub), proseOf(lowerFirst(sub.Short)))
		}
	}
	for i, group := range Flags(command) {
		if i == 0 {
			d.heading(2, "Flags")
		}
		if group.Heading != "Flags" {
			d.heading(3, group.Heading)
		}
		d.flags(group.Flags)
	}
	if command.HasParent() {
		fmt.Fprintf(d, "\nThe flags of every command are on [%[1]s](%[1]s.md)'s page.\n", pageName(command.Root()))
	}
	for _, topic := range topics(command) {
		if m.isExit(topic) {
			continue // every page ends with it
		}
		d.heading(2, strings.ToUpper(topic.Name()[:1])+topic.Name()[1:])
		d.text(topic.Long)
	}
	d.heading(2, "Exit codes")
	d.text(m.Exit)
	return d.String()
}

func (d *markdown) heading(level int, text string) {
	fmt.Fprintf(d, "\n%s %s\n", strings.Repeat("#", level), proseOf(text))
}

func (d *markdown) text(text string) {
	for _, block := range blocks(text) {
		switch {
		case block.paragraph != "":
			fmt.Fprintf(d, "\n%s\n", proseOf(block.paragraph))
		case block.terms != nil:
			d.WriteString("\n| | |\n|---|---|\n")
			for _, term := range block.terms {
				fmt.Fprintf(d, "| %s | %s |\n", code(term.name), cell(term.meaning))
			}
		default:
			d.literal("text", block.lines)
		}
	}
}

func (d *markdown) literal(language string, lines []string) {
	fmt.Fprintf(d, "\n```%s\n%s\n```\n", language, strings.Join(lines, "\n"))
}

func (d *markdown) flags(flags *pflag.FlagSet) {
	d.WriteString("\n| flag | meaning |\n|---|---|\n")
	flags.VisitAll(func(flag *pflag.Flag) {
		placeholder, usage := pflag.UnquoteUsage(flag)
		name := "--" + flag.Name
		if placeholder != "" {
			name += " " + placeholder
		}
		name = code(name)
		if flag.Shorthand != "" {
			name = code("-"+flag.Shorthand) + ", " + name
		}
		fmt.Fprintf(d, "| %s | %s |\n", name, cell(usage+defaultOf(flag)))
	})
}

func code(text string) string { return "`" + strings.ReplaceAll(text, "|", `\|`) + "`" }

func cell(text string) string { return strings.ReplaceAll(proseOf(text), "|", `\|`) }

// proseOf keeps plain text from being read as markup.
func proseOf(text string) string {
	return strings.NewReplacer("<", `\<`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`).Replace(text)
}
