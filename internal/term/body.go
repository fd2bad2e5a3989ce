package term

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/tidwall/pretty"

	"github.com/leapfinancial/m2m/internal/delivery"
)

const indent = "    "

// startLines and startBytes are how much of an answer or of a body that is no
// payload is shown, wholeBytes how long a payload is at most that is shown whole.
const (
	startLines = 8
	startBytes = 1 << 10
	wholeBytes = 64 << 10
)

// payload returns a body as an indented view for people: JSON on several lines, in
// colour where there is colour, anything else and what nobody would read by its start.
// The bytes themselves are in the record. With --redact, the known values are masked, too.
func (p *Printer) payload(body []byte, known ...string) string {
	if _, err := delivery.ReadPayload(body); err != nil || len(body) > wholeBytes {
		return p.start(body, known...)
	}
	body = p.hide(body)
	if p.redact {
		body = Redact(body, known...)
	}
	view := []byte(safeLines(string(pretty.PrettyOptions(body, &pretty.Options{Width: 72, Indent: "  "}))))
	if p.styles.on {
		view = pretty.Color(view, nil)
	}
	return indentLines(string(bytes.TrimRight(view, "\n")))
}

// start returns the beginning of a body, indented.
func (p *Printer) start(body []byte, known ...string) string {
	if len(body) == 0 {
		return ""
	}
	body = p.hide(body) // before it is cut, which might leave a part of a secret
	if p.redact {
		body = Redact(body, known...)
	}
	shown := body[:min(len(body), startBytes)]
	lines := strings.SplitAfterN(string(shown), "\n", startLines+1)
	text := strings.Join(lines[:min(len(lines), startLines)], "")
	view := indentLines(safeLines(strings.TrimRight(text, "\n")))
	if rest := len(body) - len(text); rest > 0 {
		view += p.styles.faint.Sprintf("%s… %d more bytes\n", indent, rest)
	}
	return view
}

func (p *Printer) headers(headers delivery.Headers) string {
	var b strings.Builder
	for _, h := range headers {
		fmt.Fprintf(&b, "%s%s: %s\n", indent, Safe(h.Name), Safe(h.Value))
	}
	return b.String()
}

func safeLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		// A tab moves the cursor no further than a reader expects.
		lines[i] = Safe(strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", "  "))
	}
	return strings.Join(lines, "\n")
}

func indentLines(text string) string {
	return indent + strings.ReplaceAll(text, "\n", "\n"+indent) + "\n"
}
