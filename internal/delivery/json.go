package delivery

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// Type is the "type" member of a delivery record.
const Type = "delivery"

// ErrOtherType is returned for a JSON object that is a record of another type,
// such as the "ready" line that a receiver prints first.
var ErrOtherType = errors.New("record of another type")

// The wire structs spell the record's JSON. Text and base64 of a body are both
// pointers, because an empty body is written and an absent one is not.
type wireRecord struct {
	Type         string            `json:"type"`
	ID           string            `json:"id,omitempty"`
	Time         string            `json:"time,omitempty"`
	Event        string            `json:"event,omitempty"`
	Request      *wireMessage      `json:"request"`
	Verification *wireVerification `json:"verification,omitempty"`
	Response     *wireMessage      `json:"response,omitempty"`
	Error        *Error            `json:"error,omitempty"`
	Attempt      int               `json:"attempt,omitempty"`
	LatencyMs    *float64          `json:"latencyMs,omitempty"`
}

type wireMessage struct {
	Method     string  `json:"method,omitempty"`
	URL        string  `json:"url,omitempty"`
	Remote     string  `json:"remote,omitempty"`
	Status     int     `json:"status,omitempty"`
	Headers    Headers `json:"headers"`
	Body       *string `json:"body,omitempty"`
	BodyBase64 *string `json:"bodyBase64,omitempty"`
	Truncated  bool    `json:"bodyTruncated,omitempty"`
}

type wireVerification struct {
	Valid      bool       `json:"valid"`
	Reason     string     `json:"reason,omitempty"`
	SignedAt   string     `json:"signedAt,omitempty"`
	AgeSeconds *float64   `json:"ageSeconds,omitempty"`
	Secret     string     `json:"secret,omitempty"`
	Diagnosis  *Diagnosis `json:"diagnosis,omitempty"`
}

// EncodeLine returns v as one line of JSON with a newline at its end, with <, >
// and & left as they are. Control characters that JSON allows, DEL, C1 and the
// bidirectional ones, are escaped, and so is what Inert names: a record is read on
// terminals and in the logs of CI, too.
func EncodeLine(v any) ([]byte, error) {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	if !bytes.ContainsFunc(buf.Bytes(), IsHidden) {
		return Inert(buf.Bytes()), nil
	}
	var line []byte
	for _, r := range buf.String() {
		if IsHidden(r) {
			line = fmt.Appendf(line, `\u%04x`, r) // only ever inside a string
		} else {
			line = utf8.AppendRune(line, r)
		}
	}
	return Inert(line), nil
}

// IsHidden says whether a terminal would obey a character and not show it: DEL, C1
// and the bidirectional controls. JSON allows these in a string; C0 it does not.
func IsHidden(r rune) bool {
	return r >= 0x7f && r < 0xa0 || r == 0x061c || r == 0x200e || r == 0x200f ||
		r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// Round returns x rounded to so many decimals, which keeps a measured number
// short in a record.
func Round(x float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	return math.Round(x*scale) / scale
}

// Parse reads one record from its JSON. It returns an error that wraps
// ErrOtherType for an object whose type is not "delivery", and errors that say
// what is wrong with it for anything else that is not a whole record.
func Parse(line []byte) (Record, error) {
	if !utf8.Valid(line) {
		return Record{}, errors.New("not valid UTF-8")
	}
	var wire wireRecord
	if err := json.Unmarshal(line, &wire); err != nil {
		// A record of another type may use the same names for other things.
		var other struct {
			Type any `json:"type"`
		}
		if json.Unmarshal(line, &other) == nil && isOtherType(other.Type) {
			return Record{}, fmt.Errorf("%w: %q", ErrOtherType, other.Type)
		}
		return Record{}, jsonError(err)
	}
	if wire.Type != "" && wire.Type != Type {
		return Record{}, fmt.Errorf("%w: %q", ErrOtherType, wire.Type)
	}
	if wire.Request == nil {
		return Record{}, errors.New("not a delivery record: it has no request")
	}
	record := Record{ID: wire.ID, Event: wire.Event, Error: wire.Error, Attempt: wire.Attempt}
	var err error
	if record.Request, err = wire.Request.request(); err != nil {
		return Record{}, err
	}
	if record.Time, err = parseTime("time", wire.Time); err != nil {
		return Record{}, err
	}
	if wire.LatencyMs != nil {
		record.Latency = time.Duration(math.Round(*wire.LatencyMs * float64(time.Millisecond)))
	}
	if v := wire.Verification; v != nil {
		record.Verification = &Verification{
			Valid: v.Valid, Reason: v.Reason, AgeSeconds: v.AgeSeconds, Secret: v.Secret, Diagnosis: v.Diagnosis,
		}
		if record.Verification.SignedAt, err = parseTime("signedAt", v.SignedAt); err != nil {
			return Record{}, err
		}
	}
	if wire.Response != nil {
		if record.Response, err = wire.Response.response(); err != nil {
			return Record{}, err
		}
	}
	return record, nil
}

func isOtherType(v any) bool {
	name, ok := v.(string)
	return ok && name != Type
}

func (m *wireMessage) request() (Request, error) {
	body, ok, err := m.body()
	if err != nil {
		return Request{}, fmt.Errorf("request: %w", err)
	}
	if !ok {
		return Request{}, errors.New("request: it has neither body nor bodyBase64")
	}
	return Request{Method: m.Method, URL: m.URL, Remote: m.Remote, Headers: m.Headers, Body: body}, nil
}

func (m *wireMessage) response() (*Response, error) {
	body, _, err := m.body()
	if err != nil {
		return nil, fmt.Errorf("response: %w", err)
	}
	return &Response{Status: m.Status, Headers: m.Headers, Body: body, Truncated: m.Truncated}, nil
}

func (m *wireMessage) body() (body []byte, ok bool, err error) {
	switch {
	case m.Body != nil && m.BodyBase64 != nil:
		return nil, false, errors.New("it has both body and bodyBase64")
	case m.Body != nil:
		return []byte(*m.Body), true, nil
	case m.BodyBase64 != nil:
		body, err := base64.StdEncoding.DecodeString(*m.BodyBase64)
		if err != nil {
			return nil, false, fmt.Errorf("bodyBase64: %v", err)
		}
		return body, true, nil
	}
	return nil, false, nil
}

func parseTime(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %q is not an RFC 3339 time", name, text)
	}
	return t, nil
}

// jsonError says in the user's words what encoding/json says in Go's.
func jsonError(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("not JSON: column %d: %v", syntax.Offset, err)
	}
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) {
		if mistyped.Field == "" {
			return fmt.Errorf("not a delivery record: a JSON %s", mistyped.Value)
		}
		return fmt.Errorf("not a delivery record: %s is a JSON %s", mistyped.Field, mistyped.Value)
	}
	return fmt.Errorf("not a delivery record: %v", err)
}
