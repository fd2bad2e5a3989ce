package cmd

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/partner"
)

// canaryServers are what the command lines name, and its URL.
func canaryServers(t *testing.T) []string {
	t.Helper()
	const at = "/partner/data-requests/dr_acme_x9y8z7w6v5u4"
	serve := func(answer http.HandlerFunc) string {
		server := httptest.NewServer(answer)
		t.Cleanup(server.Close)
		return server.URL
	}
	say := func(status int, text string) string {
		return serve(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		})
	}
	return []string{
		"ECHO", serve(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write(body)
		}),
		"SAY", say(http.StatusTeapot, fmt.Sprintf("no user %s, %s, born %s", canaryName, canaryID, canaryDob)),
		"TORN", say(http.StatusTeapot, canaryPayload[:len(canaryPayload)-9]),
		"API", say(http.StatusOK, `{"success":true,"data":{"dataRequestId":"dr_acme_x9y8z7w6v5u4","status":"fulfilled","message":"`+canaryName+` it is"}}`) + at,
		"DENY", say(http.StatusBadRequest, `{"success":false,"error":{"code":"INVALID_REQUEST","message":"`+canaryID+` of `+canaryName+` is no CURP"}}`) + at,
		"PARTNER", serve(answerAsPartner),
	}
}

// answerAsPartner is a handler that answers each data request with the user's data.
func answerAsPartner(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	request, err := partner.ParseDataRequest(body)
	if err != nil {
		return
	}
	status, err := putReply(r.Context(), request.ReplyEndpoint, request.ReferenceID)
	if err != nil || status != http.StatusOK {
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// putReply answers a data request with the user's data, and returns the status of that.
func putReply(ctx context.Context, endpoint, referenceID string) (int, error) {
	body := `{"referenceId":"` + referenceID + `","userData":` + canaryUser + `}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, endpoint, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-API-Key", canaryKey)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patientTimeout}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// readIfThere returns a file's text, and nothing where it is not there yet.
func readIfThere(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(text)
}
