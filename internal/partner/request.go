package partner

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// DataRequestEvent is the type of the event that asks for user data.
const DataRequestEvent = "user.data_request"

// DataRequest is what a user.data_request event asks for.
type DataRequest struct {
	// DataRequestID has passed CheckID.
	DataRequestID string
	ReferenceID   string
	LinkID        string
	// RequiredFields are dotted paths into userData, in the payload's order. They
	// need not be among the documented ones.
	RequiredFields []string
	// ReplyEndpoint is the URL that the payload names. Nothing about it is checked:
	// Answer.Check decides whether a key may go there.
	ReplyEndpoint string
	// ExpiresAt is the last moment at which an answer is in time.
	ExpiresAt time.Time
}

// Expired says whether the deadline has passed.
func (d DataRequest) Expired(now time.Time) bool { return now.After(d.ExpiresAt) }

// OtherEventError is a payload of another event type than user.data_request.
type OtherEventError struct {
	// Event is the type, from outside; empty when the payload names none.
	Event string
}

func (e *OtherEventError) Error() string {
	if e.Event == "" {
		return "the payload names no event"
	}
	return fmt.Sprintf("the event is %q, not %s", e.Event, DataRequestEvent)
}

// ParseDataRequest reads the payload of a user.data_request event. It returns a
// *NotObjectError for bytes that are no JSON object, an *OtherEventError for
// another event, and otherwise an error that names each member that is missing or
// of another type, by path. Unknown members are passed over.
func ParseDataRequest(payload []byte) (DataRequest, error) {
	root, err := parseObject(payload)
	if err != nil {
		return DataRequest{}, err
	}
	event := root.Get("event")
	if event.Type != gjson.String || event.Str != DataRequestEvent {
		return DataRequest{}, &OtherEventError{Event: event.String()}
	}
	m := members{data: root.Get("data")}
	if !m.data.Exists() {
		return DataRequest{}, errors.New("data: missing")
	}
	if !m.data.IsObject() {
		return DataRequest{}, errors.New("data: " + kindName(m.data) + ", not an object")
	}
	request := DataRequest{
		DataRequestID:  m.text("dataRequestId"),
		ReferenceID:    m.text("referenceId"),
		LinkID:         m.text("linkId"),
		RequiredFields: m.texts("requiredFields"),
		ReplyEndpoint:  m.text("replyEndpoint"),
		ExpiresAt:      m.moment("expiresAt"),
	}
	if len(m.faults) > 0 {
		return DataRequest{}, errors.New(strings.Join(m.faults, "; "))
	}
	if err := CheckID(request.DataRequestID); err != nil {
		return DataRequest{}, fmt.Errorf("data.dataRequestId: %w", err)
	}
	return request, nil
}

// CheckID returns why id can be no data request's, or nil. What is refused could
// make a server read the path of the reply as another one.
func CheckID(id string) error {
	switch {
	case id == "":
		return errors.New("it is empty")
	case id == "." || id == "..":
		return fmt.Errorf("%q is a step in a path, not an id", id)
	case !utf8.ValidString(id):
		return errors.New("it is not valid UTF-8")
	case strings.ContainsFunc(id, unicode.IsControl):
		return errors.New("it has control characters in it")
	case strings.ContainsAny(id, `/\`):
		return fmt.Errorf("%q has a slash in it", id)
	}
	return nil
}

// members reads the members of a payload's data and collects what is wrong with
// them, in words.
type members struct {
	data   gjson.Result
	faults []string
}

func (m *members) fault(name, text string) {
	m.faults = append(m.faults, "data."+name+": "+text)
}

func (m *members) get(name string, is func(gjson.Result) bool, want string) (gjson.Result, bool) {
	value := m.data.Get(name)
	if !value.Exists() {
		m.fault(name, "missing")
		return gjson.Result{}, false
	}
	if !is(value) {
		m.fault(name, kindName(value)+", not "+want)
		return gjson.Result{}, false
	}
	return value, true
}

func (m *members) text(name string) string {
	value, ok := m.get(name, isString, "a string")
	if ok && value.Str == "" {
		m.fault(name, "empty")
	}
	// A value is a slice of the whole payload, which it would keep in memory.
	return strings.Clone(value.Str)
}

func (m *members) texts(name string) []string {
	value, ok := m.get(name, gjson.Result.IsArray, "an array")
	if !ok {
		return nil
	}
	var list []string
	for i, element := range value.Array() {
		if !isString(element) {
			m.fault(fmt.Sprintf("%s.%d", name, i), kindName(element)+", not a string")
			continue
		}
		list = append(list, strings.Clone(element.Str))
	}
	return list
}

func (m *members) moment(name string) time.Time {
	value, ok := m.get(name, isString, "a string")
	if !ok {
		return time.Time{}
	}
	moment, err := time.Parse(time.RFC3339, value.Str)
	if err != nil {
		m.fault(name, fmt.Sprintf("%q is not an RFC 3339 time", value.Str))
	}
	return moment
}
