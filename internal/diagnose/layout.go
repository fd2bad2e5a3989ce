package diagnose

// layout is the white space between the tokens.
type layout uint8

const (
	compact layout = iota
	twoSpace
	fourSpace
	tabs
	pythonSeparators
	jacksonPretty
	oldRubyPretty // before version 2.8 of the gem
	layoutCount
)

type layoutRules struct {
	words        string // how a person calls it
	indent       string // a new line for each member, when not empty
	comma, colon string
	emptyObject  string
	emptyArray   string
	emptyLines   bool // new lines in what is empty, too
	inlineArrays bool // elements in a row, without a level of their own
}

func (l layout) rules() layoutRules {
	r := layoutRules{words: "compact", comma: ",", colon: ":", emptyObject: "{}", emptyArray: "[]"}
	switch l {
	case twoSpace:
		r.words, r.indent, r.colon = "two-space", "  ", ": "
	case fourSpace:
		r.words, r.indent, r.colon = "four-space", "    ", ": "
	case tabs:
		r.words, r.indent, r.colon = "tab-indented", "\t", ": "
	case pythonSeparators:
		r.words, r.comma, r.colon = "with Python's separators", ", ", ": "
	case oldRubyPretty:
		r.words, r.indent, r.colon, r.emptyLines = "two-space with new lines in {} and []", "  ", ": ", true
	case jacksonPretty:
		return layoutRules{
			words: "in Jackson's pretty layout", indent: "  ", comma: ",", colon: " : ",
			emptyObject: "{ }", emptyArray: "[ ]", inlineArrays: true,
		}
	}
	return r
}

// foldLayouts returns for each layout the first that is the same for this document.
func (d *document) foldLayouts() (same [layoutCount]layout) {
	for l := range layoutCount {
		same[l] = l
	}
	if !d.emptyObject && !d.emptyArray {
		same[oldRubyPretty] = twoSpace
	}
	if !d.members && !d.elements {
		same[twoSpace], same[fourSpace], same[tabs] = compact, compact, compact
	}
	if !d.members && !d.commas {
		same[pythonSeparators] = compact
	}
	return same
}

// printer writes a document in one spelling.
type printer struct {
	*document
	dst     []byte
	layout  layoutRules
	style   stringStyle
	rules   stringRules
	touched class
	plan    []int32    // nil in the order given
	numbers *rendering // nil as given
}

func (p *printer) value(at int32, depth int) {
	n := &p.nodes[at]
	switch {
	case n.kind == kindObject:
		p.object(at, depth)
	case n.kind == kindArray:
		p.array(at, depth)
	case n.kind == kindString && n.class&p.touched != 0:
		p.dst = p.style.appendString(p.dst, p.body[n.start:n.end], p.rules)
	case n.kind == kindNumber && p.numbers != nil:
		p.dst = append(p.dst, p.numbers.number(n.link)...)
	default:
		p.dst = append(p.dst, p.body[n.start:n.end]...)
	}
}

func (p *printer) object(object int32, depth int) {
	if p.plan != nil && p.plan[object] == listed {
		p.list(object, depth)
		return
	}
	end := p.nodes[object].link
	if object+1 == end && !p.layout.emptyLines {
		p.dst = append(p.dst, p.layout.emptyObject...)
		return
	}
	p.dst = append(p.dst, '{')
	for place := object + 1; place < end; place = p.after(place + 1) {
		key := place
		if p.plan != nil {
			if key = p.plan[place]; key == 0 {
				break
			}
		}
		if place > object+1 {
			p.dst = append(p.dst, p.layout.comma...)
		}
		p.newLine(depth + 1)
		p.value(key, depth+1)
		p.dst = append(p.dst, p.layout.colon...)
		p.value(key+1, depth+1)
	}
	p.newLine(depth)
	p.dst = append(p.dst, '}')
}

// list writes the values of an object as a list.
func (p *printer) list(object int32, depth int) {
	end := p.nodes[object].link
	if object+1 == end {
		p.dst = append(p.dst, p.layout.emptyArray...)
		return
	}
	p.dst = append(p.dst, '[')
	for place := object + 1; place < end && p.plan[place] != 0; place = p.after(place + 1) {
		p.element(p.plan[place]+1, depth, place == object+1)
	}
	p.endArray(depth)
}

func (p *printer) array(array int32, depth int) {
	end := p.nodes[array].link
	if array+1 == end && !p.layout.emptyLines {
		p.dst = append(p.dst, p.layout.emptyArray...)
		return
	}
	p.dst = append(p.dst, '[')
	if array+1 == end {
		p.newLine(0)
	}
	for at := array + 1; at < end; at = p.after(at) {
		p.element(at, depth, at == array+1)
	}
	p.endArray(depth)
}

func (p *printer) element(at int32, depth int, first bool) {
	if !first {
		p.dst = append(p.dst, p.layout.comma...)
	}
	if p.layout.inlineArrays {
		p.dst = append(p.dst, ' ')
	} else {
		depth++
		p.newLine(depth)
	}
	p.value(at, depth)
}

func (p *printer) endArray(depth int) {
	if p.layout.inlineArrays {
		p.dst = append(p.dst, ' ')
	} else {
		p.newLine(depth)
	}
	p.dst = append(p.dst, ']')
}

func (p *printer) newLine(depth int) {
	if p.layout.indent == "" {
		return
	}
	p.dst = append(p.dst, '\n')
	for range depth {
		p.dst = append(p.dst, p.layout.indent...)
	}
}
