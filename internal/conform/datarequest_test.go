package conform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/conform"
)

const complete = `{"referenceId":"user_12345","userData":{"name":{"secondName":"Carlos","secondLastName":"Lopez"},"idNumber":"GALO900515HDFRPN09","idType":"CURP","dob":"1990-05-15"}}`

// reply is what a handler makes of a data request's replyEndpoint.
type reply struct {
	method, body, key string
	path              string // replaces /partner/data-requests/
	host              string
}

func (r reply) send(ctx context.Context, endpoint string) error {
	if r.path != "" {
		endpoint = strings.Replace(endpoint, "/partner/data-requests/", r.path, 1)
	}
	request, err := http.NewRequestWithContext(ctx, r.method, endpoint, strings.NewReader(r.body))
	if err != nil {
		return err
	}
	request.Host = r.host
	request.Header.Set("Content-Type", "application/json")
	if r.key != "" {
		request.Header.Set("X-API-Key", r.key)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return errors.Join(err, response.Body.Close())
}

// replying is a rig for a handler that answers data requests with all of the replies
// before it acknowledges them, authentic ones or forged ones.
func replying(t *testing.T, toForged bool, replies ...reply) *rig {
	t.Helper()
	return serve(t, func(_ string, w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		authentic := sent{headers: headersOf(r), body: body}.authentic()
		if r.Header.Get("X-M2M-Event") == "user.data_request" && authentic != toForged {
			var payload struct {
				Data struct{ ReplyEndpoint string }
			}
			if err := json.NewDecoder(bytes.NewReader(body)).Decode(&payload); err != nil {
				t.Error(err)
			}
			for _, reply := range replies {
				if err := reply.send(context.WithoutCancel(r.Context()), payload.Data.ReplyEndpoint); err != nil {
					t.Error(err)
				}
			}
		}
		if !authentic {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
}

func headersOf(r *http.Request) []header {
	var headers []header
	for name := range r.Header {
		headers = append(headers, header{name, r.Header.Get(name)})
	}
	return headers
}

func TestDataRequestAnswered(t *testing.T) {
	t.Parallel()
	put := reply{method: http.MethodPut, body: complete, key: apiKey}
	with := func(change func(*reply)) reply {
		changed := put
		change(&changed)
		return changed
	}
	incomplete := with(func(r *reply) {
		r.body = `{"referenceId":"user_12345","userData":{"name":{"secondName":"Carlos","secondLastName":""},"idNumber":"GALO900515HDFRPN09","dob":"1990-05-15"}}`
	})
	another := with(func(r *reply) { r.body = strings.Replace(complete, "user_12345", "user_54321", 1) })
	posted := with(func(r *reply) { r.method = http.MethodPost })
	for _, c := range []struct {
		name    string
		replies []reply
		want    conform.Outcome
		said    string
	}{
		{"complete", []reply{put}, conform.Pass, "answered, with all 5 fields"},
		{"twice", []reply{put, put}, conform.Pass, "answered, with all 5 fields"},
		{"after a mistake", []reply{another, put}, conform.Pass, "answered, with all 5 fields"},
		{"a POST first", []reply{posted, put}, conform.Pass, "answered, with all 5 fields"},
		{"incomplete", []reply{incomplete}, conform.Warn, "the answer lacks name.secondLastName, idType"},
		{"for somebody else", []reply{another}, conform.Warn, "the Partner API would refuse the answer: 400 REFERENCE_ID_MISMATCH: "},
		{"no JSON", []reply{with(func(r *reply) { r.body = "hello" })}, conform.Warn, "the Partner API would refuse the answer: 400 INVALID_REQUEST: "},
		{"without a key", []reply{with(func(r *reply) { r.key = "" })}, conform.Warn, "the Partner API would refuse the answer: 401 UNAUTHORIZED: "},
		{"a POST", []reply{posted}, conform.Warn, "a POST comes, not a PUT"},
		{"to another path", []reply{with(func(r *reply) { r.path = "/data-requests/" })}, conform.Warn, "a PUT comes, but not to the replyEndpoint"},
		{"under another host", []reply{with(func(r *reply) { r.host = "evil.test" })}, conform.Warn, "a PUT comes, but not to the replyEndpoint"},
		{"never", nil, conform.Warn, "no PUT comes within 100ms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := replying(t, false, c.replies...)
			r.run(t, "data-request.*")
			if got := r.result(t, "data-request.answered"); got.Outcome != c.want || !strings.HasPrefix(got.Said, c.said) {
				t.Errorf("got %s: %s, want %s: %s", got.Outcome, got.Said, c.want, c.said)
			}
			if got := r.result(t, "data-request.forged"); got.Outcome != conform.Pass || !strings.HasPrefix(got.Said, "no PUT comes within ") {
				t.Errorf("forged: got %s: %s", got.Outcome, got.Said)
			}
		})
	}
}

// TestAnsweredLater has the reply come after the acknowledgement: within the patience, and
// after it.
func TestAnsweredLater(t *testing.T) {
	t.Parallel()
	later := func(t *testing.T, wait <-chan struct{}) *rig {
		t.Helper()
		var replying sync.WaitGroup
		t.Cleanup(replying.Wait)
		return serve(t, func(on string, _ http.ResponseWriter, r *http.Request) {
			var payload struct {
				Data struct{ ReplyEndpoint string }
			}
			if json.NewDecoder(r.Body).Decode(&payload) != nil || on != "data-request.answered" || payload.Data.ReplyEndpoint == "" {
				return
			}
			ctx := context.WithoutCancel(r.Context())
			replying.Go(func() {
				<-wait
				// When it is too late, nobody may be there.
				_ = reply{method: http.MethodPut, body: complete, key: apiKey}.send(ctx, payload.Data.ReplyEndpoint)
			})
		})
	}
	t.Run("within the patience", func(t *testing.T) {
		t.Parallel()
		soon := make(chan struct{})
		time.AfterFunc(50*time.Millisecond, func() { close(soon) })
		r := later(t, soon)
		r.Patience = deadline
		r.run(t, "data-request.answered")
		if got := r.result(t, "data-request.answered"); got.Outcome != conform.Pass || got.Took >= r.Patience {
			t.Errorf("got %s after %s, want %s as soon as it is there", got.Outcome, got.Took, conform.Pass)
		}
	})
	t.Run("after it", func(t *testing.T) {
		t.Parallel()
		over := make(chan struct{})
		r := later(t, over)
		got := r.run(t, "data-request.answered")["data-request.answered"]
		close(over)
		if got != conform.Warn {
			t.Errorf("got %s, want %s", got, conform.Warn)
		}
	})
}

func TestDataRequestForged(t *testing.T) {
	t.Parallel()
	const withKey = " comes, and with it the API key: the handler would send that to anyone"
	for name, c := range map[string]struct {
		reply reply
		said  string
	}{
		"a PUT with the key":    {reply{method: http.MethodPut, body: complete, key: apiKey}, "a PUT" + withKey + " (sha256:"},
		"a PUT without":         {reply{method: http.MethodPut, body: complete}, "a PUT comes: the handler answers whoever asks"},
		"a PUT of nothing":      {reply{method: http.MethodPut, key: apiKey}, "a PUT" + withKey},
		"a POST with the key":   {reply{method: http.MethodPost, body: complete, key: apiKey}, "a POST" + withKey},
		"a GET without":         {reply{method: http.MethodGet}, "a GET comes: the handler answers whoever asks"},
		"a PUT to another path": {reply{method: http.MethodPut, body: complete, key: apiKey, path: "/elsewhere/"}, "a PUT" + withKey},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := replying(t, true, c.reply)
			r.run(t, "data-request.forged")
			if got := r.result(t, "data-request.forged"); got.Outcome != conform.Fail || !strings.HasPrefix(got.Said, c.said) {
				t.Errorf("got %s: %s, want %s", got.Outcome, got.Said, c.said)
			}
		})
	}
}

// TestUnsignedAlone has a handler answer the unsigned one of the two forged.
func TestUnsignedAlone(t *testing.T) {
	t.Parallel()
	r := serve(t, func(_ string, w http.ResponseWriter, r *http.Request) {
		var payload struct {
			Data struct{ ReplyEndpoint string }
		}
		_ = json.NewDecoder(r.Body).Decode(&payload)
		if _, signed := r.Header["X-M2m-Signature"]; !signed {
			if err := (reply{method: http.MethodPut, body: complete, key: apiKey}).send(context.WithoutCancel(r.Context()), payload.Data.ReplyEndpoint); err != nil {
				t.Error(err)
			}
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	if got := r.run(t, "data-request.forged")["data-request.forged"]; got != conform.Fail {
		t.Errorf("got %s, want %s", got, conform.Fail)
	}
}

func TestUnreachableRepliesSkipBoth(t *testing.T) {
	t.Parallel()
	r := serve(t, good(t))
	r.Unreachable = "the handler cannot come here"
	r.run(t, "data-request.*")
	for _, result := range r.results {
		if result.Outcome != conform.Skip || result.Said != r.Unreachable || result.NotRun || len(result.Records) > 0 {
			t.Errorf("%s: got %s: %s, %d deliveries", result.Case.ID, result.Outcome, result.Said, len(result.Records))
		}
	}
}
