package delivery_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// FuzzReadPayload: what is a payload is what encoding/json takes for an object.
func FuzzReadPayload(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"event":"x","data":{"linkId":"l","referenceId":"r"}}`, ` {"a":[1,2.5e3,-0,true,null]} `, `[]`, `"x"`, `1`, ``, `{"a":01}`,
		`{"a":1.}`, `{"a":.5}`, `{"a":1e}`, `{"a":+1}`, `{"a":"\x"}`, `{"a":"\u12g4"}`, "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}", `{"a":1,}`,
		`{,}`, `{"a"}`, `{"a":}`, `{1:2}`, `{} {}`, `{}x`, "\ufeff{}", `{"a":nul}`, `{"a":tru e}`, `{"a":"`, `{"a":"\`, "{\"a\":\"\u2028\"}",
		`{"a":-}`, `{"a":1e+}`, `{"a":1E-05}`, `{"a":--1}`, "{\v}", "{\"a\"\f:1}", `{"a":[}`, `{"a":]}`, strings.Repeat("[", 500),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var object map[string]json.RawMessage
		want := json.Valid(body) && json.Unmarshal(body, &object) == nil && object != nil
		_, err := delivery.ReadPayload(body)
		if err != nil && strings.Contains(err.Error(), "nests") {
			return
		}
		if got := err == nil; got != want {
			t.Errorf("%q: taken is %t, want %t (%v)", body, got, want, err)
		}
	})
}
