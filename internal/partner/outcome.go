package partner

import (
	"cmp"
	"fmt"
	"net/http"
	"time"

	"github.com/tidwall/gjson"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

// Code is an error code of the Partner API.
type Code string

// The documented error codes. Which of them comes with which status is mostly not
// documented.
const (
	InvalidRequest      Code = "INVALID_REQUEST"
	ReferenceIDMismatch Code = "REFERENCE_ID_MISMATCH"
	Unauthorized        Code = "UNAUTHORIZED"
	InvalidAPIKey       Code = "INVALID_API_KEY"
	PartnerSuspended    Code = "PARTNER_SUSPENDED"
	ResourceNotFound    Code = "RESOURCE_NOT_FOUND"
	LinkExpired         Code = "LINK_EXPIRED"
)

// fulfilledStatus is the status of a data request that was answered.
const fulfilledStatus = "fulfilled"

// Outcome is what became of an answer. All of its texts come from outside.
type Outcome struct {
	// Tries is how often it was sent.
	Tries int
	// Status and StatusText are the last answer's; Status is zero when there was
	// none.
	Status     int
	StatusText string
	// Fulfilled says that the answer was taken: a 2xx that does not itself say
	// otherwise.
	Fulfilled bool

	// What a fulfilled answer says, as far as it does. FulfilledAt is zero when it
	// is missing or no time.
	DataRequestID string
	RequestStatus string
	LinkID        string
	FulfilledAt   time.Time

	// Code is a refusal's, usually a documented one; empty when the body has none.
	Code Code
	// Message is either side's words; empty when the body has none.
	Message string

	// Note says how the body differs from the documented one, where that casts
	// doubt on what was read from it; empty otherwise.
	Note string
	// RetryAfter is the pause that the answer asked for. One over MaxPause ended the
	// retrying.
	RetryAfter time.Duration
	// Body is the answer's, up to endpoint.MaxAnswer.
	Body []byte
}

// readAnswer reads an answer to that data request.
func readAnswer(answer endpoint.Answer, dataRequestID string) Outcome {
	o := Outcome{Status: answer.Status, StatusText: answer.StatusText, Body: answer.Body}
	root, err := parseObject(answer.Body)
	success := answer.Status >= 200 && answer.Status < 300
	if success && root.Get("success").Type != gjson.False {
		o.Fulfilled = true
		o.readFulfilled(root, dataRequestID)
	} else {
		o.readRefusal(root)
	}
	switch {
	case answer.Truncated:
		o.Note = fmt.Sprintf("the answer is longer than %d bytes and was cut off", endpoint.MaxAnswer)
	case err != nil && success:
		o.Note = "the answer is not the documented one: " + err.Error()
	}
	return o
}

func (o *Outcome) readFulfilled(root gjson.Result, dataRequestID string) {
	data := root.Get("data")
	o.DataRequestID = text(data, "dataRequestId")
	o.RequestStatus = text(data, "status")
	o.LinkID = text(data, "linkId")
	o.Message = text(data, "message")
	fulfilledAt, err := time.Parse(time.RFC3339, text(data, "fulfilledAt"))
	if err == nil {
		o.FulfilledAt = fulfilledAt
	}
	switch {
	case root.Get("success").Type != gjson.True:
		o.Note = "the answer is not the documented one: success is not true"
	case o.DataRequestID != dataRequestID:
		o.Note = "the answer is not the documented one: data.dataRequestId is not that of the request"
	case o.RequestStatus != fulfilledStatus:
		o.Note = "the answer is not the documented one: data.status is not fulfilled"
	case o.FulfilledAt.IsZero():
		o.Note = "the answer is not the documented one: data.fulfilledAt is not an RFC 3339 time"
	}
}

// readRefusal reads both of the documented shapes: most errors stand in a member
// "error", those about authentication bare.
func (o *Outcome) readRefusal(root gjson.Result) {
	shape := root
	if inner := root.Get("error"); inner.IsObject() {
		shape = inner
	}
	o.Code = Code(text(shape, "code"))
	o.Message = text(shape, "message")
}

// text returns the string at a member of an object, or nothing.
func text(object gjson.Result, name string) string {
	if value := object.Get(name); isString(value) {
		return value.Str
	}
	return ""
}

// Advice returns what to do about a refusal, as one sentence for a hint line; empty
// when the answer was taken.
func (o Outcome) Advice() string {
	if o.Fulfilled {
		return ""
	}
	// INVALID_REQUEST is so general that a status other than 400 says more.
	if advice := o.Code.advice(); advice != "" && (o.Code != InvalidRequest || o.Status == http.StatusBadRequest) {
		return advice
	}
	switch {
	case o.Status >= 300 && o.Status < 400:
		return "redirects are not followed, because the API key would go along: check --endpoint and --env"
	case o.Status == http.StatusBadRequest:
		return InvalidRequest.advice()
	case o.Status == http.StatusUnauthorized:
		return InvalidAPIKey.advice()
	case o.Status == http.StatusForbidden:
		return "check that M2M_API_KEY holds this partner's own key, for the environment of --env"
	case o.Status == http.StatusNotFound:
		return ResourceNotFound.advice()
	case o.Status == http.StatusConflict && o.Tries > 1:
		return "an earlier try may have been taken although its answer was an error: look the data request up before sending again"
	case o.Status == http.StatusConflict:
		return "the first answer counts: nothing is left to do, if it was yours"
	case o.Status == http.StatusGone:
		return LinkExpired.advice()
	case o.Status == http.StatusTooManyRequests && o.RetryAfter > 0:
		return fmt.Sprintf("send it again in %s: M2M takes 1000 requests a minute", o.RetryAfter.Round(time.Second))
	case o.Status == http.StatusTooManyRequests:
		return "send it again in a minute: M2M takes 1000 requests a minute"
	case o.Status >= 500 && o.RetryAfter > 0:
		return fmt.Sprintf("the fault is the server's: send it again in %s", o.RetryAfter.Round(time.Second))
	case o.Status >= 500:
		return "the fault is the server's: send it again later, while the deadline lasts"
	}
	return cmp.Or(o.Code.advice(), "M2M documents no such refusal: go by what it says, and check that --endpoint or --env leads to the Partner API")
}

func (c Code) advice() string {
	switch c {
	case InvalidRequest:
		return "look at the body with --print http: is every required field there, and in the form of the documented sample?"
	case ReferenceIDMismatch:
		return "pass the event's own referenceId with --reference-id, or the event itself with --event"
	case Unauthorized, InvalidAPIKey:
		return "check M2M_API_KEY, or the file of --api-key-file: m2m_test_ keys are for --env sandbox, m2m_live_ keys for --env live"
	case PartnerSuspended:
		return "the API says that this partner is suspended, which only M2M can change"
	case ResourceNotFound:
		return "check the data request's id, and that --env or --endpoint names the environment that the event came from"
	case LinkExpired:
		return "it is too late for this data request, and nothing is lost: M2M asks the user in the widget"
	}
	return ""
}
