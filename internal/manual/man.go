package manual

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// roff writes a man page. Its methods take plain text.
type roff struct{ strings.Builder }

func (m Manual) manPage(command *cobra.Command) string {
	r := &roff{}
	date := `""`
	if !m.Date.IsZero() {
		date = m.Date.UTC().Format(time.DateOnly) // not escaped, or mandoc cannot read it
	}
	name := pageName(command)
	r.line(fmt.Sprintf(`.TH "%s" "1" %s "%s" "%s manual"`, escape(strings.ToUpper(name)), date, escape(m.Root.Name()+" "+m.Version), escape(m.Root.Name())))
	// A command line is no text to be hyphenated, nor to be stretched.
	r.line(".nh")
	r.line(".ad l")
	r.macro("SH", "NAME")
	r.line(escape(name) + ` \- ` + escape(lowerFirst(command.Short)))
	r.macro("SH", "SYNOPSIS")
	words := strings.TrimPrefix(usage(command), command.CommandPath())
	r.line(bold(command.CommandPath()) + escape(words))
	r.macro("SH", "DESCRIPTION")
	r.text(about(command))
	r.examples(command.Example)
	r.commands(command)
	for i, group := range Flags(command) {
		if i == 0 {
			r.macro("SH", "OPTIONS")
		}
		if group.Heading != "Flags" {
			r.macro("SS", group.Heading)
		}
		r.flags(group.Flags)
	}
	if global := globalFlags(command); global.HasFlags() {
		r.macro("SH", "GLOBAL OPTIONS")
		r.flags(global)
	}
	for _, topic := range topics(command) {
		if m.isExit(topic) {
			continue // every page ends with it
		}
		r.macro("SH", strings.ToUpper(topic.Name()))
		r.text(topic.Long)
	}
	r.macro("SH", "EXIT STATUS")
	r.text(m.Exit)
	r.seeAlso(command)
	return r.String()
}

func (r *roff) line(escaped string) { r.WriteString(escaped + "\n") }

func (r *roff) macro(name string, arguments ...string) {
	r.WriteString("." + name)
	for _, argument := range arguments {
		r.WriteString(` "` + strings.ReplaceAll(escape(argument), `"`, `\(dq`) + `"`)
	}
	r.WriteString("\n")
}

func (r *roff) text(text string) {
	for i, block := range blocks(text) {
		if i > 0 {
			r.line(".PP")
		}
		switch {
		case block.paragraph != "":
			r.line(escape(block.paragraph))
		case block.terms != nil:
			for _, term := range block.terms {
				r.line(".TP")
				r.line(bold(term.name))
				r.line(escape(term.meaning))
			}
		default:
			r.literal(block.lines)
		}
	}
}

// literal writes lines that stay as they are, indented.
func (r *roff) literal(lines []string) {
	r.line(".RS 4")
	r.line(".nf")
	for _, line := range lines {
		r.line(escape(line))
	}
	r.line(".fi")
	r.line(".RE")
}

func (r *roff) examples(text string) {
	for i, example := range examples(text) {
		if i == 0 {
			r.macro("SH", "EXAMPLES")
		} else {
			r.line(".PP")
		}
		if example.words != "" {
			r.line(escape(example.words + ":"))
			r.line(".PP")
		}
		r.literal(example.commands)
	}
}

func (r *roff) commands(command *cobra.Command) {
	for i, chapter := range chapters(command) {
		if i == 0 {
			r.macro("SH", "COMMANDS")
		}
		r.macro("SS", chapter.title)
		for _, sub := range chapter.commands {
			r.line(".TP")
			r.line(bold(pageName(sub)) + "(1)")
			r.line(escape(sub.Short))
		}
	}
}

func (r *roff) flags(flags *pflag.FlagSet) {
	flags.VisitAll(func(flag *pflag.Flag) {
		placeholder, usage := pflag.UnquoteUsage(flag)
		name := bold("--" + flag.Name)
		if flag.Shorthand != "" {
			name = bold("-"+flag.Shorthand) + ", " + name
		}
		if placeholder != "" {
			name += ` \fI` + escape(placeholder) + `\fR`
		}
		r.line(".TP")
		r.line(name)
		r.line(escape(usage + defaultOf(flag)))
	})
}

// defaultOf is what is told of a flag's default, where it is not nothing.
func defaultOf(flag *pflag.Flag) string {
	switch flag.DefValue {
	case "", "0", "false", "[]", "0s":
		return ""
	}
	return fmt.Sprintf(" (default %s)", flag.DefValue)
}

func (r *roff) seeAlso(command *cobra.Command) {
	var names []string
	if command.HasParent() {
		for _, other := range tree(command.Root()) {
			if other != command && (other == command.Parent() || other.Parent() == command.Parent()) {
				names = append(names, bold(pageName(other))+"(1)")
			}
		}
	}
	if len(names) > 0 {
		r.macro("SH", "SEE ALSO")
		r.line(strings.Join(names, ", "))
	}
}

func bold(text string) string { return `\fB` + escape(text) + `\fR` }

// escape makes text safe for roff: nothing in it is a request, and what a shell has to
// read is not replaced by a prettier character.
func escape(text string) string {
	text = strings.NewReplacer(
		`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`,
	).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	var b strings.Builder
	for _, r := range text {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\[u%04X]`, r)
		}
	}
	return b.String()
}

// lowerFirst is how a page's name is described.
func lowerFirst(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToLower(first)) + text[size:]
}
