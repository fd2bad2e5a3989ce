package conform_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/conform"
)

const operation = "operation.created"

// onWire is what a case has to send.
type onWire struct {
	events []string // of its deliveries, in order
	// authentic and fresh say what the deliveries are.
	authentic, fresh bool
	lacks            string // the header that is not there
}

func valid(events ...string) onWire { return onWire{events, true, true, ""} }

func forged(lacks string, events ...string) onWire { return onWire{events, false, true, lacks} }

// wanted is what every case has to send, but for reject.get.
func wanted() map[string]onWire {
	return map[string]onWire{
		"accept.link.created":        valid("link.created"),
		"accept.link.opened":         valid("link.opened"),
		"accept.user.data_request":   valid("user.data_request"),
		"accept.operation.created":   valid(operation),
		"accept.operation.cancelled": valid(operation, "operation.cancelled"),
		"accept.exact-bytes":         valid(operation),
		"accept.charset":             valid(operation),
		"accept.lowercase-headers":   valid(operation),
		"accept.unicode":             valid(operation),
		"accept.unknown-fields":      valid("link.created"),
		"accept.unknown-event":       valid("m2m.unknown_event"),
		"accept.large":               valid("link.opened"),

		"reject.missing-signature":   forged("X-M2M-Signature", operation),
		"reject.empty-signature":     forged("", operation),
		"reject.truncated-signature": forged("", operation),
		"reject.wrong-secret":        forged("", operation),
		"reject.empty-key":           forged("", operation),
		"reject.missing-timestamp":   {[]string{operation}, false, false, "X-M2M-Timestamp"},
		"reject.tampered-body":       forged("", operation),
		"reject.tampered-timestamp":  forged("", operation),
		"reject.stale":               {[]string{operation}, true, false, ""},
		"reject.future":              {[]string{operation}, true, false, ""},
		"reject.not-json":            valid(operation),

		"survive.garbage":               valid(operation),
		"deliver.fast":                  valid(operation),
		"deliver.duplicate":             valid(operation, operation),
		"deliver.concurrent-duplicates": valid(slices.Repeat([]string{operation}, 10)...),
		"deliver.out-of-order":          valid("operation.cancelled", operation),
		"deliver.burst":                 valid(slices.Repeat([]string{operation}, 50)...),
		"data-request.answered":         valid("user.data_request"),
		"data-request.forged":           {[]string{"user.data_request", "user.data_request"}, false, true, ""},
	}
}

// TestWire plays all cases once, to a recorder.
func TestWire(t *testing.T) {
	t.Parallel()
	r, all := record(t)
	for _, c := range conform.Cases() {
		if c.ID != "reject.get" {
			t.Run(c.ID, func(t *testing.T) {
				t.Parallel()
				checkWire(t, wanted()[c.ID], of(all, c.ID), c.ID)
			})
		}
	}
	particulars := map[string]func(*testing.T, []sent){
		"accept.exact-bytes": checkExactBytes, "accept.charset": checkCharset, "accept.lowercase-headers": checkLowerCase,
		"accept.unicode": checkUnicode, "accept.unknown-fields": checkUnknownFields, "accept.large": checkLarge,
		"reject.empty-signature": checkEmptySignature, "reject.truncated-signature": checkTruncated,
		"reject.wrong-secret": checkWrongSecret, "reject.empty-key": checkEmptyKey,
		"reject.missing-timestamp": checkMissingTimestamp, "reject.tampered-body": checkTamperedBody,
		"reject.tampered-timestamp": checkTamperedTimestamp, "reject.stale": checkOffBy(-time.Hour),
		"reject.future": checkOffBy(time.Hour), "reject.not-json": checkNotJSON, "reject.get": checkGet,
		"deliver.duplicate": checkSameBody, "deliver.concurrent-duplicates": checkRace,
		"data-request.forged": checkForged,
	}
	for id, check := range particulars {
		t.Run(id+" in particular", func(t *testing.T) {
			t.Parallel()
			if deliveries := of(all, id); len(deliveries) > 0 {
				check(t, deliveries)
				return
			}
			t.Error("it sent nothing")
		})
	}
	for name, check := range map[string]func(*testing.T, []sent){
		"connections": checkConnections, "rubbish": checkRubbish, "ids": checkIDs,
		"spelling": checkSpelling, "JSON.stringify": checkStringify,
		"reply endpoints": func(t *testing.T, all []sent) {
			t.Helper()
			checkReplyEndpoints(t, all, r.Replies.Origin())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, all)
		})
	}
}

