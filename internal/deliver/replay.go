package deliver

import (
	"net/http"
	"slices"
	"strings"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// Replay returns the request that delivers a captured one again: the same body and
// headers, to the target, signed anew as of the given timestamp header text. Without
// a timestamp, the signature and the timestamp stay as they were captured. What
// speaks of the old connection is left out, and an API key, which is for M2M alone.
func (s Spec) Replay(captured delivery.Request, timestamp string) delivery.Request {
	headers := slices.DeleteFunc(slices.Clone(captured.Headers), func(header delivery.Header) bool {
		return !isToken(header.Name) || !isHeaderValue(header.Value) || isOfConnection(header.Name) ||
			strings.EqualFold(header.Name, keyHeader)
	})
	if timestamp != "" {
		headers.Set(delivery.TimestampHeader, timestamp)
		headers.Set(delivery.SignatureHeader, s.Key.Sign(timestamp, captured.Body))
	}
	return delivery.Request{
		Method:  http.MethodPost,
		URL:     s.Target.String(),
		Headers: applyEdits(headers, s.Edits),
		Body:    captured.Body,
	}
}

// keyHeader is the Partner API's.
const keyHeader = "X-API-Key"

// isOfConnection says whether a header follows from the connection or the body, or
// asks for another one.
func isOfConnection(name string) bool {
	switch strings.ToLower(name) {
	case "host", "connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect":
		return true
	}
	return isFraming(name) || strings.HasPrefix(name, ":")
}
