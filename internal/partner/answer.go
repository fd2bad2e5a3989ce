package partner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

// Method is the HTTP method of an answer.
const Method = http.MethodPut

// KeyHeader is the header that holds the API key, spelled as documented, which is not
// how net/http would spell it.
const KeyHeader = "X-API-Key"

// Answer is one answer to a data request, before it is sent.
type Answer struct {
	// Endpoint is where it goes, to the letter.
	Endpoint      *url.URL
	DataRequestID string
	// Body is what ReplyBody made.
	Body []byte
	Key  Key
}

// Header is one line of a request's headers.
type Header struct{ Name, Value string }

// Headers returns the headers of the request in the order in which they are shown,
// with keyText where the API key stands. Host and Content-Length are not among them.
func (a Answer) Headers(keyText, userAgent string) []Header {
	headers := []Header{
		{KeyHeader, keyText},
		{"Content-Type", "application/json"},
	}
	if userAgent != "" {
		headers = append(headers, Header{"User-Agent", userAgent})
	}
	return headers
}

// ForbiddenError is an answer that must not be sent, because an API key may not go
// where it would go.
type ForbiddenError struct {
	// Endpoint is the URL, without a password. It comes from outside.
	Endpoint string
	// Err says why. It wraps an *endpoint.OtherHostError when it is the host alone,
	// so that the user may allow it.
	Err error
}

func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("the API key may not go to %q: %v", e.Endpoint, e.Err)
}

func (e *ForbiddenError) Unwrap() error { return e.Err }

// Check returns a *ForbiddenError when the key, or any key while there is none yet,
// may not go to the endpoint.
func (a Answer) Check(rules endpoint.KeyRules) error {
	if a.Endpoint == nil {
		return &ForbiddenError{Err: errors.New("there is no endpoint")}
	}
	forbidden := func(err error) error {
		return &ForbiddenError{Endpoint: a.Endpoint.Redacted(), Err: err}
	}
	if err := CheckID(a.DataRequestID); err != nil {
		return forbidden(fmt.Errorf("the data request's id: %w", err))
	}
	if err := rules.CheckPlace(a.Endpoint, a.DataRequestID); err != nil {
		return forbidden(err)
	}
	if err := endpoint.CheckKind(a.Endpoint, a.Key.Kind()); err != nil {
		return forbidden(err)
	}
	return nil
}

func (a Answer) request(ctx context.Context, userAgent string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, Method, "", bytes.NewReader(a.Body))
	if err != nil {
		return nil, err
	}
	// The very URL that was checked: printed and parsed again, it could be another.
	request.URL = a.Endpoint
	for _, h := range a.Headers(a.Key.reveal(), userAgent) {
		request.Header[h.Name] = []string{h.Value} // Set would write X-Api-Key
	}
	return request, nil
}
