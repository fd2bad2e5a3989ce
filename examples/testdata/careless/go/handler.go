package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// members returns the documented members of an event's data, the id first.
func members(event string) []string {
	switch event {
	case "link.created":
		return strings.Fields("linkId referenceId url status expiresAt createdAt")
	case "link.opened":
		return strings.Fields("linkId referenceId openedAt deviceInfo")
	case "user.data_request":
		return strings.Fields("dataRequestId referenceId linkId requiredFields replyEndpoint expiresAt")
	case "operation.created":
		return strings.Fields("operationId linkId referenceId userId status funding payout amount createdAt")
	case "operation.cancelled":
		return strings.Fields("operationId linkId referenceId userId status cancellationReason cancelledAt")
	}
	return nil
}

type message struct {
	Event string          `json:"event"`
	Data  json.RawMessage `json:"data"`
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, text := h.take(w, r)
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

func (h *handler) take(w http.ResponseWriter, r *http.Request) (status int, text string) {
	if r.Method == http.MethodGet && h.habit == "acts-on-get" {
		return http.StatusOK, "OK"
	}
	if r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed, "Method Not Allowed"
	}
	limit := int64(1 << 20)
	if h.habit == "small-bodies" {
		limit = 100 << 10
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge, "Payload Too Large"
	}
	if err != nil {
		return http.StatusBadRequest, "Bad Request"
	}
	if h.habit == "parses-charset" && r.Header.Get("Content-Type") != "application/json" {
		return http.StatusUnsupportedMediaType, "Unsupported Media Type"
	}

	var m message
	parseErr := json.Unmarshal(body, &m)
	if h.habit == "leaks-key" && m.Event == "user.data_request" {
		h.reply(m.Data)
	}
	signature := r.Header.Get("X-M2M-Signature")
	if h.habit == "crashes" && len(signature) != len("sha256=")+hex.EncodedLen(sha256.Size) {
		return http.StatusInternalServerError, "Internal Server Error"
	}
	if h.habit != "open" && !h.authentic(body, r.Header.Get("X-M2M-Timestamp"), signature) {
		return http.StatusUnauthorized, "Invalid signature"
	}
	if h.habit == "crashes" && parseErr != nil {
		return http.StatusInternalServerError, "Internal Server Error"
	}
	if parseErr != nil || m.Event == "" {
		return http.StatusBadRequest, "Not an event"
	}
	return h.process(body, m)
}

// process has the effects of an authentic event.
func (h *handler) process(body []byte, m message) (status int, text string) {
	known := members(m.Event)
	if h.habit == "refuses-unknown-events" && known == nil {
		return http.StatusBadRequest, "Unknown event"
	}
	var data map[string]any
	_ = json.Unmarshal(m.Data, &data) // what is no object has no id
	if h.habit == "refuses-unknown-fields" && hasUnknown(body, data, known) {
		return http.StatusBadRequest, "Unknown field"
	}

	id := ""
	if known != nil {
		id, _ = data[known[0]].(string)
	}
	if h.habit == "refuses-out-of-order" && m.Event == "operation.cancelled" && !h.has("operation.created "+id) {
		return http.StatusConflict, "No such operation"
	}
	isNew := false
	if id != "" {
		var err error
		if isNew, err = h.record(m.Event + " " + id); err != nil {
			return http.StatusInternalServerError, "Internal Server Error"
		}
	}
	answered := h.habit == "ignores-data-requests" || h.habit == "leaks-key"
	if isNew && m.Event == "user.data_request" && !answered {
		h.background.Go(func() { h.reply(m.Data) })
	}
	if h.habit == "late" {
		time.Sleep(h.delay)
	}
	return http.StatusOK, "OK"
}

func (h *handler) authentic(body []byte, timestamp, signature string) bool {
	seconds, err := strconv.ParseUint(timestamp, 10, 63)
	if err != nil {
		return false
	}
	if compact := new(bytes.Buffer); h.habit == "reserializes" && json.Compact(compact, body) == nil {
		body = compact.Bytes()
	}
	keys := []string{h.secret}
	if h.habit == "empty-key" {
		keys = append(keys, "")
	}
	matches := false
	for _, key := range keys {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(timestamp + "."))
		mac.Write(body)
		expected := "sha256=" + hex.EncodeToString(mac.Sum(nil))
		matches = hmac.Equal([]byte(signature), []byte(expected)) || matches
	}
	age := time.Now().Unix() - int64(seconds)
	return matches && (h.habit == "no-freshness" || -300 <= age && age <= 300)
}

// hasUnknown says whether the body, or data where the event is known, has members that
// are not documented.
func hasUnknown(body []byte, data map[string]any, known []string) bool {
	var whole map[string]any
	_ = json.Unmarshal(body, &whole) // it has been an object before
	for name := range whole {
		if !slices.Contains([]string{"event", "timestamp", "data"}, name) {
			return true
		}
	}
	for name := range data {
		if known != nil && !slices.Contains(known, name) {
			return true
		}
	}
	return false
}

func (h *handler) has(effect string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.recorded[effect]
}

// record says whether the effect is a new one.
func (h *handler) record(effect string) (isNew bool, err error) {
	if h.habit == "races" {
		if h.has(effect) {
			return false, nil
		}
		time.Sleep(400 * time.Millisecond)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.recorded[effect] && h.habit != "races" && h.habit != "duplicates" {
		return false, nil
	}
	h.recorded[effect] = true
	_, err = fmt.Fprintf(h.effects, "%+q\n", effect)
	return true, err
}
