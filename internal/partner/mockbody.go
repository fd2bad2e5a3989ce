package partner

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/tidwall/gjson"
)

// timeForm is how M2M writes times: RFC 3339 in UTC, with exactly three decimals.
const timeForm = "2006-01-02T15:04:05.000Z"

// fulfilledMessage is the documented answer's message.
const fulfilledMessage = "User data received and merged successfully"

// parseReply reads the body of a reply. The error says in words how it differs
// from the documented shape.
func parseReply(body []byte) (referenceID string, userData UserData, err error) {
	root, err := parseObject(body)
	if err != nil {
		var other *NotObjectError
		if errors.As(err, &other) {
			err = errors.New("the body cannot be used: " + other.Message)
		}
		return "", UserData{}, err
	}
	var reference, data gjson.Result
	twice := ""
	root.ForEach(func(name, value gjson.Result) bool {
		var member *gjson.Result
		switch name.Str {
		case "referenceId":
			member = &reference
		case "userData":
			member = &data
		default:
			return true
		}
		// Readers of JSON differ in which of two members of one name they take.
		if member.Exists() {
			twice = name.Str
		}
		*member = value
		return twice == ""
	})
	switch {
	case twice != "":
		return "", UserData{}, errors.New(twice + " stands in the body twice")
	case !reference.Exists():
		return "", UserData{}, errors.New("referenceId is missing")
	case !isString(reference):
		return "", UserData{}, errors.New("referenceId is " + kindName(reference) + ", not a string")
	case !data.Exists():
		return "", UserData{}, errors.New("userData is missing")
	case !data.IsObject():
		return "", UserData{}, errors.New("userData is " + kindName(data) + ", not an object")
	}
	return reference.Str, compactObject([]byte(data.Raw)), nil
}

// reply is what the mock answers.
type reply struct {
	status  int
	code    Code
	message string
	body    []byte
}

func (a reply) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // who asked may be gone, and there is nobody else to tell
}

func fulfilled(request DataRequest, at time.Time) reply {
	type data struct {
		DataRequestID string `json:"dataRequestId"`
		Status        string `json:"status"`
		LinkID        string `json:"linkId"`
		FulfilledAt   string `json:"fulfilledAt"`
		Message       string `json:"message"`
	}
	return reply{status: http.StatusOK, message: fulfilledMessage, body: encode(struct {
		Success bool `json:"success"`
		Data    data `json:"data"`
	}{true, data{
		request.DataRequestID, fulfilledStatus, request.LinkID, at.UTC().Format(timeForm), fulfilledMessage,
	}})}
}

// refusal returns an error in the shape that is documented for it: bare for
// authentication, in a member "error" for anything else.
func refusal(status int, code Code, message string) reply {
	type fault struct {
		Code    Code   `json:"code"`
		Message string `json:"message"`
	}
	a := reply{status: status, code: code, message: message}
	if status == http.StatusUnauthorized {
		a.body = encode(fault{code, message})
		return a
	}
	a.body = encode(struct {
		Success bool  `json:"success"`
		Error   fault `json:"error"`
	}{false, fault{code, message}})
	return a
}
