package deliver

import (
	"bytes"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"github.com/tidwall/pretty"
	"github.com/tidwall/sjson"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/sign"
)

// Fault is one thing that is wrong with a delivery on purpose.
type Fault struct {
	Name string
	// Wire says what is on the wire.
	Wire string
	// Accepted says that a good handler takes the delivery all the same.
	Accepted bool
	// BodyTime is how long the body takes to send; zero is at once.
	BodyTime time.Duration

	// payload changes what is signed, shift when, key with what.
	payload func([]byte) []byte
	shift   time.Duration
	key     func(sign.Key) sign.Key
	// request changes what was signed.
	request func(*delivery.Request)
}

// Shifts says that the fault is in the moment of signing.
func (f Fault) Shifts() bool { return f.shift != 0 }

// wrongSecret signs what is signed with another secret than the handler's, and
// wronger where that is the handler's.
const (
	wrongSecret = "m2m-wrong-secret"
	wronger     = "m2m-other-wrong-secret"
)

// Faults returns every fault, in the order in which they are listed.
func Faults() []Fault {
	header := func(name string, change func(string) string) func(*delivery.Request) {
		return func(request *delivery.Request) {
			if value, ok := request.Headers.Get(name); ok {
				request.Headers.Set(name, change(value))
			}
		}
	}
	without := func(name string) func(*delivery.Request) {
		return func(request *delivery.Request) { request.Headers.Del(name) }
	}
	body := func(change func([]byte) []byte) func(*delivery.Request) {
		return func(request *delivery.Request) { request.Body = change(request.Body) }
	}
	const signature, timestamp = delivery.SignatureHeader, delivery.TimestampHeader
	return []Fault{
		{Name: "bad-signature", Wire: "one hex digit of the signature changed", request: header(signature, changeLast)},
		{Name: "wrong-secret", Wire: "signed with another secret", key: otherKey},
		{Name: "missing-signature", Wire: "no " + signature + " header", request: without(signature)},
		{Name: "missing-timestamp", Wire: "no " + timestamp + " header", request: without(timestamp)},
		{Name: "no-prefix", Wire: "the hex without sha256=", request: header(signature, func(s string) string { return strings.TrimPrefix(s, sign.Prefix) })},
		{Name: "truncated-signature", Wire: "the signature's last 8 hex digits cut", request: header(signature, func(s string) string { return s[:max(0, len(s)-8)] })},
		{Name: "stale", Wire: "correctly signed, an hour ago", shift: -time.Hour},
		{Name: "future", Wire: "correctly signed, an hour ahead", shift: time.Hour},
		{Name: "tampered-body", Wire: "one digit or letter inside data changed after signing", request: body(tamper)},
		{Name: "tampered-timestamp", Wire: "the timestamp header a second later than what was signed", request: header(timestamp, aSecondLater)},
		{Name: "reserialized-body", Wire: "sent in another spelling of the JSON that was signed", request: body(respell)},
		{Name: "not-json", Wire: "a correctly signed body that is not JSON", payload: func([]byte) []byte { return []byte("this is not JSON") }},
		{Name: "missing-event-header", Wire: "no " + delivery.EventHeader + " header", Accepted: true, request: without(delivery.EventHeader)},
		{Name: "unknown-event", Wire: "an event type that does not exist, data as it was", Accepted: true, payload: unknownEvent},
		{Name: "slow-body", Wire: "the body in pieces over 2 s", Accepted: true, BodyTime: 2 * time.Second},
	}
}

// FindFault returns the fault of that name.
func FindFault(name string) (Fault, bool) {
	for _, fault := range Faults() {
		if fault.Name == name {
			return fault, true
		}
	}
	return Fault{}, false
}

// FaultShows says whether the fault makes a difference on the wire: not where what it
// breaks is not there, or is one of the user's own headers.
func (s Spec) FaultShows(payload []byte, timestamp string) bool {
	right := s
	right.Fault = Fault{}
	return s.Fault.BodyTime > 0 || !reflect.DeepEqual(s.Request(payload, timestamp), right.Request(payload, timestamp))
}

// beforeSigning changes what is signed.
func (f Fault) beforeSigning(payload []byte, timestamp string, key sign.Key) ([]byte, string, sign.Key) {
	if f.payload != nil {
		payload = f.payload(payload)
	}
	if seconds, ok := sign.ParseTimestamp(timestamp); ok && f.shift != 0 {
		timestamp = sign.FormatTimestamp(time.Unix(seconds, 0).Add(f.shift))
	}
	if f.key != nil {
		key = f.key(key)
	}
	return payload, timestamp, key
}

// afterSigning changes what was signed.
func (f Fault) afterSigning(request *delivery.Request) {
	if f.request != nil {
		f.request(request)
	}
}

func otherKey(key sign.Key) sign.Key {
	for _, secret := range [...]string{wrongSecret, wronger} {
		if other, err := sign.NewKey(secret); err == nil && other.Fingerprint() != key.Fingerprint() {
			return other
		}
	}
	return key
}

// changeLast changes the last hex digit.
func changeLast(signature string) string {
	if signature == "" {
		return signature
	}
	last, digit := len(signature)-1, "0"
	if signature[last] == '0' {
		digit = "1"
	}
	return signature[:last] + digit
}

func aSecondLater(timestamp string) string {
	seconds, ok := sign.ParseTimestamp(timestamp)
	if !ok {
		return timestamp
	}
	return strconv.FormatInt(seconds+1, 10)
}

// tamper changes one digit or letter of a string or a number inside data, so that the
// body stays JSON: that of the first value that has one, or of the whole payload
// where data has none.
func tamper(body []byte) []byte {
	data := gjson.GetBytes(body, "data")
	if at, ok := tamperable(data); ok {
		return changeAt(body, at)
	}
	if at, ok := tamperable(gjson.ParseBytes(body)); ok {
		return changeAt(body, at)
	}
	return append(bytes.Clone(body), ' ')
}

// tamperable returns where in the whole text a digit or letter stands that can be
// changed.
func tamperable(value gjson.Result) (at int, ok bool) {
	switch {
	case value.IsObject() || value.IsArray():
		value.ForEach(func(_, inner gjson.Result) bool {
			at, ok = tamperable(inner)
			return !ok
		})
		return at, ok
	case value.Type == gjson.String && !strings.Contains(value.Raw, `\`), value.Type == gjson.Number:
		// The last one: a number's first digit may be the zero of 0.5.
		last := strings.LastIndexFunc(value.Raw, isDigitOrLetter)
		return value.Index + last, last >= 0 && value.Index > 0
	}
	return 0, false
}

func isDigitOrLetter(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

func changeAt(body []byte, at int) []byte {
	changed := bytes.Clone(body)
	switch c := changed[at]; c {
	case '9':
		changed[at] = '8'
	case 'z', 'Z':
		changed[at] = c - 1
	default:
		changed[at] = c + 1
	}
	return changed
}

// respell writes the same JSON otherwise: compact, or indented where it is compact
// already. What is no JSON gets a space.
func respell(body []byte) []byte {
	if !gjson.ValidBytes(body) {
		return append(bytes.Clone(body), ' ')
	}
	if compact := pretty.Ugly(body); !bytes.Equal(compact, body) {
		return compact
	}
	return pretty.Pretty(body)
}

func unknownEvent(payload []byte) []byte {
	const event = "m2m.unknown_event"
	if changed, err := sjson.SetBytes(payload, "event", event); err == nil && gjson.ValidBytes(payload) {
		return changed
	}
	return payload
}
