package partner_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/partner"
)

// put sends a body to a mock, as a handler with a test key would.
func put(mock http.Handler, path, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPut, path, strings.NewReader(body))
	request.Header.Set("X-API-Key", testKeyText)
	request.Header.Set("Content-Type", "application/json")
	return serveOne(mock, request)
}

func serveOne(mock http.Handler, request *http.Request) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	mock.ServeHTTP(recorder, request)
	return recorder
}

const samplePath = "/partner/data-requests/" + sampleID

func TestMockAnswersTheDocumentedReplyAsDocumented(t *testing.T) {
	t.Parallel()
	for name, convert := range map[string]func(testing.TB, []byte) string{
		"the sample itself": func(_ testing.TB, b []byte) string { return string(b) },
		"compact":           compact,
	} {
		mock, _, told := newMock(t)
		answer := put(mock, samplePath, convert(t, readFile(t, "testdata/reply.json")))
		if got, want := answer.Body.String(), compact(t, readFile(t, "testdata/fulfilled.json")); answer.Code != 200 || got != want {
			t.Errorf("%s: got %d %s, want 200 %s", name, answer.Code, got, want)
		}
		if got := answer.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("%s: Content-Type %q", name, got)
		}
		want := partner.Received{
			At: answeredAt, After: 5 * time.Minute,
			DataRequestID: sampleID, ReferenceID: "user_12345",
			Status: 200, Message: "User data received and merged successfully",
			Key: "sha256:5fbae4da", KeyKind: "test",
			Fields: []partner.Field{
				{Path: "name.secondName", Present: true, Value: []byte(`"Carlos"`)},
				{Path: "name.secondLastName", Present: true, Value: []byte(`"Lopez"`)},
				{Path: "idNumber", Present: true, Value: []byte(`"GALO900515HDFRPN09"`)},
				{Path: "idType", Present: true, Value: []byte(`"CURP"`)},
				{Path: "dob", Present: true, Value: []byte(`"1990-05-15"`)},
			},
			Warnings: []string{"idNumber: the CURP's check digit is not the one that the official rule gives"},
		}
		if got := told.only(t); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: told of %+v, want %+v", name, got, want)
		}
	}
}

