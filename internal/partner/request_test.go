package partner_test

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/partner"
)

func TestParseDataRequestReadsTheDocumentedSample(t *testing.T) {
	t.Parallel()
	got, err := partner.ParseDataRequest(readFile(t, sampleRequest))
	if err != nil {
		t.Fatal(err)
	}
	want := partner.DataRequest{
		DataRequestID:  sampleID,
		ReferenceID:    "user_12345",
		LinkID:         "link_acme_a1b2c3d4e5f6",
		RequiredFields: []string{"name.secondName", "name.secondLastName", "idNumber", "idType", "dob"},
		ReplyEndpoint:  "https://api.m2m.leapfinancial.com/partner/data-requests/" + sampleID,
		ExpiresAt:      time.Date(2026, 1, 26, 15, 30, 0, 0, time.UTC),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseDataRequestSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	whole := `{"dataRequestId":"dr_1","referenceId":"u","linkId":"l","requiredFields":["dob"],` +
		`"replyEndpoint":"https://x.test/","expiresAt":"2026-01-26T15:30:00Z"}`
	event := func(data string) string { return `{"event":"user.data_request","data":` + data + `}` }
	replace := func(old, with string) string {
		if !strings.Contains(whole, old) {
			t.Fatalf("%s is not in the payload", old)
		}
		return event(strings.Replace(whole, old, with, 1))
	}
	cases := []struct {
		name, payload, want string // want is empty for a payload that is taken
	}{
		{"whole", event(whole), ""},
		{"unknown members", `{"more":1,` + replace(`{`, `{"metadata":{"a":[1]},`)[1:], ""},
		{"no required fields", replace(`["dob"]`, `[]`), ""},
		{"a path that nobody documented", replace(`"dob"`, `"address.0.street"`), ""},
		{"no data", `{"event":"user.data_request"}`, "data: missing"},
		{"data that is empty", event(`{}`), "data.dataRequestId: missing; data.referenceId: missing; data.linkId: missing; " +
			"data.requiredFields: missing; data.replyEndpoint: missing; data.expiresAt: missing"},
		{"data is an array", event(`[{"dataRequestId":"x"}]`), "data: an array, not an object"},
		{"data in a text", event(strconv.Quote(whole)), "data: a string, not an object"},
		{"no link", replace(`"linkId":"l",`, ``), "data.linkId: missing"},
		{"an empty reference", replace(`"u"`, `""`), "data.referenceId: empty"},
		{"a number for a text", replace(`"u"`, `12345`), "data.referenceId: a number, not a string"},
		{"null for a text", replace(`"l"`, `null`), "data.linkId: null, not a string"},
		{"an object for a text", replace(`"l"`, `{}`), "data.linkId: an object, not a string"},
		{"a text for an array", replace(`["dob"]`, `"dob"`), "data.requiredFields: a string, not an array"},
		{"a boolean in the array", replace(`["dob"]`, `["dob",true]`), "data.requiredFields.1: a boolean, not a string"},
		{"a deadline in words", replace(`2026-01-26T15:30:00Z`, `tomorrow`), `data.expiresAt: "tomorrow" is not an RFC 3339 time`},
		{"an id that is a dot", replace(`dr_1`, `.`), `data.dataRequestId: "." is a step in a path`},
		{"an id that is two dots", replace(`dr_1`, `..`), `data.dataRequestId: ".." is a step in a path`},
		{"an empty id", replace(`dr_1`, ``), `data.dataRequestId: empty`},
		{"an id with a newline", replace(`dr_1`, `dr\n1`), `data.dataRequestId: it has control characters`},
		{"an id with a C1 control", replace(`dr_1`, `dr\u009b1`), `data.dataRequestId: it has control characters`},
		{"an id with a slash", replace(`dr_1`, `../links`), `data.dataRequestId: "../links" has a slash`},
		{"an id with a backslash", replace(`dr_1`, `..\\links`), `has a slash`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := partner.ParseDataRequest([]byte(c.payload))
			switch {
			case c.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestParseDataRequestTellsOtherEventsFromRubbish(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"event":"link.opened","data":{}}`: "link.opened",
		`{"event":7}`:                       "7",
		`{}`:                                "",
	} {
		_, err := partner.ParseDataRequest([]byte(payload))
		var other *partner.OtherEventError
		if !errors.As(err, &other) || other.Event != want {
			t.Errorf("%s: got %v, want an *OtherEventError for %q", payload, err, want)
		}
	}
	for payload, want := range map[string]string{
		``:                               "empty",
		" \n":                            "empty",
		`[]`:                             "an array",
		`"user.data_request"`:            "a string",
		`null`:                           "null",
		"{\n  \"event\": oops}":          "line 2, column 12",
		`{"event":"user.data_request"`:   "not JSON",
		"{\"event\":\"\xff\"}":           "UTF-8",
		strings.Repeat(`{"a":`, 100_000): "not JSON",
	} {
		_, err := partner.ParseDataRequest([]byte(payload))
		var rubbish *partner.NotObjectError
		if !errors.As(err, &rubbish) || !strings.Contains(rubbish.Message, want) {
			t.Errorf("%.40q: got %v, want a *NotObjectError with %q", payload, err, want)
		}
	}
}

func TestDeadlineIsInclusive(t *testing.T) {
	t.Parallel()
	request := partner.DataRequest{ExpiresAt: answeredAt}
	if request.Expired(answeredAt) {
		t.Error("it expired at its deadline already")
	}
	if !request.Expired(answeredAt.Add(time.Millisecond)) {
		t.Error("it did not expire after its deadline")
	}
}

func FuzzParseDataRequest(f *testing.F) {
	f.Add(readFile(f, sampleRequest))
	f.Add([]byte(`{"event":"user.data_request","data":{"requiredFields":["",".","a..b",1]}}`))
	f.Add([]byte(`{"event":"user.data_request","event":"x","data":[]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		request, err := partner.ParseDataRequest(payload)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without words")
			}
			return
		}
		if err := partner.CheckID(request.DataRequestID); err != nil {
			t.Errorf("an id was taken that is none: %v", err)
		}
		if request.ReferenceID == "" || request.LinkID == "" || request.ReplyEndpoint == "" {
			t.Errorf("an empty member was taken: %+v", request)
		}
	})
}
