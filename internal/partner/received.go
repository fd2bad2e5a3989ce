package partner

import (
	"fmt"
	"mime"
	"net/http"
	"time"

	"github.com/tidwall/gjson"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

// The bounds of Received.Extra: a hostile body has a million members, a thousand
// deep.
const (
	maxExtra      = 100
	maxExtraDepth = 5
)

// Received is a reply that the mock took or refused. All of its texts but Status's
// and Code's come from outside.
type Received struct {
	// At is when it came, and After how long that was after its data request was
	// remembered; zero when it never was.
	At    time.Time
	After time.Duration

	DataRequestID string
	// ReferenceID is the body's; empty when the body was not read or has another
	// shape than the documented one. The same holds for Fields and Extra.
	ReferenceID string

	// Status, Code and Message are what was answered. Code is empty on success.
	Status  int
	Code    Code
	Message string

	// Key is the API key's fingerprint and KeyKind an endpoint.KeyKind; both are
	// "none" when there was no key.
	Key     string
	KeyKind string

	// Fields are the required fields, in the order in which they were asked for.
	Fields []Field
	// Extra are paths in userData that were not asked for, at most 100, in the order
	// of the body. Objects that nest deeper than 5 count as one.
	Extra []string
	// Warnings say in words what was taken and should not be relied on.
	Warnings []string
}

// Field is a required field of a reply.
type Field struct {
	Path string
	// Present says that it was there and not empty.
	Present bool
	// Value is its JSON as spelled; nil when it was not there.
	Value []byte
}

// StatusText returns the registered phrase of Status.
func (r Received) StatusText() string { return http.StatusText(r.Status) }

func (r *Received) setKey(text string) {
	key := Key{text: &text}
	r.Key, r.KeyKind = key.Fingerprint(), string(key.Kind())
	if key.Kind() == endpoint.LiveKey {
		r.Warnings = append(r.Warnings, "the API key is a live key (m2m_live_), and this is a mock: use a test key")
	}
}

// read notes what a body of the documented shape holds.
func (r *Received) read(referenceID string, userData UserData, required []string, contentType string) {
	r.ReferenceID = referenceID
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != "application/json" {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the Content-Type is %q, and application/json is documented", contentType))
	}
	root := userData.root()
	asked := map[string]bool{}
	for _, path := range required {
		asked[path] = true
		field := Field{Path: path}
		if value, _, ok := lookup(root, path); ok {
			field.Value = []byte(value.Raw)
			field.Present = !isEmpty(value)
		}
		switch {
		case field.Value == nil:
			r.Warnings = append(r.Warnings, path+": it is required and missing")
		case !field.Present:
			r.Warnings = append(r.Warnings, path+": it is required and empty")
		}
		r.Fields = append(r.Fields, field)
	}
	problems, warnings := userData.Check(r.At)
	for _, finding := range append(problems, warnings...) {
		r.Warnings = append(r.Warnings, finding.String())
	}
	r.addExtra(root, "", asked, 1)
}

func (r *Received) addExtra(object gjson.Result, prefix string, asked map[string]bool, depth int) {
	object.ForEach(func(name, value gjson.Result) bool {
		path := prefix + name.Str
		switch {
		case asked[path]:
		case value.IsObject() && depth < maxExtraDepth && !isEmpty(value):
			r.addExtra(value, path+".", asked, depth+1)
		case len(r.Extra) < maxExtra:
			r.Extra = append(r.Extra, path)
		}
		return len(r.Extra) < maxExtra
	})
}
