package partner_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/partner"
)

func TestReplyReadsTheDocumentedAnswer(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"indented": string(readFile(t, "testdata/fulfilled.json")),
		"compact":  compact(t, readFile(t, "testdata/fulfilled.json")),
	} {
		origin, _ := answers(t, with(200, body))
		client, _ := newClient()
		got, err := client.Reply(t.Context(), sampleAnswer(t, origin))
		if err != nil {
			t.Fatal(err)
		}
		if !got.Fulfilled || got.Note != "" || got.Code != "" || got.Advice() != "" ||
			got.DataRequestID != sampleID || got.RequestStatus != "fulfilled" || got.LinkID != "link_acme_a1b2c3d4e5f6" ||
			!got.FulfilledAt.Equal(answeredAt) || got.Message != "User data received and merged successfully" ||
			string(got.Body) != body || got.StatusText != "OK" {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestReplyReadsAnyAnswer(t *testing.T) {
	t.Parallel()
	fulfilled := func(old, with string) string {
		if !strings.Contains(fulfilledBody, old) {
			t.Fatalf("%s is not in the body", old)
		}
		return strings.Replace(fulfilledBody, old, with, 1)
	}
	cases := []struct {
		name      string
		status    int
		body      string
		fulfilled bool
		code      partner.Code
		message   string
		note      string // a part of it; empty for none
	}{
		{"an error in a member", 409, `{"success":false,"error":{"code":"INVALID_REQUEST","message":"no"}}`, false, "INVALID_REQUEST", "no", ""},
		{"a bare error", 401, `{"code":"UNAUTHORIZED","message":"who?"}`, false, "UNAUTHORIZED", "who?", ""},
		{"a code that nobody documented", 400, `{"error":{"code":"NEW","message":"x"}}`, false, "NEW", "x", ""},
		{"a code that is a number", 400, `{"code":7,"message":["x"]}`, false, "", "", ""},
		{"an error that is a text", 400, `{"error":"bad","message":"x"}`, false, "", "x", ""},
		{"a page", 404, `<html>`, false, "", "", ""},
		{"nothing", 403, ``, false, "", "", ""},
		{"an array", 400, `[{"code":"X","message":"y"}]`, false, "", "", ""},
		{"bytes that are no text", 400, "\xff\xfe", false, "", "", ""},
		{"200 that says no", 200, `{"success":false,"error":{"code":"LINK_EXPIRED","message":"late"}}`, false, "LINK_EXPIRED", "late", ""},
		{"200 that barely says no", 200, `{"success":false,"code":"LINK_EXPIRED"}`, false, "LINK_EXPIRED", "", ""},
		{"201", 201, fulfilledBody, true, "", "ok", ""},
		{"204", 204, ``, true, "", "", "it is empty"},
		{"200 with a page", 200, `<html>`, true, "", "", "it is not JSON"},
		{"200 with an array", 200, `[]`, true, "", "", "an array, not a JSON object"},
		{"200 with another object", 200, `{"ok":true}`, true, "", "", "success is not true"},
		{"success as a text", 200, fulfilled(`true`, `"true"`), true, "", "ok", "success is not true"},
		{"another data request", 200, fulfilled(sampleID, "dr_other"), true, "", "ok", "dataRequestId"},
		{"another status", 200, fulfilled(`"fulfilled"`, `"pending"`), true, "", "ok", "data.status"},
		{"no time", 200, fulfilled(`2026-01-26T14:35:00.000Z`, `now`), true, "", "ok", "fulfilledAt"},
		{"data that is an array", 200, `{"success":true,"data":[1]}`, true, "", "", "dataRequestId"},
		{"data in a text", 200, `{"success":true,"data":` + strconv.Quote(`{"dataRequestId":"`+sampleID+`"}`) + `}`, true, "", "", "dataRequestId"},
		{"an error in a text", 400, strconv.Quote(`{"code":"X"}`), false, "", "", ""},
		{"more than is read", 400, `{"code":"` + strings.Repeat("x", endpoint.MaxAnswer) + `"}`, false, "", "", "cut off"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			origin, _ := answers(t, with(c.status, c.body))
			client, _ := newClient()
			got, err := client.Reply(t.Context(), sampleAnswer(t, origin))
			if err != nil {
				t.Fatal(err)
			}
			if got.Fulfilled != c.fulfilled || got.Status != c.status || got.Code != c.code || got.Message != c.message {
				t.Errorf("got %+v", got)
			}
			if (c.note == "") != (got.Note == "") || !strings.Contains(got.Note, c.note) {
				t.Errorf("note %q, want %q in it", got.Note, c.note)
			}
			if want := c.body[:min(len(c.body), endpoint.MaxAnswer)]; string(got.Body) != want {
				t.Errorf("the body was not kept: %.60q", got.Body)
			}
		})
	}
}

func TestAdviceIsOneSentenceForEverythingDocumented(t *testing.T) {
	t.Parallel()
	outcomes := map[string]partner.Outcome{
		"INVALID_REQUEST":       {Status: 400, Code: partner.InvalidRequest},
		"REFERENCE_ID_MISMATCH": {Status: 400, Code: partner.ReferenceIDMismatch},
		"UNAUTHORIZED":          {Status: 401, Code: partner.Unauthorized},
		"INVALID_API_KEY":       {Status: 403, Code: partner.InvalidAPIKey},
		"PARTNER_SUSPENDED":     {Status: 403, Code: partner.PartnerSuspended},
		"RESOURCE_NOT_FOUND":    {Status: 404, Code: partner.ResourceNotFound},
		"LINK_EXPIRED":          {Status: 410, Code: partner.LinkExpired},
		"302":                   {Status: 302},
		"400":                   {Status: 400},
		"401":                   {Status: 401},
		"403":                   {Status: 403},
		"404":                   {Status: 404},
		"409":                   {Status: 409, Tries: 1},
		"409 after a retry":     {Status: 409, Tries: 2},
		"410":                   {Status: 410},
		"429":                   {Status: 429},
		"429 with a time":       {Status: 429, RetryAfter: 90e9},
		"500":                   {Status: 500},
		"503 with a time":       {Status: 503, RetryAfter: 90e9},
		"400, unknown code":     {Status: 400, Code: "NEW"},
		"418":                   {Status: 418},
		"200, unknown code":     {Status: 200, Code: "NEW"},
		"200, the general code": {Status: 200, Code: partner.InvalidRequest},
	}
	for name, outcome := range outcomes {
		advice := outcome.Advice()
		if advice == "" || strings.HasSuffix(advice, ".") || strings.ContainsAny(advice, "\n") {
			t.Errorf("%s: advice %q", name, advice)
		}
	}
	if got := outcomes["429 with a time"].Advice(); !strings.Contains(got, "1m30s") {
		t.Errorf("the time is not told: %q", got)
	}
	if one, more := outcomes["409"].Advice(), outcomes["409 after a retry"].Advice(); one == more {
		t.Errorf("a 409 after a retry is told as any other: %q", one)
	}
	general := partner.Outcome{Status: 409, Tries: 1, Code: partner.InvalidRequest}
	if got, want := general.Advice(), outcomes["409"].Advice(); got != want {
		t.Errorf("a 409 with the general code: got %q, want %q", got, want)
	}
	if got, want := outcomes["200, the general code"].Advice(), outcomes["INVALID_REQUEST"].Advice(); got != want {
		t.Errorf("a 200 with the general code: got %q, want %q", got, want)
	}
	taken := partner.Outcome{Status: 200, Fulfilled: true}
	if got := taken.Advice(); got != "" {
		t.Errorf("%+v: advice %q, want none", taken, got)
	}
}
