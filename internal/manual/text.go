package manual

import "strings"

// block is a part of a command's Long: one of a paragraph, a list of terms with what
// they mean, and lines that stay as they are.
type block struct {
	paragraph string
	terms     []term
	lines     []string
}

type term struct{ name, meaning string }

// blocks reads the plain text of a help page. Lines are indented by two spaces where
// they are no paragraph. Where the first of them is "  name  meaning" they are a list,
// whose meanings go on in lines that are indented by more.
func blocks(text string) []block {
	var list []block
	for part := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		var plain, indented []string
		for line := range strings.SplitSeq(strings.Trim(part, "\n"), "\n") {
			if strings.HasPrefix(line, "  ") {
				indented = append(indented, line)
			} else {
				plain = append(plain, line)
			}
		}
		if len(plain) > 0 {
			list = append(list, block{paragraph: strings.Join(plain, " ")})
		}
		if len(indented) > 0 {
			list = append(list, indentedBlock(indented))
		}
	}
	return list
}

func indentedBlock(lines []string) block {
	if !strings.Contains(strings.TrimLeft(lines[0], " "), "  ") {
		return block{lines: dedent(lines)}
	}
	var terms []term
	for _, line := range lines {
		text := strings.TrimLeft(line, " ")
		if indent := len(line) - len(text); indent > 2 && len(terms) > 0 {
			last := &terms[len(terms)-1]
			last.meaning = strings.TrimLeft(last.meaning+" "+text, " ")
			continue
		}
		// A long name stands alone, its meaning below it.
		name, meaning, _ := strings.Cut(text, "  ")
		terms = append(terms, term{name, strings.TrimLeft(meaning, " ")})
	}
	return block{terms: terms}
}

// dedent takes two spaces away from each line.
func dedent(lines []string) []string {
	list := make([]string, len(lines))
	for i, line := range lines {
		list[i] = strings.TrimPrefix(line, "  ")
	}
	return list
}

// example is a few commands and the words above them.
type example struct {
	words    string
	commands []string
}

// examples reads a command's Example: lines that begin with # say what the lines below
// them do.
func examples(text string) []example {
	var list []example
	for part := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		var e example
		for _, line := range dedent(strings.Split(part, "\n")) {
			if words, ok := strings.CutPrefix(line, "# "); ok {
				e.words = strings.TrimSpace(e.words + " " + words)
			} else if line != "" {
				e.commands = append(e.commands, line)
			}
		}
		if e.words != "" || len(e.commands) > 0 {
			list = append(list, e)
		}
	}
	return list
}
