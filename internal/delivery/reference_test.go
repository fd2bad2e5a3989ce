package delivery_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// looked is ReadPayload by way of gjson, for a body that does not nest too deep: what
// ReadPayload has to find.
func looked(body []byte) (delivery.Payload, error) {
	root := gjson.ParseBytes(body)
	if !gjson.ValidBytes(body) || !root.IsObject() {
		return delivery.Payload{}, delivery.ErrNotObject
	}
	top := firstOf(root, "event", "data")
	data := firstOf(top[1], "referenceId", "dataRequestId", "operationId", "linkId")
	payload := delivery.Payload{Event: text(top[0]), Reference: text(data[0])}
	for _, id := range data[1:] {
		if payload.ID = text(id); payload.ID != "" {
			break
		}
	}
	return payload, nil
}

// firstOf returns, of each name, the first member of an object that has it. What is no
// object has none.
func firstOf(object gjson.Result, names ...string) []gjson.Result {
	found := make([]gjson.Result, len(names))
	if !object.IsObject() {
		return found
	}
	object.ForEach(func(key, value gjson.Result) bool {
		if i := slices.Index(names, key.Str); i >= 0 && !found[i].Exists() {
			found[i] = value
		}
		return true
	})
	return found
}

func text(value gjson.Result) string {
	if value.Type != gjson.String {
		return ""
	}
	return value.Str
}

// FuzzReadPayloadFindsWhatGJSONDoes: members twice, names and values with escapes,
// values of every type.
func FuzzReadPayloadFindsWhatGJSONDoes(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` {"event":"x","data":{"linkId":"l","referenceId":"r","operationId":"o","dataRequestId":"d"}}` + "\n",
		`{"event":1,"event":"x"}`, `{"event":null,"event":"x"}`, `{"event":"x","event":"y"}`, `{"event":"","event":"y"}`,
		`{"data":"linkId","data":{"linkId":"l"}}`, `{"data":{"linkId":"l"},"data":{"operationId":"o"}}`, `{"data":{"linkId":1,"linkId":"l"}}`,
		`{"data":[{"linkId":"l"}]}`, `{"data":{"data":{"linkId":"l"},"a":[{"linkId":"m"}]}}`, `{"linkId":"l","data":{"event":"x"}}`,
		`{"\u0065vent":"a\u00e9\ud83d\ude4f\ud800\udc\n\"\\\/","d\u0061ta":{"link\u0049d":"l"}}`, `{"event":"\ud800","data":{"linkId":"\udc00\ud800x"}}`,
		"{\"event\":\"\xff\u2028é\x7f\",\"data\":{\"\xff\":1}}", `{"event\\":1,"":2,"\"":[],"event":"x"}`,
		`{"a":[[],[{}],{"b":[]},-0.5E+10,0e-1,true,false,null],"event":"x"}`, `{"a":[1,],"event":"x"}`, `{"event":"x",}`, `{"event":"x"}}`, `{"event":"x"`,
		`{"a":-}`, `{"a":01}`, `{"a":1.}`, `{"a":1e}`, `{"a":tru}`, `{"a" "b"}`, `{"a":"\u12g4"}`, `{"a":"\`, `[]`, `"event"`, ``, ` `,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := delivery.ReadPayload(body)
		if err != nil && strings.Contains(err.Error(), "nests") {
			return
		}
		want, wantErr := looked(body)
		if got != want || !errors.Is(err, wantErr) {
			t.Errorf("%q: got %+v and %v, want %+v and %v", body, got, err, want, wantErr)
		}
	})
}
