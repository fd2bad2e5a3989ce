package cmd

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// leakStart is what is left of the secret where its end was cut off.
const leakStart = "canary-secret-8f"

// leakPayload holds the secrets in place of what m2m shows of a payload.
const leakPayload = `{"event":"` + canarySecret + `","data":{"linkId":"` + canarySecret + `","` + canaryKey + `":"` + canaryKey + `"}}`

// leakLines are command lines to whom the other side tells the secrets: a page for
// developers dumps the environment, an error quotes what it expected. LEAK does so in its
// body and in a header, MOVE in a redirect, RAW in what is no HTTP, and BLAB as the Partner
// API refuses.
const leakLines = `send link.created --to LEAK
send link.created --to LEAK -v
send link.created --to LEAK --duplicates 1
send link.created --to MOVE
send link.created --to MOVE -v
send link.created --to RAW
send --scenario happy-path --to LEAK
send --payload IN/leak.json --to ECHO -v
replay IN/right.http --to LEAK -v
verify IN/leak.http -v
verify IN/leak.http --report junit=OUT/report.xml
reply --event IN/request.json --data IN/user.json --endpoint BLAB --extra
reply --event IN/request.json --data IN/user.json --endpoint BLAB --extra --json
reply dr_acme_x9y8z7w6v5u4 --reference-id user_1 --set dob=1990-01-01 --endpoint BLAB
reply dr_acme_x9y8z7w6v5u4 --reference-id user_1 --set dob=1990-01-01 --endpoint RAW/partner/data-requests/dr_acme_x9y8z7w6v5u4
test --to LEAK --only accept.* -v --report junit=OUT/test.xml --report html=OUT/test.html
test --to LEAK --only accept.link.created --json
test --to MOVE --report junit=OUT/test.xml --report html=OUT/test.html
test --to MOVE --json
test --to RAW --report junit=OUT/test.xml --report html=OUT/test.html
load link.created --to RAW --rate 20/s --duration 100ms --report html=OUT/load.html
load link.created --to RAW --rate 20/s --duration 100ms --json
`

// leakServers are what leakLines name, and its URL.
func leakServers(t *testing.T) []string {
	t.Helper()
	serve := func(answer http.HandlerFunc) string {
		server := httptest.NewServer(answer)
		t.Cleanup(server.Close)
		return server.URL
	}
	return []string{
		// The secrets stand where an excerpt is cut.
		"LEAK", serve(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Expected", canarySecret+" "+canaryKey)
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, strings.Repeat("z", 62)+canarySecret+"\n"+canaryKey+"\n"+strings.Repeat("z", 922)+canarySecret)
		}),
		"MOVE", serve(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/login?secret="+canarySecret+"&key="+canaryKey)
			w.WriteHeader(http.StatusFound)
		}),
		"RAW", serve(func(w http.ResponseWriter, _ *http.Request) {
			connection, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			_, _ = io.WriteString(connection, canarySecret+" "+canaryKey+"\r\n\r\n")
			_ = connection.Close()
		}),
		"BLAB", serve(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"code":"`+canarySecret+`","message":"not `+canaryKey+`"}`)
		}) + "/partner/data-requests/dr_acme_x9y8z7w6v5u4",
	}
}

// TestRecordsKeepWhatCame: of a delivery record, every byte is what went over the wire,
// though it be a secret.
func TestRecordsKeepWhatCame(t *testing.T) {
	t.Parallel()
	c := newCanary(t, leakServers(t))
	code := run(t.Context(), c.env, strings.Fields(c.replace.Replace("send link.created --to LEAK --json")))
	if got := c.seen.String(); code != exitNo || !strings.Contains(got, canarySecret) || !strings.Contains(got, canaryKey) {
		t.Errorf("exit code %d, and the record is not what came: %s", code, got)
	}
}

// TestWhatEverybodyKnowsIsNotHidden: the development secret is told, for a handler to be
// set up with.
func TestWhatEverybodyKnowsIsNotHidden(t *testing.T) {
	t.Parallel()
	c := newCanary(t, leakServers(t))
	c.LookupEnv = func(name string) (string, bool) { return devSecret, name == "M2M_WEBHOOK_SECRET" }
	run(t.Context(), c.env, strings.Fields(c.replace.Replace("send link.created --set data.linkId="+devSecret+" --to LEAK")))
	if got := c.seen.String(); !strings.Contains(got, devSecret) {
		t.Errorf("the development secret is hidden: %s", got)
	}
}
