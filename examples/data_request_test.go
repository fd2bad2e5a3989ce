package examples_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const testKey = "m2m_test_handlers"

// api stands in for the Partner API: it notes what is sent to it and answers each time
// with the next status, 200 when there is none left.
type api struct {
	*httptest.Server
	puts chan string
}

func newAPI(t *testing.T, statuses ...int) *api {
	t.Helper()
	a := &api{puts: make(chan string, 10)}
	var mu sync.Mutex
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		a.puts <- fmt.Sprintf("%s %s %s %s %s",
			r.Method, r.URL, r.Header.Get("X-API-Key"), r.Header.Get("Content-Type"), body)
		mu.Lock()
		defer mu.Unlock()
		if len(statuses) > 0 {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(statuses[0])
			statuses = statuses[1:]
		}
	}))
	t.Cleanup(a.Close)
	return a
}

// dataRequest is the documented data request with an id and an endpoint of its own.
func dataRequest(t *testing.T, id, endpoint string) []byte {
	t.Helper()
	body := string(sample(t, "user.data_request"))
	body = strings.Replace(body, "https://api.m2m.leapfinancial.com/", endpoint+"/", 1)
	return []byte(strings.ReplaceAll(body, "dr_acme_x9y8z7w6v5u4", id))
}

func TestDataRequests(t *testing.T) {
	t.Parallel()
	for name, command := range handlers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, command(t), "M2M_API_KEY="+testKey)
			a := newAPI(t, http.StatusTemporaryRedirect)
			forged := signedWith("another", unix(time.Now()), dataRequest(t, "dr_forged", a.URL))
			h.deliver(t, forged, 401, "Invalid signature")
			h.deliver(t, forged.without("X-M2M-Signature"), 401, "Invalid signature")
			unknown := bytes.Replace(dataRequest(t, "dr_unknown", a.URL), []byte(`"dob"`), []byte(`"constructor"`), 1)
			h.deliver(t, signed(unknown), 200, "OK")
			h.wantLog(t,
				`user.data_request "dr_unknown" recorded`,
				`data request "dr_unknown" not answered: no "constructor" on file`,
			)
			h.deliver(t, signed(dataRequest(t, "dr_redirected", a.URL)), 200, "OK")
			h.wantLog(t,
				`user.data_request "dr_redirected" recorded`,
				`data request "dr_redirected" answered: 307`,
			)
			h.deliver(t, signed(dataRequest(t, "dr_good", a.URL)), 200, "OK")
			h.wantLog(t,
				`user.data_request "dr_good" recorded`,
				`data request "dr_good" answered: 200`,
			)
			h.stop(t)

			// The members of an object have no order; each handler writes them in its own.
			want := map[string]string{
				"go": `{"referenceId":"user_12345","userData":{"dob":"1990-05-15","idNumber":"GALO900515HDFRPN09",` +
					`"idType":"CURP","name":{"secondLastName":"Lopez","secondName":"Carlos"}}}`,
				"express": `{"referenceId":"user_12345","userData":{"name":{"secondName":"Carlos","secondLastName":"Lopez"},` +
					`"idNumber":"GALO900515HDFRPN09","idType":"CURP","dob":"1990-05-15"}}`,
				"flask": `{"referenceId": "user_12345", "userData": {"name": {"secondName": "Carlos", "secondLastName": "Lopez"}, ` +
					`"idNumber": "GALO900515HDFRPN09", "idType": "CURP", "dob": "1990-05-15"}}`,
			}[name]
			a.Close()
			close(a.puts)
			for _, id := range []string{"dr_redirected", "dr_good"} {
				put := "PUT /partner/data-requests/" + id + " " + testKey + " application/json " + want
				if got := <-a.puts; got != put {
					t.Errorf("sent\ngot  %s\nwant %s", got, put)
				}
			}
			for got := range a.puts {
				t.Errorf("sent besides: %s", got)
			}
		})
	}
}

func TestKeyStaysAway(t *testing.T) {
	t.Parallel()
	const (
		production = "https://api.m2m.leapfinancial.com"
		sandbox    = "https://api.sandbox.m2m.leapfinancial.com"
	)
	// A handler that is wrong here must not reach anybody either: these names do not
	// resolve, and nobody listens at these ports.
	tests := []struct {
		kind, key string
		endpoints []string
	}{
		{"live", "m2m_live_handlers", []string{
			"http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", sandbox,
			production + ".invalid", production + ":1", production + "@attacker.invalid",
			"https://attacker.invalid/" + production, "https://attacker.invalid#" + production,
		}},
		{"test", testKey, []string{
			"https://attacker.invalid", production, sandbox + ":1", sandbox + ".invalid",
			"http://127.0.0.1.invalid", "http://localhost.invalid", "http://127.0.0.1@attacker.invalid",
			"http://user:word@127.0.0.1:1", "http://0.0.0.0:1", "http://192.0.2.1:1", "ftp://127.0.0.1:1", "127.0.0.1:1",
		}},
	}
	for name, command := range handlers() {
		for _, test := range tests {
			t.Run(name+" "+test.kind, func(t *testing.T) {
				t.Parallel()
				h := start(t, command(t), "M2M_API_KEY="+test.key)
				for i, endpoint := range test.endpoints {
					id := fmt.Sprintf("dr_%d", i)
					h.deliver(t, signed(dataRequest(t, id, endpoint)), 200, "OK")
					h.wantLog(t,
						fmt.Sprintf("user.data_request %q recorded", id),
						fmt.Sprintf("data request %q not answered: the API key does not go to %q", id,
							endpoint+"/partner/data-requests/"+id),
					)
				}
			})
		}
	}
}

func TestReplyOrigin(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("0.0.0.0 cannot be dialled on Windows")
	}
	a := newAPI(t)
	// Leads to this machine, but is no loopback address.
	origin := strings.Replace(a.URL, "127.0.0.1", "0.0.0.0", 1)
	for name, command := range handlers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, command(t), "M2M_API_KEY="+testKey)
			h.deliver(t, signed(dataRequest(t, "dr_1", origin)), 200, "OK")
			h.wantLog(t,
				`user.data_request "dr_1" recorded`,
				fmt.Sprintf(`data request "dr_1" not answered: the API key does not go to %q`,
					origin+"/partner/data-requests/dr_1"),
			)
		})
	}
	t.Run("configured", func(t *testing.T) {
		for name, command := range handlers() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h := start(t, command(t), "M2M_API_KEY="+testKey, "M2M_REPLY_ORIGIN="+origin)
				h.deliver(t, signed(dataRequest(t, "dr_1", origin)), 200, "OK")
				h.wantLog(t, `user.data_request "dr_1" recorded`, `data request "dr_1" answered: 200`)
			})
		}
	})
}
