package delivery

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
)

// MaxNesting is how deep a payload may nest. M2M's own nest three deep.
const MaxNesting = 1000

// ErrNotObject is returned for a body that is not a JSON object.
var ErrNotObject = errors.New("the body is not a JSON object")

// Payload is what a body says of itself. Nothing of it is to be trusted before the
// signature over the body has been checked.
type Payload struct {
	// Event is the "event" member.
	Event string
	// ID is the id of what the event is about: the data request's, the
	// operation's or the link's, whichever comes first in data.
	ID string
	// Reference is the partner's own id of the user, data.referenceId.
	Reference string
}

// ReadPayload reads those members of a body. The error wraps ErrNotObject or says
// that the body nests too deep; members that are not there are empty.
func ReadPayload(body []byte) (Payload, error) {
	// Few brackets nest no deeper than they are many, and are counted fast.
	if bytes.Count(body, []byte("{"))+bytes.Count(body, []byte("[")) > MaxNesting {
		if depth := Nesting(body); depth > MaxNesting {
			return Payload{}, fmt.Errorf("the body nests %d deep, more than %d", depth, MaxNesting)
		}
	}
	p := passer{text: body}
	payload := p.payload()
	if p.next(); p.failed || p.at < len(body) {
		return Payload{}, ErrNotObject
	}
	return payload, nil
}

// payload passes an object and returns what it says. Of members of the same name the
// first counts, whatever it is.
func (p *passer) payload() Payload {
	var event, reference, dataRequest, operation, link mention
	members := func(name []byte) {
		switch string(name) {
		case "referenceId":
			p.mention(&reference)
		case "dataRequestId":
			p.mention(&dataRequest)
		case "operationId":
			p.mention(&operation)
		case "linkId":
			p.mention(&link)
		default:
			p.value()
		}
	}
	hasData := false
	p.object(func(name []byte) {
		switch {
		case string(name) == "event":
			p.mention(&event)
		case string(name) == "data" && !hasData:
			hasData = true
			if p.next() == '{' {
				p.object(members)
				return
			}
			p.value()
		default:
			p.value()
		}
	})
	id := cmp.Or(dataRequest.text, operation.text, link.text)
	return Payload{Event: event.text, ID: id, Reference: reference.text}
}

// mention is the first member of a name: its text, where it is a string.
type mention struct {
	made bool
	text string
}

// mention passes a member's value, and keeps it where it is the first.
func (p *passer) mention(m *mention) {
	if p.next() == '"' && !m.made {
		m.text = string(p.string())
	} else {
		p.value()
	}
	m.made = true
}

// Nesting returns how deep the brackets outside of strings go, whatever else the
// bytes are. It needs no memory, unlike a parser that is led down a hostile body.
func Nesting(body []byte) int {
	depth, deepest := 0, 0
	inString, escaped := false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case inString:
			inString, escaped = c != '"', c == '\\'
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// EventOf returns the event type of a delivery: what the signed body says, or the
// unsigned header where the body says nothing.
func EventOf(request Request) string {
	if payload, err := ReadPayload(request.Body); err == nil && payload.Event != "" {
		return payload.Event
	}
	event, _ := request.Headers.Get(EventHeader)
	return event
}
