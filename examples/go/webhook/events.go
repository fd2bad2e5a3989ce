package webhook

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

const (
	linkCreated        = "link.created"
	linkOpened         = "link.opened"
	dataRequested      = "user.data_request"
	operationCreated   = "operation.created"
	operationCancelled = "operation.cancelled"
)

// event is the body of a delivery. What Data holds depends on the type, and nothing is
// known of the types that M2M may add.
type event struct {
	Type string          `json:"event"`
	Data json.RawMessage `json:"data"`
}

// id returns the id of the thing that the event is about and the name of its member,
// which is empty for an unknown type. Together with the type it is all there is to
// recognise a repeat by: events have no id of their own.
func (e event) id() (id, member string) {
	var data struct {
		LinkID        string `json:"linkId"`
		DataRequestID string `json:"dataRequestId"`
		OperationID   string `json:"operationId"`
	}
	// A member of another type than expected stays empty, and so is reported below.
	_ = json.Unmarshal(e.Data, &data)
	switch e.Type {
	case linkCreated, linkOpened:
		return data.LinkID, "linkId"
	case dataRequested:
		return data.DataRequestID, "dataRequestId"
	case operationCreated, operationCancelled:
		return data.OperationID, "operationId"
	}
	return "", ""
}

// record notes the effect of an event and says whether it is a new one. %+q keeps line
// breaks and what a terminal would obey out of the log.
func (h *Handler) record(e event) (isNew bool, err error) {
	id, member := e.id()
	switch {
	case member == "":
		// M2M may add events at any time. A refusal would only have it sent again.
		h.log.Printf("%+q unknown, ignored", e.Type)
		return false, nil
	case id == "":
		// Otherwise all events without an id would be repeats of the first.
		h.log.Printf("%s without %s, ignored", e.Type, member)
		return false, nil
	}
	isNew, status, err := h.events.add(e.Type, id)
	switch {
	case err != nil:
		return false, err
	case !isNew:
		h.log.Printf("%s %+q duplicate ignored", e.Type, id)
	case e.Type == operationCreated && status == cancelled:
		h.log.Printf("%s %+q recorded, stays cancelled", e.Type, id)
	default:
		h.log.Printf("%s %+q recorded", e.Type, id)
	}
	return isNew, nil
}

const (
	created   = "created"
	cancelled = "cancelled"
)

// store stands in for the database.
type store struct {
	mu         sync.Mutex
	recorded   map[key]bool
	operations map[string]string // operationId → status
	effects    io.Writer
}

type key struct{ event, id string }

// add notes an event and returns whether it is a new one and, for events of operations,
// the operation's status after it.
//
// A delivery may come twice, also twice at the same moment, so the look and the note
// are one step under one lock. In production this is one INSERT with a unique key on
// (event, id): reading first and writing later lets two deliveries both find nothing.
func (s *store) add(eventType, id string) (isNew bool, status string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := key{eventType, id}
	if s.recorded[k] {
		return false, s.operations[id], nil
	}
	if _, err := fmt.Fprintf(s.effects, "%s %+q\n", eventType, id); err != nil {
		return false, "", err
	}
	s.recorded[k] = true
	switch {
	case eventType == operationCancelled:
		s.operations[id] = cancelled
	case eventType == operationCreated && s.operations[id] != cancelled:
		// Deliveries may overtake each other: what is cancelled stays cancelled.
		s.operations[id] = created
	}
	return true, s.operations[id], nil
}