func checkWire(t *testing.T, want onWire, deliveries []sent, id string) {
	t.Helper()
	var events []string
	for _, one := range deliveries {
		events = append(events, one.value("X-M2M-Event"))
		if one.method != "POST" || one.path != "/hooks" {
			t.Errorf("got %s %s, want POST /hooks", one.method, one.path)
		}
		if one.authentic() != want.authentic || one.fresh() != want.fresh {
			t.Errorf("authentic is %t, fresh %t, want %t and %t", one.authentic(), one.fresh(), want.authentic, want.fresh)
		}
		for _, name := range []string{"Content-Type", "User-Agent", "X-M2M-Event", "X-M2M-Timestamp", "X-M2M-Signature"} {
			count := 0
			for _, h := range one.headers {
				if strings.EqualFold(h.name, name) {
					count++
				}
				if strings.EqualFold(h.name, name) && h.name != name && id != "accept.lowercase-headers" {
					t.Errorf("the header %s is spelled %s", name, h.name)
				}
			}
			isLacking := name == want.lacks || name == "X-M2M-Signature" && id == "data-request.forged" && one.value(name) == ""
			if count == 0 != isLacking || count > 1 {
				t.Errorf("there are %d headers %s", count, name)
			}
		}
		if got := one.value("Content-Type"); got != "application/json" && id != "accept.charset" {
			t.Errorf("the Content-Type is %s", got)
		}
		if got, _ := one.object()["event"].(string); got != one.value("X-M2M-Event") && id != "reject.not-json" {
			t.Errorf("the body is of %q, the header of %q", got, one.value("X-M2M-Event"))
		}
	}
	if !slices.Equal(events, want.events) {
		t.Errorf("sent %q, want %q", events, want.events)
	}
}

func checkExactBytes(t *testing.T, deliveries []sent) {
	t.Helper()
	for _, spelling := range []string{"100.00", `": `, "\n  ", `\/`, `\u00e9`} {
		if !bytes.Contains(deliveries[0].body, []byte(spelling)) {
			t.Errorf("there is no %q in %s", spelling, deliveries[0].body)
		}
	}
}

func checkCharset(t *testing.T, deliveries []sent) {
	t.Helper()
	if got := deliveries[0].value("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("the Content-Type is %s", got)
	}
}

func checkLowerCase(t *testing.T, deliveries []sent) {
	t.Helper()
	for _, name := range []string{"content-type", "x-m2m-event", "x-m2m-timestamp", "x-m2m-signature"} {
		if _, found := deliveries[0].header(name); !found {
			t.Errorf("no header is spelled %s: %q", name, deliveries[0].headers)
		}
	}
}

func checkUnicode(t *testing.T, deliveries []sent) {
	t.Helper()
	for _, text := range []string{"ñ", "銀行", "🏦"} {
		if !bytes.Contains(deliveries[0].body, []byte(text)) {
			t.Errorf("there is no %s in %s", text, deliveries[0].body)
		}
	}
}

func checkUnknownFields(t *testing.T, deliveries []sent) {
	t.Helper()
	data, _ := deliveries[0].object()["data"].(map[string]any)
	if _, isObject := data["metadata"].(map[string]any); !isObject || len(data) != 6+2 {
		t.Errorf("data holds %d members, want the 6 documented ones, metadata and another: %v", len(data), data)
	}
}

func checkLarge(t *testing.T, deliveries []sent) {
	t.Helper()
	if got := len(deliveries[0].body); got != 262144 {
		t.Errorf("the body has %d bytes, want 262144", got)
	}
	if got, _ := deliveries[0].header("Content-Length"); got != "262144" {
		t.Errorf("the Content-Length is %s", got)
	}
}

func checkGet(t *testing.T, deliveries []sent) {
	t.Helper()
	one := deliveries[0]
	if len(deliveries) != 1 || one.method != "GET" || one.path != "/hooks" || len(one.body) > 0 {
		t.Errorf("got %d requests, the first %s %s with %d bytes", len(deliveries), one.method, one.path, len(one.body))
	}
	for _, h := range one.headers {
		if strings.HasPrefix(strings.ToLower(h.name), "x-m2m-") || strings.EqualFold(h.name, "Content-Type") {
			t.Errorf("it has a header %s", h.name)
		}
	}
}

func checkOffBy(span time.Duration) func(*testing.T, []sent) {
	return func(t *testing.T, deliveries []sent) {
		t.Helper()
		if !deliveries[0].offBy(span) {
			t.Errorf("the timestamp is %s, want one %s off %d", deliveries[0].value("X-M2M-Timestamp"), span, deliveries[0].at.Unix())
		}
	}
}

// checkConnections expects that no case uses a connection that an earlier one has left:
// the target may just be closing it. Of the first two, nothing comes between.
func checkConnections(t *testing.T, all []sent) {
	t.Helper()
	owner := map[int]string{}
	for _, one := range all {
		if other, taken := owner[one.conn]; taken && other != one.on && one.on != "accept.link.opened" {
			t.Errorf("%s and %s share a connection", other, one.on)
		}
		owner[one.conn] = one.on
	}
}
