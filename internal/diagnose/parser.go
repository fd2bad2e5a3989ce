package diagnose

type parser struct {
	body    []byte
	at      int
	classes [256]class
	doc     *document
}

// peek returns 0 at the end, which no JSON has outside a string.
func (p *parser) peek() byte {
	if p.at < len(p.body) {
		return p.body[p.at]
	}
	return 0
}

func (p *parser) space() {
	for p.at < len(p.body) {
		switch p.body[p.at] {
		case ' ', '\n', '\t', '\r':
			p.at++
		default:
			return
		}
	}
}

func (p *parser) add(k kind, start int, c class) int {
	p.doc.nodes = append(p.doc.nodes, node{kind: k, class: c, start: int32(start), end: int32(p.at)})
	return len(p.doc.nodes) - 1
}

func (p *parser) value(depth int) bool {
	switch p.peek() {
	case '{':
		return depth <= maxDepth && p.object(depth)
	case '[':
		return depth <= maxDepth && p.array(depth)
	case '"':
		return p.string()
	case 't':
		return p.word("true")
	case 'f':
		return p.word("false")
	case 'n':
		return p.word("null")
	default:
		return p.number()
	}
}

func (p *parser) object(depth int) bool {
	object := p.add(kindObject, p.at, 0)
	for first := true; ; first = false {
		more, ok := p.next('}', first)
		if !more {
			p.doc.emptyObject = p.doc.emptyObject || first
			return ok && p.close(object)
		}
		p.doc.members = true
		if p.peek() != '"' || !p.string() {
			return false
		}
		p.space()
		if p.peek() != ':' {
			return false
		}
		p.at++
		p.space()
		if !p.value(depth + 1) {
			return false
		}
	}
}

func (p *parser) array(depth int) bool {
	array := p.add(kindArray, p.at, 0)
	for first := true; ; first = false {
		more, ok := p.next(']', first)
		if !more {
			p.doc.emptyArray = p.doc.emptyArray || first
			return ok && p.close(array)
		}
		p.doc.elements = true
		if !p.value(depth + 1) {
			return false
		}
	}
}

// next moves on to the next member or element, or over the end of the object or
// array, for which it returns false and whether all was well.
func (p *parser) next(end byte, first bool) (more, ok bool) {
	if first {
		p.at++
	}
	p.space()
	switch c := p.peek(); {
	case c == end:
		p.at++
		return false, true
	case first:
		return true, true
	case c != ',':
		return false, false
	}
	p.doc.commas = true
	p.at++
	p.space()
	return true, true
}

func (p *parser) close(container int) bool {
	n := &p.doc.nodes[container]
	n.end, n.link = int32(p.at), int32(len(p.doc.nodes))
	return true
}

func (p *parser) word(word string) bool {
	end := p.at + len(word)
	if end > len(p.body) || string(p.body[p.at:end]) != word {
		return false
	}
	start := p.at
	p.at = end
	p.add(kindWord, start, 0)
	return true
}

func (p *parser) string() bool {
	start := p.at
	var seen class
	at := start + 1
	for ; ; at++ {
		if at >= len(p.body) {
			return false
		}
		c := p.body[at]
		is := p.classes[c]
		seen |= is
		if is&classStop == 0 {
			continue
		}
		if c == '"' {
			break
		}
		size := escapeSize(p.body[at:])
		if size == 0 {
			return false
		}
		at += size - 1
	}
	p.at = at + 1
	seen &^= classStop
	plain := seen
	if seen&(classEscape|classNonASCII) != 0 {
		var escaped class
		plain, escaped = classify(p.body[start+1 : at])
		p.doc.escaped |= escaped
		seen = plain | escaped
	}
	p.doc.plain |= plain
	p.add(kindString, start, seen)
	return true
}

func (p *parser) number() bool {
	start := p.at
	if p.peek() == '-' {
		p.at++
	}
	if p.peek() == '0' {
		p.at++
	} else if !p.digits() {
		return false
	}
	if p.peek() == '.' {
		p.at++
		if !p.digits() {
			return false
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		if !p.digits() {
			return false
		}
	}
	n := p.add(kindNumber, start, 0)
	p.doc.nodes[n].link = p.doc.numbers
	p.doc.numbers++
	return true
}

func (p *parser) digits() bool {
	start := p.at
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.at++
	}
	return p.at > start
}
