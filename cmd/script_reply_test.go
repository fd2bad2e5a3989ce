package cmd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/leapfinancial/m2m/examples/go/webhook"
)

// serveGoHandler serves the example handler, with the secret and the key that the script
// has at the time; its log is VAR.log, and VAR.effects has a line for each effect.
func serveGoHandler(ts *testscript.TestScript, name string) {
	log, err := os.Create(ts.MkAbs(name + ".log"))
	ts.Check(err)
	ts.Defer(func() { _ = log.Close() })
	effects, err := os.Create(ts.MkAbs(name + ".effects"))
	ts.Check(err)
	ts.Defer(func() { _ = effects.Close() })
	handler, err := webhook.New(webhook.Config{
		Secret: ts.Getenv("M2M_WEBHOOK_SECRET"), APIKey: ts.Getenv("M2M_API_KEY"), Log: log, Effects: effects,
		Users: map[string]webhook.User{"user_12345": {
			"name.secondName": "Carlos", "name.secondLastName": "Lopez",
			"idNumber": "GALO900515HDFRPN09", "idType": "CURP", "dob": "1990-05-15",
		}},
	})
	ts.Check(err)
	ts.Defer(handler.Wait)
	serveHTTP(ts, name, handler.ServeHTTP)
}

// replyTo is what a data request asks for.
type replyTo struct {
	ReferenceID   string
	ReplyEndpoint string
}

// replyingHandler acknowledges each delivery and replies to data requests before that.
// HOW is rightly, twice, partly (a required field is missing), as-another, without-key,
// to-another (id), by-post, under-another-host, never or refuses (replies, and answers
// 500); or later, which takes 100 ms for it and acknowledges at once.
func replyingHandler(how string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var payload struct {
			Event string
			Data  replyTo
		}
		if json.NewDecoder(r.Body).Decode(&payload) != nil || payload.Event != "user.data_request" {
			return
		}
		switch how {
		case "never":
		case "later":
			ctx := context.WithoutCancel(r.Context())
			time.AfterFunc(100*time.Millisecond, func() { payload.Data.put(ctx, "rightly") })
		case "twice":
			payload.Data.put(r.Context(), "rightly")
			payload.Data.put(r.Context(), "rightly")
		case "refuses":
			payload.Data.put(r.Context(), "rightly")
			w.WriteHeader(http.StatusInternalServerError)
		default:
			payload.Data.put(r.Context(), how)
		}
	}
}

// put replies as replyingHandler is told.
func (d replyTo) put(ctx context.Context, how string) {
	reference, method, url, key, host := d.ReferenceID, http.MethodPut, d.ReplyEndpoint, "m2m_test_c0ffee", ""
	data := `{"name":{"secondName":"Carlos","secondLastName":"Lopez"},"idNumber":"PEGJ900515HDFRRN09","idType":"CURP","dob":"1990-05-15"}`
	switch how {
	case "partly":
		data = `{"name":{"secondName":"Carlos"},"dob":"1990-05-15","pet":"cat"}`
	case "as-another":
		reference = "somebody_else"
	case "without-key":
		key = ""
	case "to-another":
		url += "x"
	case "by-post":
		method = http.MethodPost
	case "under-another-host":
		host = "evil.test"
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	body := fmt.Sprintf(`{"referenceId":%q,"userData":%s}`, reference, data)
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return
	}
	r.Host = host
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header["X-API-Key"] = []string{key}
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		return // the script sees that none came
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}
