package partner_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/partner"
)

// The client and the mock, each played against the other: what one says, the other
// understands.
func TestClientUnderstandsTheMock(t *testing.T) {
	t.Parallel()
	body := func(reference string) []byte { return partner.ReplyBody(reference, partner.UserData{}) }
	cases := []struct {
		name    string
		prepare func(*testing.T, *partner.Mock, *clock)
		answer  func(*partner.Answer)
		status  int
		code    partner.Code
	}{
		{"an answer", nil, nil, 200, ""},
		{"another referenceId", nil, func(a *partner.Answer) { a.Body = body("user_1") }, 400, partner.ReferenceIDMismatch},
		{"a body of another shape", nil, func(a *partner.Answer) { a.Body = []byte("[]") }, 400, partner.InvalidRequest},
		{"an id that nobody saw", nil, func(a *partner.Answer) {
			a.DataRequestID = "dr_other"
			a.Endpoint.Path = "/partner/data-requests/dr_other"
		}, 404, partner.ResourceNotFound},
		{"another method's path", nil, func(a *partner.Answer) { a.Endpoint.Path = "/" }, 404, partner.ResourceNotFound},
		{"a second answer", func(t *testing.T, m *partner.Mock, _ *clock) {
			t.Helper()
			if got := put(m, samplePath, string(body("user_12345"))).Code; got != 200 {
				t.Fatalf("the first answer: %d", got)
			}
		}, nil, 409, partner.InvalidRequest},
		{"an answer too late", func(_ *testing.T, _ *partner.Mock, c *clock) {
			c.moment = askedAt.Add(2 * time.Hour)
		}, nil, 410, partner.LinkExpired},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mock, clock, told := newMock(t)
			if c.prepare != nil {
				c.prepare(t, mock, clock)
			}
			answer := sampleAnswer(t, serve(t, mock))
			if c.answer != nil {
				c.answer(&answer)
			}
			client, pauses := newClient()
			got, err := client.Reply(t.Context(), answer)
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != c.status || got.Code != c.code || got.Fulfilled != (c.status == 200) {
				t.Errorf("got %+v, want %d %s", got, c.status, c.code)
			}
			if got.Message == "" || got.Note != "" || len(*pauses) != 0 {
				t.Errorf("message %q, note %q, pauses %v", got.Message, got.Note, *pauses)
			}
			if !got.Fulfilled && got.Advice() == "" {
				t.Error("there is no advice")
			}
			if c.status != 200 {
				return
			}
			if got.DataRequestID != sampleID || got.LinkID != "link_acme_a1b2c3d4e5f6" || !got.FulfilledAt.Equal(answeredAt) {
				t.Errorf("got %+v", got)
			}
			if received := told.only(t); received.Key != answer.Key.Fingerprint() || received.KeyKind != string(answer.Key.Kind()) {
				t.Errorf("the mock saw the key %s (%s)", received.Key, received.KeyKind)
			}
		})
	}
}

func TestClientUnderstandsTheMocksBareError(t *testing.T) {
	t.Parallel()
	mock, _, _ := newMock(t)
	origin := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("X-API-Key") // the client always has one
		mock.ServeHTTP(w, r)
	}))
	client, _ := newClient()
	got, err := client.Reply(t.Context(), sampleAnswer(t, origin))
	if err != nil || got.Status != 401 || got.Code != partner.Unauthorized || got.Message == "" {
		t.Errorf("got %+v, %v", got, err)
	}
}
