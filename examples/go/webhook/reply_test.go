package webhook_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/leapfinancial/m2m/examples/go/webhook"
)

// put is an answer to a data request, as M2M sees it.
type put struct {
	method, url, key, contentType, body string
}

// partnerAPI stands in for the network: it notes what is sent and answers with status,
// and from the second time on with 200, so that a redirect that is followed has an end.
type partnerAPI struct {
	status int
	err    error

	mu   sync.Mutex
	puts []put
}

func (a *partnerAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.puts = append(a.puts, put{
		r.Method, r.URL.String(), r.Header.Get("X-API-Key"), r.Header.Get("Content-Type"), string(body),
	})
	if a.err != nil {
		return nil, a.err
	}
	status := a.status
	if len(a.puts) > 1 {
		status = http.StatusOK
	}
	return &http.Response{
		StatusCode: status,
		Header:     http.Header{"Location": {"http://127.0.0.1:1/elsewhere"}},
		Body:       http.NoBody,
		Request:    r,
	}, nil
}

func users() map[string]webhook.User {
	return map[string]webhook.User{"user_1": {
		"name.secondName": "Carlos", "name.secondLastName": "Lopez", "dob": "1990-05-15", "idType": "CURP",
	}}
}

// request is a data request for user_1 with the given endpoint.
func request(t *testing.T, endpoint string, fields ...string) string {
	t.Helper()
	return requestFrom(t, "user_1", endpoint, fields...)
}

func requestFrom(t *testing.T, referenceID, endpoint string, fields ...string) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"event": "user.data_request", "data": map[string]any{
		"dataRequestId": "dr_1", "referenceId": referenceID, "requiredFields": fields, "replyEndpoint": endpoint,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

const sandboxEndpoint = "https://api.sandbox.m2m.leapfinancial.com/partner/data-requests/dr_1"

func TestDataRequestIsAnswered(t *testing.T) {
	t.Parallel()
	api := &partnerAPI{status: http.StatusOK}
	handler, log := newHandler(t, webhook.Config{
		APIKey: "m2m_test_1", Users: users(), Client: &http.Client{Transport: api},
	})
	body := request(t, sandboxEndpoint, "name.secondName", "name.secondLastName", "dob")
	for range 2 {
		if status, text := serve(handler, signed(now, body)); status != http.StatusOK || text != "OK" {
			t.Errorf("got %d %q, want 200 OK", status, text)
		}
	}
	handler.Wait()

	want := []put{{
		"PUT", sandboxEndpoint, "m2m_test_1", "application/json",
		`{"referenceId":"user_1","userData":{"dob":"1990-05-15","name":{"secondLastName":"Lopez","secondName":"Carlos"}}}`,
	}}
	if !slices.Equal(api.puts, want) {
		t.Errorf("got  %q\nwant %q", api.puts, want)
	}
	const wantLog = "data request \"dr_1\" answered: 200\n"
	if got := log.String(); strings.Count(got, wantLog) != 1 {
		t.Errorf("log %q, want one line %q", got, wantLog)
	}
}

func TestForgedDataRequestIsNotAnswered(t *testing.T) {
	t.Parallel()
	api := &partnerAPI{status: http.StatusOK}
	handler, log := newHandler(t, webhook.Config{
		APIKey: "m2m_test_1", Users: users(), Client: &http.Client{Transport: api},
	})
	forged := signed(now, request(t, sandboxEndpoint, "dob"))
	forged.Header.Set("X-M2M-Signature", "sha256="+strings.Repeat("0", 64))
	unsigned := signed(now, request(t, sandboxEndpoint, "dob"))
	unsigned.Header.Del("X-M2M-Signature")
	for _, r := range []*http.Request{forged, unsigned} {
		if status, _ := serve(handler, r); status != http.StatusUnauthorized {
			t.Errorf("got %d, want 401", status)
		}
	}
	handler.Wait()
	if len(api.puts) != 0 || log.String() != "" {
		t.Errorf("sent %q and logged %q, want nothing", api.puts, log.String())
	}
}

func TestDataRequestIsNotAnswered(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		key  string
		body string
		why  string
	}{
		{"without a key", "", request(t, sandboxEndpoint, "dob"), "no API key"},
		{"for an unknown user", "k", requestFrom(t, "user_2", sandboxEndpoint, "dob"), `no user "user_2"`},
		{"with a field that is not on file", "k", request(t, sandboxEndpoint, "dob", "idImage"), `no "idImage" on file`},
		{"with no field asked for", "k", request(t, sandboxEndpoint), "no field is asked for"},
		{"with fields that are no list", "k", `{"event":"user.data_request","data":{"dataRequestId":"dr_1","requiredFields":"dob"}}`, "json: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api := &partnerAPI{status: http.StatusOK}
			handler, log := newHandler(t, webhook.Config{
				APIKey: test.key, Users: users(), Client: &http.Client{Transport: api},
			})
			if status, _ := serve(handler, signed(now, test.body)); status != http.StatusOK {
				t.Errorf("got %d, want 200: the delivery itself is good", status)
			}
			handler.Wait()
			if len(api.puts) != 0 {
				t.Errorf("sent %q, want nothing", api.puts)
			}
			if got, want := log.String(), `data request "dr_1" not answered: `+test.why; !strings.Contains(got, want) {
				t.Errorf("log %q, want %q in it", got, want)
			}
		})
	}
}

