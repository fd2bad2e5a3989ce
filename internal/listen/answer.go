package listen

import (
	"net/http"
	"strconv"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// plain returns an answer of a line of text, where its status takes any.
func plain(status int, text string) *delivery.Response {
	if !hasBody(status) || status == http.StatusResetContent { // RFC 9110, section 15.3.6
		return &delivery.Response{Status: status}
	}
	return &delivery.Response{
		Status:  status,
		Headers: delivery.Headers{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}},
		Body:    []byte(text),
	}
}

// write sends the answer on its way before it returns, so that whoever looks at
// the delivery afterwards keeps no sender waiting.
func write(w http.ResponseWriter, response *delivery.Response) {
	length := ""
	if hasBody(response.Status) {
		length = strconv.Itoa(len(response.Body))
	}
	begin(w, response, length)
	// An error means that the sender is gone; its delivery is on record.
	_, _ = w.Write(response.Body)
	_ = http.NewResponseController(w).Flush()
}

// begin sends all but the body of an answer, whose length may be empty for unknown.
func begin(w http.ResponseWriter, response *delivery.Response, length string) {
	for _, header := range response.Headers {
		w.Header().Add(header.Name, header.Value)
	}
	if _, ok := w.Header()["Content-Type"]; !ok {
		w.Header()["Content-Type"] = nil // or net/http guesses one that the handler did not give
	}
	w.Header().Del("Content-Length")
	if length != "" {
		w.Header().Set("Content-Length", length)
	}
	w.WriteHeader(response.Status)
}

// hasBody is false for the answers that end with their headers (RFC 9112, section
// 6.3).
func hasBody(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// refuse tells of what is no delivery, and answers it.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	if s.options.Refused != nil {
		s.options.Refused(r.Method, r.URL.Path, status)
	}
	refuse(w, status, text)
}

// refuse answers what is no delivery, and ends the connection: whatever of the
// body is still to come is not read.
func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Connection", "close")
	write(w, plain(status, text))
}
