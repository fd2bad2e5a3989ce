package delivery

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
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
	if !gjson.ValidBytes(body) {
		return Payload{}, ErrNotObject
	}
	root := gjson.ParseBytes(body)
	if !root.IsObject() {
		return Payload{}, ErrNotObject
	}
	top := firstOf(root, "event", "data")
	data := firstOf(top[1], "referenceId", "dataRequestId", "operationId", "linkId")
	payload := Payload{Event: text(top[0]), Reference: text(data[0])}
	for _, id := range data[1:] {
		if payload.ID = text(id); payload.ID != "" {
			break
		}
	}
	return payload, nil
}

// firstOf returns, of each name, the first member of an object that has it, in one
// pass. What is no object has none.
func firstOf(object gjson.Result, names ...string) []gjson.Result {
	found := make([]gjson.Result, len(names))
	if !object.IsObject() {
		return found
	}
	left := len(names)
	object.ForEach(func(key, value gjson.Result) bool {
		if i := slices.Index(names, key.Str); i >= 0 && !found[i].Exists() {
			found[i] = value
			left--
		}
		return left > 0
	})
	return found
}

func text(value gjson.Result) string {
	if value.Type != gjson.String {
		return ""
	}
	return strings.Clone(value.Str) // which is a piece of the whole body
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