func TestWhereTheKeyGoes(t *testing.T) {
	t.Parallel()
	const (
		liveKey = "m2m_live_1"
		testKey = "m2m_test_1"
		path    = "/partner/data-requests/dr_1"
		prod    = "https://api.m2m.leapfinancial.com"
		sandbox = "https://api.sandbox.m2m.leapfinancial.com"
		extra   = "http://tools.test:4000"
	)
	tests := []struct {
		name     string
		key      string
		endpoint string
		goes     bool
	}{
		{"live to production", liveKey, prod + path, true},
		{"test to the sandbox", testKey, sandbox + path, true},
		{"test to 127.0.0.1", testKey, "http://127.0.0.1:4000" + path, true},
		{"test to another loopback address", testKey, "https://127.9.9.9/x", true},
		{"test to ::1", testKey, "http://[::1]:4000" + path, true},
		{"test to localhost", testKey, "http://localhost:4000" + path, true},
		{"test to the configured origin", testKey, extra + path, true},

		{"live to the sandbox", liveKey, sandbox + path, false},
		{"live to loopback", liveKey, "http://127.0.0.1:4000" + path, false},
		{"live to the configured origin", liveKey, extra + path, false},
		{"test to production", testKey, prod + path, false},
		{"another host", testKey, "https://attacker.test" + path, false},
		{"a host that begins like M2M's", liveKey, prod + ".attacker.test" + path, false},
		{"a host that ends like M2M's", liveKey, "https://attacker-api.m2m.leapfinancial.com" + path, false},
		{"M2M's host as a user name", liveKey, prod + "@attacker.test" + path, false},
		{"a user name before M2M's host", liveKey, "https://user@api.m2m.leapfinancial.com" + path, false},
		{"plain http", liveKey, "http://api.m2m.leapfinancial.com" + path, false},
		{"another port", liveKey, prod + ":8443" + path, false},
		{"another data request", liveKey, prod + "/partner/data-requests/dr_2", false},
		{"more path", liveKey, prod + path + "/../x", false},
		{"a query", liveKey, prod + path + "?x", false},
		{"a host that begins like loopback", testKey, "http://127.0.0.1.attacker.test" + path, false},
		{"loopback as a user name", testKey, "http://127.0.0.1@attacker.test" + path, false},
		{"a user name before loopback", testKey, "http://user:word@127.0.0.1" + path, false},
		{"a backslash after loopback", testKey, `http://127.0.0.1\@attacker.test` + path, false},
		{"a private address", testKey, "http://192.168.0.1" + path, false},
		{"every address", testKey, "http://0.0.0.0:4000" + path, false},
		{"another port of the configured origin", testKey, "http://tools.test:4001" + path, false},
		{"a longer port than the configured one", testKey, extra + "0" + path, false},
		{"another scheme", testKey, "ftp://127.0.0.1" + path, false},
		{"no scheme", testKey, "127.0.0.1:4000" + path, false},
		{"empty", testKey, "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api := &partnerAPI{status: http.StatusOK}
			handler, log := newHandler(t, webhook.Config{
				APIKey: test.key, ReplyOrigin: extra, Users: users(), Client: &http.Client{Transport: api},
			})
			serve(handler, signed(now, request(t, test.endpoint, "dob")))
			handler.Wait()
			if goes := len(api.puts) == 1; goes != test.goes {
				t.Errorf("%s to %s: sent %v, want %v", test.key, test.endpoint, goes, test.goes)
			}
			if refused := strings.Contains(log.String(), "the API key does not go to "); refused == test.goes {
				t.Errorf("log %q", log.String())
			}
			if strings.Contains(log.String(), test.key) {
				t.Errorf("the log holds the key: %q", log.String())
			}
		})
	}
}

func TestNoConfiguredOriginIsNoOrigin(t *testing.T) {
	t.Parallel()
	api := &partnerAPI{status: http.StatusOK}
	handler, _ := newHandler(t, webhook.Config{APIKey: "k", Users: users(), Client: &http.Client{Transport: api}})
	serve(handler, signed(now, request(t, "http:///partner/data-requests/dr_1", "dob")))
	handler.Wait()
	if len(api.puts) != 0 {
		t.Errorf("sent %q, want nothing", api.puts)
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	api := &partnerAPI{status: http.StatusTemporaryRedirect}
	handler, log := newHandler(t, webhook.Config{APIKey: "k", Users: users(), Client: &http.Client{Transport: api}})
	serve(handler, signed(now, request(t, sandboxEndpoint, "dob")))
	handler.Wait()
	if len(api.puts) != 1 {
		t.Errorf("sent %d requests, want one: %q", len(api.puts), api.puts)
	}
	if got, want := log.String(), "answered: 307\n"; !strings.Contains(got, want) {
		t.Errorf("log %q, want %q in it", got, want)
	}
}

func TestBrokenConnectionIsLogged(t *testing.T) {
	t.Parallel()
	api := &partnerAPI{err: errors.New("connection reset")}
	handler, log := newHandler(t, webhook.Config{APIKey: "m2m_test_1", Users: users(), Client: &http.Client{Transport: api}})
	serve(handler, signed(now, request(t, sandboxEndpoint, "dob")))
	handler.Wait()
	if got := log.String(); !strings.Contains(got, "connection reset") || strings.Contains(got, "m2m_test_1") {
		t.Errorf("log %q, want the reason and no key", got)
	}
}

// The answer to the delivery must not wait for the answer to the data request: M2M
// would give up on a handler that is slow.
func TestDeliveryIsAcknowledgedBeforeTheWork(t *testing.T) {
	t.Parallel()
	acknowledged := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-acknowledged:
		case <-r.Context().Done():
		}
	}))
	defer api.Close()
	handler, log := newHandler(t, webhook.Config{APIKey: "m2m_test_1", Users: users()})
	status, _ := serve(handler, signed(now, request(t, api.URL, "dob")))
	close(acknowledged)
	handler.Wait()
	if status != http.StatusOK || !strings.Contains(log.String(), "answered: 200") {
		t.Errorf("got %d, log %q, want both 200", status, log.String())
	}
}