func TestMockStatuses(t *testing.T) {
	t.Parallel()
	sample := string(readFile(t, "testdata/reply.json"))
	replace := func(old, with string) string {
		if !strings.Contains(sample, old) {
			t.Fatalf("%s is not in the body", old)
		}
		return strings.Replace(sample, old, with, 1)
	}
	type change struct {
		method, path, body string
		key                *string
		at                 time.Time
	}
	none, live := "", liveKeyText
	cases := []struct {
		name   string
		change change
		status int
		code   partner.Code
		told   bool
	}{
		{"the documented reply", change{}, 200, "", true},
		{"a key of another kind", change{key: &live}, 200, "", true},
		{"no key", change{key: &none}, 401, partner.Unauthorized, true},
		{"no key and no data request either", change{key: &none, path: "/partner/data-requests/x"}, 401, partner.Unauthorized, true},
		{"a data request that nobody saw", change{path: "/partner/data-requests/dr_other"}, 404, partner.ResourceNotFound, true},
		{"the id in capitals", change{path: strings.ToUpper(samplePath)}, 404, partner.ResourceNotFound, false},
		{"another path", change{path: "/partner/links"}, 404, partner.ResourceNotFound, false},
		{"no id", change{path: "/partner/data-requests/"}, 404, partner.ResourceNotFound, false},
		{"a slash behind the id", change{path: samplePath + "/"}, 404, partner.ResourceNotFound, false},
		{"a slash in the id", change{path: samplePath + "%2Fx"}, 404, partner.ResourceNotFound, false},
		{"the id, percent-encoded", change{path: "/partner/data-requests/%64r_acme_x9y8z7w6v5u4"}, 200, "", true},
		{"POST", change{method: "POST"}, 405, partner.InvalidRequest, false},
		{"GET", change{method: "GET"}, 405, partner.InvalidRequest, false},
		{"at the deadline", change{at: askedAt.Add(time.Hour)}, 200, "", true},
		{"after the deadline", change{at: askedAt.Add(time.Hour + time.Millisecond)}, 410, partner.LinkExpired, true},
		{"another referenceId", change{body: replace("user_12345", "user_1")}, 400, partner.ReferenceIDMismatch, true},
		{"the referenceId in capitals", change{body: replace("user_12345", "USER_12345")}, 400, partner.ReferenceIDMismatch, true},
		{"an empty referenceId", change{body: replace("user_12345", "")}, 400, partner.ReferenceIDMismatch, true},
		{"a referenceId that is a number", change{body: replace(`"user_12345"`, "12345")}, 400, partner.InvalidRequest, true},
		{"no referenceId", change{body: `{"userData":{}}`}, 400, partner.InvalidRequest, true},
		{"a member in other letters", change{body: replace("referenceId", "referenceID")}, 400, partner.InvalidRequest, true},
		{"two referenceIds", change{body: replace("{", `{"referenceId":"user_1",`)}, 400, partner.InvalidRequest, true},
		{"two referenceIds, one escaped", change{body: replace("{", `{"\u0072eferenceId":"user_1",`)}, 400, partner.InvalidRequest, true},
		{"two userDatas", change{body: replace("{", `{"userData":{},`)}, 400, partner.InvalidRequest, true},
		{"no userData", change{body: `{"referenceId":"user_12345"}`}, 400, partner.InvalidRequest, true},
		{"userData that is an array", change{body: `{"referenceId":"user_12345","userData":[]}`}, 400, partner.InvalidRequest, true},
		{"userData that is null", change{body: `{"referenceId":"user_12345","userData":null}`}, 400, partner.InvalidRequest, true},
		{"userData that is text", change{body: `{"referenceId":"user_12345","userData":"{}"}`}, 400, partner.InvalidRequest, true},
		{"an array", change{body: `[]`}, 400, partner.InvalidRequest, true},
		{"no JSON", change{body: `referenceId=user_12345`}, 400, partner.InvalidRequest, true},
		{"JSON and more", change{body: sample + "x"}, 400, partner.InvalidRequest, true},
		{"nothing", change{body: " "}, 400, partner.InvalidRequest, true},
		{"bytes that are no text", change{body: "{\"referenceId\":\"\xff\"}"}, 400, partner.InvalidRequest, true},
		{"nested too deep", change{body: replace(`"Carlos"`, strings.Repeat(`[`, 20_000)+strings.Repeat(`]`, 20_000))}, 400, partner.InvalidRequest, true},
		{"nested less deep", change{body: replace(`"Carlos"`, strings.Repeat(`{"a":`, 5_000)+"1"+strings.Repeat(`}`, 5_000))}, 200, "", true},
		{"the largest body", change{body: replace(`"Carlos"`, `"`+strings.Repeat("x", partner.MaxReply-len(sample)+len("Carlos"))+`"`)}, 200, "", true},
		{"a body over the limit", change{body: replace(`"Carlos"`, `"`+strings.Repeat("x", partner.MaxReply)+`"`)}, 400, partner.InvalidRequest, true},
		{"empty user data", change{body: `{"referenceId":"user_12345","userData":{}}`}, 200, "", true},
		{"more than the documented members", change{body: replace("{", `{"more":[1],`)}, 200, "", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mock, clock, told := newMock(t)
			if !c.change.at.IsZero() {
				clock.moment = c.change.at
			}
			path, method, body := samplePath, http.MethodPut, sample
			if c.change.path != "" {
				path = c.change.path
			}
			if c.change.method != "" {
				method = c.change.method
			}
			if c.change.body != "" {
				body = c.change.body
			}
			request := httptest.NewRequest(method, path, strings.NewReader(body))
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("X-API-Key", testKeyText)
			if c.change.key != nil {
				request.Header.Set("X-API-Key", *c.change.key)
			}
			answer := serveOne(mock, request)
			if answer.Code != c.status {
				t.Errorf("got %d %s, want %d", answer.Code, answer.Body, c.status)
			}
			expectShape(t, answer, c.code)
			if !c.told {
				if len(told.all) != 0 {
					t.Errorf("told of %+v, want nothing", told.all)
				}
				return
			}
			received := told.only(t)
			if received.Status != c.status || received.Code != c.code || received.Message == "" {
				t.Errorf("told of %d %q %q, want %d %q", received.Status, received.Code, received.Message, c.status, c.code)
			}
			received.Fields = nil // 8 MiB take fmt long to print
			if printed := fmt.Sprintf("%+v", received); strings.Contains(printed, testKeyText) ||
				strings.Contains(printed, liveKeyText) {
				t.Error("what is told holds the key")
			}
		})
	}
}

