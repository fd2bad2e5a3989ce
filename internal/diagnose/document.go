package diagnose

import (
	"math"
	"unicode/utf8"
)

// maxDepth is the deepest nesting of objects and arrays that is read.
const maxDepth = 1000

type kind uint8

const (
	kindObject kind = iota
	kindArray
	kindString
	kindNumber
	kindWord // true, false or null
)

// node is one value or key of a document. The nodes stand in the order of the
// text: an object is followed by its keys and values in turn, an array by its
// elements.
type node struct {
	start, end int32 // of the text in the body, a string's quotes included
	link       int32 // object, array: the node after the last one inside; number: its place among the numbers
	class      class // of a string: what is in it
	kind       kind
}

// document is JSON as it was given, with what is needed to spell it otherwise.
type document struct {
	body    []byte
	nodes   []node
	numbers int32 // how many

	plain, escaped class // what stands in the strings plainly, and by an escape
	emptyObject    bool
	emptyArray     bool
	members        bool // some object has a member
	elements       bool // some array has an element
	commas         bool

	// ranks says where the event's documented sample has its keys; nil without one.
	ranks    map[string]int
	keys     keyFacts
	plans    [orderCount][]int32
	rendered [numberCount]rendering
}

// parseDocument reads a body as JSON. It is not ok when the body is no JSON, when its
// top is no object or array, when it is no UTF-8 or begins with a byte order mark,
// and when it nests deeper than maxDepth.
func parseDocument(body []byte) (doc *document, ok bool) {
	if len(body) > math.MaxInt32 || !utf8.Valid(body) {
		return nil, false
	}
	p := parser{body: body, classes: byteClasses(), doc: &document{body: body}}
	p.doc.nodes = make([]node, 0, len(body)/12+8)
	p.space()
	if c := p.peek(); c != '{' && c != '[' {
		return nil, false
	}
	if !p.value(1) {
		return nil, false
	}
	p.space()
	return p.doc, p.at == len(body)
}
