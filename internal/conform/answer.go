package conform

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
)

// answers says what came back, equal answers counted; of bodies, what the mask leaves.
func answers(records []delivery.Record, mask func([]byte) []byte) string {
	var texts []string
	counts := map[string]int{}
	for _, record := range records {
		text := answer(record, mask)
		if counts[text]++; counts[text] == 1 {
			texts = append(texts, text)
		}
	}
	for i, text := range texts {
		if n := counts[text]; len(records) > 1 {
			texts[i] = fmt.Sprintf("%d × %s", n, text)
		}
	}
	const most = 5
	if len(texts) > most {
		texts = append(texts[:most], fmt.Sprintf("and %d other answers", len(texts)-most))
	}
	return strings.Join(texts, "; ")
}

// answer says what came back for one delivery: the status, where a redirect leads, and
// how the body begins.
func answer(record delivery.Record, mask func([]byte) []byte) string {
	if record.Error != nil {
		return "no answer (" + record.Error.Kind + "): " + record.Error.Message
	}
	response := record.Response
	text := strings.TrimSpace(fmt.Sprintf("%d %s", response.Status, response.Phrase()))
	if location, ok := response.Headers.Get("Location"); ok && isRedirect(response.Status) {
		text += " to " + location
	}
	body := response.Body
	if mask != nil {
		body = mask(body)
	}
	if start := excerpt(body); start != "" {
		text += ", " + start
	}
	if response.Truncated {
		text += fmt.Sprintf(", longer than %d MiB: the rest was not read", endpoint.MaxAnswer>>20)
	}
	return text
}

// excerpt returns the beginning of an answer's text, quoted; of a page, that of what it
// shows.
func excerpt(body []byte) string {
	const longest = 80
	text := strings.ToValidUTF8(string(bytes.TrimSpace(body[:min(len(body), 8<<10)])), "\uFFFD")
	if strings.HasPrefix(text, "<") {
		text = shown(text)
	}
	line, more, _ := strings.Cut(text, "\n")
	line = strings.TrimSpace(line)
	letters := []rune(line)
	switch {
	case line == "":
		return ""
	case len(letters) > longest || strings.TrimSpace(more) != "":
		return `"` + string(letters[:min(len(letters), longest)]) + `…"`
	}
	return `"` + line + `"`
}

// shown returns the text of an HTML page: error pages hide what went wrong between tags.
func shown(page string) string {
	var b strings.Builder
	for page != "" {
		text, rest, _ := strings.Cut(page, "<")
		b.WriteString(text)
		tag, after, closed := strings.Cut(rest, ">")
		if !closed {
			break
		}
		page = after
		switch name := strings.ToLower(strings.Trim(tag, "/ ")); name {
		case "title", "style", "script":
			if !strings.HasPrefix(tag, "/") {
				_, page, _ = strings.Cut(page, "</"+tag)
				_, page, _ = strings.Cut(page, ">")
			}
		case "br", "p", "div", "h1", "pre", "li", "tr":
			b.WriteString("\n")
		}
	}
	var lines []string
	for line := range strings.Lines(html.UnescapeString(b.String())) {
		if words := strings.Fields(line); len(words) > 0 {
			lines = append(lines, strings.Join(words, " "))
		}
	}
	return strings.Join(lines, "\n")
}
