package diagnose

import (
	"bytes"
	"slices"
	"strings"
)

// maxSpellings bounds how many spellings of one document there are.
const maxSpellings = 120

// spelling is one way to write a document.
type spelling struct {
	layout  layout
	order   order
	strings stringStyle
	numbers numberStyle
	writer  string // the likeliest that writes so; empty where that says nothing
}

// spellings returns the ways in which other writers would spell the document,
// likeliest first, without those that would give the same bytes as an earlier one or
// as the body itself. No more than one goroutine may be in it.
func (d *document) spellings() []spelling { return d.spellingsUpTo(maxSpellings) }

func (d *document) spellingsUpTo(limit int) []spelling {
	d.surveyKeys()
	d.renderNumbers()
	layoutOf := d.foldLayouts()
	orderOf := d.foldOrders()
	stringsOf, stringsRefused := d.foldStrings()
	numbersOf := d.foldNumbers()

	seen := map[spelling]bool{}
	if given, ok := d.givenLayout(); ok {
		seen[spelling{layout: layoutOf[given]}] = true
	}
	var found []spelling
	add := func(name string, s spelling) {
		if stringsRefused[s.strings] || d.rendered[s.numbers].refused || len(found) == limit {
			return
		}
		s = spelling{layoutOf[s.layout], orderOf[s.order], stringsOf[s.strings], numbersOf[s.numbers], ""}
		if !seen[s] {
			seen[s] = true
			s.writer = name
			found = append(found, s)
		}
	}
	for _, w := range writers() {
		for _, layout := range w.layouts {
			for _, order := range w.orders {
				for _, strings := range w.strings {
					for _, numbers := range w.numbers {
						add(w.name, spelling{layout, order, strings, numbers, ""})
					}
				}
			}
		}
	}
	return found
}

// givenLayout returns the layout in which the body is spelled, when it is one of
// those known and nothing stands around it.
func (d *document) givenLayout() (layout, bool) {
	var text []byte
	for l := range layoutCount {
		text = d.spell(text[:0], spelling{layout: l})
		if bytes.Equal(text, d.body) {
			return l, true
		}
	}
	return 0, false
}

// spell appends the document in one of its spellings to dst. Any number of
// goroutines may be in it at once.
func (d *document) spell(dst []byte, s spelling) []byte {
	rules := stringStyles()[s.strings]
	p := printer{
		document: d, dst: dst,
		layout: s.layout.rules(),
		style:  s.strings, rules: rules, touched: s.strings.touches(rules),
		plan: d.plans[s.order],
	}
	if s.numbers != numbersAsGiven {
		p.numbers = &d.rendered[s.numbers]
	}
	p.value(0, 0)
	return p.dst
}

// describe says how the spelling differs from the body: the layout always, what else
// differs, and who writes so. Of the body it shows no more than one number.
func (d *document) describe(s spelling) string {
	words := []string{s.layout.rules().words}
	switch s.order {
	case orderRead:
		words = append(words, "the last of repeated keys")
	case orderES:
		words = append(words, "number-like keys first")
	case orderSorted, orderUTF16:
		words = append(words, "sorted keys")
	case orderSortedES:
		words = append(words, "sorted keys, number-like ones first")
	case orderDocumented:
		words = append(words, "members in the documented order")
	case orderPHPArray:
		words = append(words, "objects as PHP arrays")
	}
	words = append(words, d.describeStrings(s.strings)...)
	if given, spelled, ok := d.firstDifference(s.numbers); ok {
		words = append(words, "numbers as "+cutNumber(spelled)+" for "+cutNumber(given))
	}
	if s.writer != "" {
		words = append(words, "as "+s.writer+" writes it")
	}
	return strings.Join(words, ", ")
}

func (d *document) describeStrings(s stringStyle) []string {
	if s == stringsAsGiven {
		return nil
	}
	var words []string
	escaped := stringStyles()[s].escaped
	for _, what := range []struct {
		class class
		words string
		plain string
	}{
		{classSlash, "escaped slashes", "plain slashes"},
		{classNonASCII | classAstral, "escaped non-ASCII", "plain non-ASCII"},
		{classHTML | classApostrophe | classEquals | classPlus, "HTML escapes", "no HTML escapes"},
		{classSeparator, "escaped line separators", "plain line separators"},
	} {
		if what.class == classSeparator && slices.ContainsFunc(words, func(w string) bool { return strings.HasSuffix(w, "non-ASCII") }) {
			continue
		}
		switch {
		case escaped&what.class&d.plain != 0:
			words = append(words, what.words)
		case s != stringsAsGivenHTML && what.class&d.escaped&^escaped != 0:
			words = append(words, what.plain)
		}
	}
	if words == nil {
		words = append(words, "escapes spelled otherwise")
	}
	return words
}

// firstDifference returns the first number that the style spells otherwise.
func (d *document) firstDifference(s numberStyle) (given, spelled []byte, differs bool) {
	for _, n := range d.nodes {
		if n.kind != kindNumber || s == numbersAsGiven {
			continue
		}
		given, spelled = d.body[n.start:n.end], d.rendered[s].number(n.link)
		if !bytes.Equal(given, spelled) {
			return given, spelled, true
		}
	}
	return nil, nil, false
}

// cutNumber shows a number in no more than 20 characters.
func cutNumber(number []byte) string {
	if len(number) > 20 {
		return string(number[:19]) + "…"
	}
	return string(number)
}
