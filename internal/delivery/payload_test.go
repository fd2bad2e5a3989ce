package delivery_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/fixtures"
	"github.com/leapfinancial/m2m/internal/delivery"
)

func TestReadPayloadOfTheSamples(t *testing.T) {
	t.Parallel()
	for event, id := range map[string]string{
		"link.created":        "link_acme_a1b2c3d4e5f6",
		"link.opened":         "link_acme_a1b2c3d4e5f6",
		"user.data_request":   "dr_acme_x9y8z7w6v5u4",
		"operation.created":   "op_a1b2c3d4e5f6",
		"operation.cancelled": "op_a1b2c3d4e5f6",
	} {
		sample, err := fs.ReadFile(fixtures.FS, "events/"+event+".json")
		if err != nil {
			t.Fatal(err)
		}
		got, err := delivery.ReadPayload(sample)
		want := delivery.Payload{Event: event, ID: id, Reference: "user_12345"}
		if err != nil || got != want {
			t.Errorf("%s: got %+v and %v, want %+v", event, got, err, want)
		}
	}
}

func TestReadPayload(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		body string
		want delivery.Payload
	}{
		"an empty object":              {`{}`, delivery.Payload{}},
		"white space around it":        {" \r\n{\"event\":\"a\"}\n", delivery.Payload{Event: "a"}},
		"members that are not strings": {`{"event":17,"data":{"linkId":null,"referenceId":[]}}`, delivery.Payload{}},
		"data that is no object":       {`{"event":"a","data":"linkId"}`, delivery.Payload{Event: "a"}},
		"an id of another type is passed over": {
			`{"data":{"dataRequestId":1,"operationId":"","linkId":"l"}}`, delivery.Payload{ID: "l"},
		},
		"the data request before the operation before the link": {
			`{"data":{"linkId":"l","operationId":"o","dataRequestId":"d"}}`, delivery.Payload{ID: "d"},
		},
		"escapes are undone": {`{"event":"link\u002eopened"}`, delivery.Payload{Event: "link.opened"}},
		"brackets in strings do not nest": {
			`{"event":"` + strings.Repeat(`[{\"\\`, 2000) + `"}`,
			delivery.Payload{Event: strings.Repeat(`[{"\`, 2000)},
		},
		"nested as deep as is allowed": {
			`{"event":"a","b":` + strings.Repeat("[", 999) + strings.Repeat("]", 999) + `}`,
			delivery.Payload{Event: "a"},
		},
		"long, but never deep": {
			`{"event":"a","b":[` + strings.Repeat("[],", 2000) + `[]]}`, delivery.Payload{Event: "a"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := delivery.ReadPayload([]byte(c.body))
			if err != nil || got != c.want {
				t.Errorf("got %+v and %v, want %+v", got, err, c.want)
			}
		})
	}
}

func TestReadPayloadRefuses(t *testing.T) {
	t.Parallel()
	deep := `{"b":` + strings.Repeat("[", delivery.MaxNesting) + strings.Repeat("]", delivery.MaxNesting) + `}`
	cases := map[string]struct {
		body      string
		notObject bool
	}{
		"nothing":               {"", true},
		"text":                  {"hello", true},
		"a list":                {`[{"event":"a"}]`, true},
		"a string":              {`"{}"`, true},
		"null":                  {"null", true},
		"an object cut off":     {`{"event":"a"`, true},
		"something after it":    {`{"event":"a"} x`, true},
		"a byte order mark":     {"\ufeff{}", true},
		"one level too deep":    {deep, false},
		"deep and never closed": {strings.Repeat("{\"a\":", 1<<20), false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := delivery.ReadPayload([]byte(c.body))
			if err == nil {
				t.Fatalf("got %+v, want an error", got)
			}
			if errors.Is(err, delivery.ErrNotObject) != c.notObject {
				t.Errorf("got error %v, want %v: %t", err, delivery.ErrNotObject, c.notObject)
			}
		})
	}
}

func TestEventOf(t *testing.T) {
	t.Parallel()
	header := delivery.Headers{{Name: "x-m2m-event", Value: "from.header"}}
	for name, c := range map[string]struct {
		body    string
		headers delivery.Headers
		want    string
	}{
		"the body before the header":         {`{"event":"from.body"}`, header, "from.body"},
		"the header where the body has none": {`{}`, header, "from.header"},
		"the header of a body that is text":  {"hello", header, "from.header"},
		"the body without a header":          {`{"event":"from.body"}`, nil, "from.body"},
		"neither":                            {"", nil, ""},
	} {
		if got := delivery.EventOf(delivery.Request{Headers: c.headers, Body: []byte(c.body)}); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
