package partner

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

// FuzzReadAnswer: what an answer is read as, it says by encoding/json's reading as well,
// and nothing makes a refusal an answer that was taken.
func FuzzReadAnswer(f *testing.F) {
	const id = "dr_acme_x9y8z7w6v5u4"
	for _, body := range []string{
		`{"success":true,"data":{"dataRequestId":"` + id + `","status":"fulfilled","linkId":"l","fulfilledAt":"2026-01-26T14:35:00.000Z","message":"m"}}`,
		`{"success":false,"error":{"code":"INVALID_REQUEST","message":"m"}}`, `{"code":"UNAUTHORIZED","message":"m"}`, ``, `[]`, `{"success":"false"}`,
		`{"success":true,"data":[]}`, `{"success":false,"success":true}`, `{"error":"x","code":1}`, "\xff", `{"success":true,"data":{"status":"fulfilled"`,
	} {
		f.Add(200, []byte(body), "0")
		f.Add(403, []byte(body), "Mon, 26 Jan 2026 14:31:00 GMT")
	}
	f.Add(429, []byte(`{}`), "99999999999999999999")
	now := time.Unix(1769437800, 0)
	f.Fuzz(func(t *testing.T, status int, body []byte, retryAfter string) {
		got := readAnswer(endpoint.Answer{Status: status, Body: body}, id)
		if got.Fulfilled && (status < 200 || status > 299) {
			t.Errorf("status %d is a success", status)
		}
		if got.Fulfilled && got.Note == "" {
			data := first(body, "data")
			if string(first(body, "success")) != "true" || textOf(first(data, "dataRequestId")) != id || textOf(first(data, "status")) != fulfilledStatus {
				t.Errorf("%q is taken without a doubt", body)
			}
		}
		if advice := got.Advice(); (advice == "") != got.Fulfilled && status >= 300 && status != http.StatusPaymentRequired && status < 405 {
			t.Errorf("status %d, and the advice is %q", status, advice)
		}
		if pause := parseRetryAfter(retryAfter, now); pause < 0 {
			t.Errorf("%q is a pause of %v", retryAfter, pause)
		}
	})
}

// first returns the first member of that name in an object; nil where there is none.
func first(object []byte, name string) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil
	}
	for decoder.More() {
		var value json.RawMessage
		key, err := decoder.Token()
		if err != nil || decoder.Decode(&value) != nil {
			return nil
		}
		if key == name {
			return value
		}
	}
	return nil
}

func textOf(value json.RawMessage) string {
	var text string
	_ = json.Unmarshal(value, &text) // what is no string is none
	return text
}
