package cmd

import (
	"context"
	"net/http"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/sign"
)

// TestNothingSecretIsWrittenByListen has a receiver get a delivery with a user's data in
// it and an API key beside it, a forged one, and a reply to a data request. It is not
// parallel: listen sets its whole process's memory.
func TestNothingSecretIsWrittenByListen(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	servers := append(canaryServers(t), leakServers(t)...)
	for _, line := range []string{
		"", "-v", "--format line", "--format json", "-q", "--no-verify -v", "--secret-file IN/secret", "--config IN/config.yaml",
		"--forward-to ECHO -v", "--forward-to SAY", "--forward-to SAY --format json", "--forward-to TORN -v",
		"--forward-to LEAK -v", "--forward-to LEAK", "--forward-to LEAK --format line",
		"--answer IN/users.json -v", "--answer IN/users.json --format json", "--answer IN/torn-user",
	} {
		for _, extra := range []string{"", " --redact"} {
			t.Run("listen "+line+extra, func(t *testing.T) {
				c := newCanary(t, servers)
				c.leaked = strings.Contains(line, "LEAK")
				c.listen(t, strings.Fields(c.replace.Replace("listen --port 0 --save OUT/saved.ndjson --ready-file OUT/url "+line+extra)))
				t.Logf("%s", c.seen)
				c.look(t, extra != "", canaryMAC(forgedAt(), canaryPayload))
			})
		}
	}
}

// forgedAt is the timestamp of the forged delivery, which nothing else has.
func forgedAt() string { return "1769437801" }

// listen runs a receiver and has it receive.
func (c *canary) listen(t *testing.T, args []string) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	ended := make(chan exitCode, 1)
	c.Err = stream{c.seen}
	go func() { ended <- run(ctx, c.env, args) }()
	url := c.readyURL(t, ended)
	if url == "" {
		return // it told an error
	}
	now := sign.FormatTimestamp(time.Now())
	request := aDataRequest("2099")
	post(t, url, now, canaryMAC(now, canaryPayload), canaryPayload)
	post(t, url, forgedAt(), "sha256="+strings.Repeat("0", 64), canaryPayload)
	post(t, url, now, canaryMAC(now, request), request)
	if _, err := putReply(ctx, strings.Replace(url, "/webhooks/m2m", "/partner/data-requests/dr_acme_x9y8z7w6v5u4", 1), "user_1"); err != nil {
		t.Error(err)
	}
	cancel(errInterrupted)
	select {
	case <-ended:
	case <-time.After(patientTimeout):
		t.Fatal("it does not end")
	}
}

// readyURL returns where the receiver listens, or nothing where it has ended.
func (c *canary) readyURL(t *testing.T, ended <-chan exitCode) string {
	t.Helper()
	for end := time.Now().Add(patientTimeout); time.Now().Before(end); time.Sleep(time.Millisecond) { // a poll with a deadline
		if text := readIfThere(c.dir + "/out/url"); strings.HasSuffix(text, "\n") {
			return strings.TrimSpace(text)
		}
		select {
		case <-ended:
			return ""
		default:
		}
	}
	t.Fatal("it is not ready")
	return ""
}

// post makes a delivery, with an API key that has no business there.
func post(t *testing.T, url, timestamp, signature, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set(delivery.TimestampHeader, timestamp)
	request.Header.Set(delivery.SignatureHeader, signature)
	request.Header.Set("X-API-Key", canaryKey)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patientTimeout}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
}