// expectShape checks that an answer has the documented body for its status.
func expectShape(t *testing.T, answer *httptest.ResponseRecorder, code partner.Code) {
	t.Helper()
	body := answer.Body.Bytes()
	if got := answer.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	var got struct {
		Success *bool
		Code    partner.Code
		Message string
		Error   struct {
			Code    partner.Code
			Message string
		}
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	switch {
	case answer.Code == 200:
		if got.Success == nil || !*got.Success {
			t.Errorf("a success that does not say so: %s", body)
		}
	case answer.Code == 401:
		if got.Success != nil || got.Code != code || got.Message == "" {
			t.Errorf("not the bare shape: %s", body)
		}
	case got.Success == nil || *got.Success || got.Error.Code != code || got.Error.Message == "" || got.Code != "":
		t.Errorf("not the shape of an error: %s, want the code %s", body, code)
	}
	if answer.Code == 405 && answer.Header().Get("Allow") != "PUT" {
		t.Errorf("Allow %q", answer.Header().Get("Allow"))
	}
}

func TestMockTakesOneAnswerAndARefusalIsNone(t *testing.T) {
	t.Parallel()
	mock, clock, _ := newMock(t)
	sample := string(readFile(t, "testdata/reply.json"))
	steps := []struct {
		body   string
		at     time.Time
		status int
	}{
		{"{}", answeredAt, 400},
		{strings.Replace(sample, "user_12345", "x", 1), answeredAt, 400},
		{sample, answeredAt, 200},
		{sample, answeredAt, 409},
		{"{}", answeredAt, 409},
		{sample, answeredAt.Add(24 * time.Hour), 409},
	}
	for i, step := range steps {
		clock.moment = step.at
		answer := put(mock, samplePath, step.body)
		if answer.Code != step.status {
			t.Errorf("step %d: got %d %s, want %d", i+1, answer.Code, answer.Body, step.status)
		}
		if step.status == 409 {
			expectShape(t, answer, partner.InvalidRequest)
		}
	}
}

func TestMockTellsWhatIsMissingExtraAndDoubtful(t *testing.T) {
	t.Parallel()
	mock, _, told := newMock(t)
	request := httptest.NewRequest(http.MethodPut, samplePath, strings.NewReader(`{"referenceId":"user_12345","userData":{
		"paymentMethod":{"type":"card","n":100.00},"name":{"secondName":"  ","firstName":"A"},
		"dob":19900515,"idNumber":"x","empty":{},"deep":{"a":{"b":{"c":{"d":{"e":1}}}}}}}`))
	request.Header.Set("X-Api-Key", liveKeyText)
	request.Header.Set("Content-Type", "text/plain")
	if answer := serveOne(mock, request); answer.Code != 200 {
		t.Fatalf("got %d %s", answer.Code, answer.Body)
	}
	got := told.only(t)
	fields := []partner.Field{
		{Path: "name.secondName", Value: []byte(`"  "`)},
		{Path: "name.secondLastName"},
		{Path: "idNumber", Present: true, Value: []byte(`"x"`)},
		{Path: "idType"},
		{Path: "dob", Present: true, Value: []byte(`19900515`)},
	}
	if !reflect.DeepEqual(got.Fields, fields) {
		t.Errorf("fields %+v, want %+v", got.Fields, fields)
	}
	extra := []string{"paymentMethod.type", "paymentMethod.n", "name.firstName", "empty", "deep.a.b.c.d"}
	if !reflect.DeepEqual(got.Extra, extra) {
		t.Errorf("extra %q, want %q", got.Extra, extra)
	}
	warnings := []string{
		"the API key is a live key (m2m_live_), and this is a mock: use a test key",
		`the Content-Type is "text/plain", and application/json is documented`,
		"name.secondName: it is required and empty",
		"name.secondLastName: it is required and missing",
		"idType: it is required and missing",
		"dob: it is a number, not a string",
	}
	if !reflect.DeepEqual(got.Warnings, warnings) {
		t.Errorf("warnings %q, want %q", got.Warnings, warnings)
	}
	if got.KeyKind != "live" {
		t.Errorf("kind %q", got.KeyKind)
	}
}

func TestMockTellsOfAReplyWithoutAKey(t *testing.T) {
	t.Parallel()
	mock, _, told := newMock(t)
	serveOne(mock, httptest.NewRequest(http.MethodPut, samplePath, strings.NewReader("{}")))
	got := told.only(t)
	if got.Key != "none" || got.KeyKind != "none" || got.DataRequestID != sampleID || got.Fields != nil {
		t.Errorf("got %+v", got)
	}
}

func TestMockBoundsWhatItTells(t *testing.T) {
	t.Parallel()
	mock, _, told := newMock(t)
	var body strings.Builder
	body.WriteString(`{"referenceId":"user_12345","userData":{"x":0`)
	for i := range 10_000 {
		fmt.Fprintf(&body, `,"x%d":{"y":%d}`, i, i)
	}
	body.WriteString(`}}`)
	if answer := put(mock, samplePath, body.String()); answer.Code != 200 {
		t.Fatalf("got %d", answer.Code)
	}
	if got := told.only(t); len(got.Extra) != 100 || got.Extra[99] != "x98.y" {
		t.Errorf("got %d extra paths, the last %q", len(got.Extra), got.Extra[len(got.Extra)-1])
	}
}

func TestMockTakesExactlyOneOfManyAtOnce(t *testing.T) {
	t.Parallel()
	mock, _, told := newMock(t)
	sample := string(readFile(t, "testdata/reply.json"))
	const many = 50
	statuses := make(chan int, many)
	start := make(chan struct{})
	var senders sync.WaitGroup
	for range many {
		senders.Go(func() {
			<-start
			statuses <- put(mock, samplePath, sample).Code
		})
	}
	close(start)
	senders.Wait()
	close(statuses)
	count := map[int]int{}
	for status := range statuses {
		count[status]++
	}
	if count[200] != 1 || count[409] != many-1 {
		t.Errorf("got %v, want one 200 and %d times 409", count, many-1)
	}
	if len(told.all) != many {
		t.Errorf("told of %d replies", len(told.all))
	}
}

func TestMockTellsOneReplyAtATime(t *testing.T) {
	t.Parallel()
	var inside atomic.Int32
	mock := partner.NewMock(partner.MockOptions{Now: clockAt(askedAt), OnReply: func(partner.Received) {
		if inside.Add(1) != 1 {
			t.Error("two calls at a time")
		}
		for range 100 {
			runtime.Gosched()
		}
		inside.Add(-1)
	}})
	var senders sync.WaitGroup
	for range 20 {
		senders.Go(func() { put(mock, samplePath, "{}") })
	}
	senders.Wait()
}

func TestMockWritesTimesInUTC(t *testing.T) {
	t.Parallel()
	mock, clock, _ := newMock(t)
	clock.moment = answeredAt.In(time.FixedZone("CST", -6*60*60))
	answer := put(mock, samplePath, string(readFile(t, "testdata/reply.json"))).Body.String()
	if want := `"fulfilledAt":"2026-01-26T14:35:00.000Z"`; !strings.Contains(answer, want) {
		t.Errorf("no %s in %s", want, answer)
	}
}

func TestMockTakesOneOfTwoThatWereReadAtTheSameTime(t *testing.T) {
	t.Parallel()
	mock, _, _ := newMock(t)
	sample := string(readFile(t, "testdata/reply.json"))
	body, writer := io.Pipe()
	request := httptest.NewRequest(http.MethodPut, samplePath, body)
	request.Header.Set("X-API-Key", testKeyText)
	slow := make(chan int)
	go func() { slow <- serveOne(mock, request).Code }()
	if _, err := io.WriteString(writer, sample[:10]); err != nil { // the mock is reading now
		t.Fatal(err)
	}
	if answer := put(mock, samplePath, sample); answer.Code != 200 {
		t.Errorf("the fast one: got %d", answer.Code)
	}
	if _, err := io.WriteString(writer, sample[10:]); err != nil {
		t.Error(err)
	}
	_ = writer.Close() // a pipe's never fails
	if status := <-slow; status != 409 {
		t.Errorf("the slow one: got %d, want 409", status)
	}
}

func TestMockSaysThatABodyBrokeOff(t *testing.T) {
	t.Parallel()
	mock, _, told := newMock(t)
	body, writer := io.Pipe()
	_ = writer.CloseWithError(io.ErrUnexpectedEOF)
	request := httptest.NewRequest(http.MethodPut, samplePath, body)
	request.Header.Set("X-API-Key", testKeyText)
	if answer := serveOne(mock, request); answer.Code != 400 {
		t.Errorf("got %d", answer.Code)
	}
	if got := told.only(t); got.Message != "the body broke off" {
		t.Errorf("told %q", got.Message)
	}
}

func TestMockRefusesALargeBodyUnread(t *testing.T) {
	t.Parallel()
	mock, _, _ := newMock(t)
	for name, id := range map[string]string{"over the limit": sampleID, "to an unknown data request": "dr_other"} {
		request := httptest.NewRequest(http.MethodPut, "/partner/data-requests/"+id, unreadable{t})
		request.ContentLength = partner.MaxReply + 1
		request.Header.Set("X-API-Key", testKeyText)
		if answer := serveOne(mock, request); answer.Code < 400 {
			t.Errorf("%s: got %d", name, answer.Code)
		}
	}
}

func TestMockRefusesALargeBodyWithoutALength(t *testing.T) {
	t.Parallel()
	mock, _, told := newMock(t)
	request := httptest.NewRequest(http.MethodPut, samplePath, io.LimitReader(endless{}, partner.MaxReply+1))
	request.Header.Set("X-API-Key", testKeyText)
	if answer := serveOne(mock, request); answer.Code != 400 {
		t.Errorf("got %d", answer.Code)
	}
	if got := told.only(t); got.Message != "the body is over 8 MiB" {
		t.Errorf("told %q", got.Message)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func dataRequest(id, reference string, expires time.Time) []byte {
	return fmt.Appendf(nil, `{"event":"user.data_request","data":{"dataRequestId":%q,"referenceId":%q,"linkId":"l",
		"requiredFields":["dob"],"replyEndpoint":"http://localhost/","expiresAt":%q}}`, id, reference, expires.Format(time.RFC3339Nano))
}

func TestMockRemembersTheNewest(t *testing.T) {
	t.Parallel()
	mock, _, _ := newMock(t)
	for i := range 10_000 {
		if err := mock.Remember(dataRequest(fmt.Sprint("dr_", i), "u", askedAt.Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]int{sampleID: 404, "dr_0": 200, "dr_9999": 200} {
		if got := put(mock, "/partner/data-requests/"+id, `{"referenceId":"u","userData":{}}`).Code; got != want {
			t.Errorf("%s: got %d, want %d", id, got, want)
		}
	}
}

func TestMockSeesARequestThatIsDeliveredAgain(t *testing.T) {
	t.Parallel()
	mock, clock, told := newMock(t)
	remember := func(reference string) {
		t.Helper()
		if err := mock.Remember(dataRequest("dr_1", reference, askedAt.Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	remember("first")
	clock.moment = answeredAt.Add(time.Minute)
	remember("second")
	clock.moment = answeredAt.Add(time.Minute + time.Second)
	if got := put(mock, "/partner/data-requests/dr_1", `{"referenceId":"second","userData":{"dob":"1990-05-15"}}`).Code; got != 200 {
		t.Errorf("the newer one: got %d", got)
	}
	if got := told.only(t).After; got != time.Second {
		t.Errorf("told of %s after the request, want 1s", got)
	}
	remember("third")
	if got := put(mock, "/partner/data-requests/dr_1", `{"referenceId":"third","userData":{}}`).Code; got != 409 {
		t.Errorf("one that was answered: got %d, want 409", got)
	}
}

func TestMockRemembersNothingElse(t *testing.T) {
	t.Parallel()
	mock, _, _ := newMock(t)
	for _, payload := range []string{`{"event":"link.opened","data":{}}`, `{}`, `x`, `{"event":"user.data_request","data":{}}`} {
		if err := mock.Remember([]byte(payload)); err == nil {
			t.Errorf("%s was remembered", payload)
		}
	}
}

func FuzzMock(f *testing.F) {
	sample := readFile(f, "testdata/reply.json")
	f.Add("PUT", samplePath, testKeyText, sample)
	f.Add("PUT", samplePath, "", []byte(`{"referenceId":"user_12345","userData":{"name":[]}}`))
	f.Add("GET", "/partner/data-requests/%2e%2e", "x", []byte(`{"referenceId":`))
	f.Add("PUT", samplePath, "\x00", []byte(`{"referenceId":"user_12345","userData":{"a":{"b":{"c":[1e999,{}]}},"dob":1,"":2}}`))
	statuses := map[int]bool{200: true, 400: true, 401: true, 404: true, 405: true, 409: true, 410: true}
	f.Fuzz(func(t *testing.T, method, path, key string, body []byte) {
		mock, _, told := newMock(t)
		u, err := url.ParseRequestURI("/" + strings.TrimPrefix(path, "/"))
		if err != nil {
			return
		}
		taken := 0
		for range 2 {
			request := &http.Request{
				Method: method, URL: u, Header: http.Header{"X-Api-Key": {key}},
				Body: io.NopCloser(strings.NewReader(string(body))), ContentLength: -1,
			}
			answer := serveOne(mock, request)
			if !json.Valid(answer.Body.Bytes()) || answer.Header().Get("Content-Type") != "application/json" {
				t.Errorf("the answer is no JSON: %s", answer.Body)
			}
			if !statuses[answer.Code] {
				t.Errorf("status %d", answer.Code)
			}
			if answer.Code == 200 {
				taken++
			}
		}
		if taken > 1 {
			t.Error("two answers were taken")
		}
		for _, received := range told.all {
			// A fingerprint and a few words: nothing that a key of some length is in.
			if len(key) > 12 && strings.Contains(received.Key+received.KeyKind+received.Message, key) {
				t.Errorf("what is told holds the key: %+v", received)
			}
		}
	})
}
