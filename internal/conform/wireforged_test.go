package conform_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var wellFormed = regexp.MustCompile(`^sha256=[0-9a-f]{64}$`)

func checkEmptySignature(t *testing.T, deliveries []sent) {
	t.Helper()
	if value, found := deliveries[0].header("X-M2M-Signature"); value != "" || !found {
		t.Errorf("the signature is %q, found: %t", value, found)
	}
}

func checkTruncated(t *testing.T, deliveries []sent) {
	t.Helper()
	one := deliveries[0]
	right := mac(secret, one.value("X-M2M-Timestamp"), one.body)
	if got := one.value("X-M2M-Signature"); got != right[:len(right)-8] {
		t.Errorf("got %s, want the right one but its last 8 digits", got)
	}
}

func checkWrongSecret(t *testing.T, deliveries []sent) {
	t.Helper()
	one := deliveries[0]
	got := one.value("X-M2M-Signature")
	if !wellFormed.MatchString(got) || got == mac("", one.value("X-M2M-Timestamp"), one.body) {
		t.Errorf("got %s, want a signature that looks right and is of another secret than none", got)
	}
}

func checkEmptyKey(t *testing.T, deliveries []sent) {
	t.Helper()
	one := deliveries[0]
	if got, want := one.value("X-M2M-Signature"), mac("", one.value("X-M2M-Timestamp"), one.body); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// checkMissingTimestamp finds the time that was signed: the signature is a right one.
func checkMissingTimestamp(t *testing.T, deliveries []sent) {
	t.Helper()
	one := deliveries[0]
	var members struct{ Timestamp string }
	if err := json.Unmarshal(one.body, &members); err != nil {
		t.Fatal(err)
	}
	if one.value("X-M2M-Signature") != mac(secret, unixOf(t, members.Timestamp), one.body) {
		t.Error("the signature is not that of the body's own time")
	}
}

// checkTamperedBody finds the one character that was changed, inside data.
func checkTamperedBody(t *testing.T, deliveries []sent) {
	t.Helper()
	one := deliveries[0]
	signature, timestamp := one.value("X-M2M-Signature"), one.value("X-M2M-Timestamp")
	for at := bytes.Index(one.body, []byte(`"data":`)); at < len(one.body); at++ {
		for _, c := range []byte("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
			original := bytes.Clone(one.body)
			original[at] = c
			if mac(secret, timestamp, original) == signature {
				return
			}
		}
	}
	t.Error("no character inside data, changed back, makes it authentic")
}

func checkTamperedTimestamp(t *testing.T, deliveries []sent) {
	t.Helper()
	one := deliveries[0]
	seconds, err := strconv.ParseInt(one.value("X-M2M-Timestamp"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if one.value("X-M2M-Signature") != mac(secret, strconv.FormatInt(seconds-1, 10), one.body) {
		t.Error("what was signed is not the timestamp a second earlier")
	}
}

func checkNotJSON(t *testing.T, deliveries []sent) {
	t.Helper()
	if json.Valid(deliveries[0].body) || len(deliveries[0].body) == 0 {
		t.Errorf("the body is %q", deliveries[0].body)
	}
}

func checkForged(t *testing.T, deliveries []sent) {
	t.Helper()
	first, _ := deliveries[0].header("X-M2M-Signature")
	_, second := deliveries[1].header("X-M2M-Signature")
	if !wellFormed.MatchString(first) || second {
		t.Errorf("the first signature is %q, the second is there: %t", first, second)
	}
}

// checkSameBody expects the same delivery over and over.
func checkSameBody(t *testing.T, deliveries []sent) {
	t.Helper()
	for _, one := range deliveries {
		if !bytes.Equal(one.body, deliveries[0].body) {
			t.Errorf("the bodies differ: %s", one.body)
		}
	}
}

func checkRace(t *testing.T, deliveries []sent) {
	t.Helper()
	checkSameBody(t, deliveries)
	conns := map[int]bool{}
	for _, one := range deliveries {
		conns[one.conn] = true
	}
	if len(conns) != len(deliveries) {
		t.Errorf("%d connections, want %d", len(conns), len(deliveries))
	}
}

// checkRubbish expects what HTTP cannot read, each on a connection of its own.
func checkRubbish(t *testing.T, all []sent) {
	t.Helper()
	kinds := map[string]func(raw string) bool{
		"no HTTP":       func(raw string) bool { return !strings.Contains(raw, "HTTP/") && strings.Contains(raw, "\x00") },
		"broken length": regexp.MustCompile(`(?i)content-length: [^0-9]`).MatchString,
		"broken chunks": func(raw string) bool { return strings.Contains(strings.ToLower(raw), "transfer-encoding: chunked") },
		"half a request": func(raw string) bool {
			return strings.HasPrefix(raw, "POST /hooks HTTP/1.1\r\n") && !strings.Contains(raw, "\r\n\r\n")
		},
	}
	conns := map[int]bool{}
	for _, one := range all {
		if one.whole {
			continue
		}
		if one.on != "survive.garbage" || conns[one.conn] {
			t.Errorf("rubbish in %s, over a connection that has had some: %t", one.on, conns[one.conn])
		}
		conns[one.conn] = true
		maps.DeleteFunc(kinds, func(_ string, is func(string) bool) bool { return is(string(one.raw)) })
	}
	if len(kinds) > 0 {
		t.Errorf("none is of the kinds %q", slices.Sorted(maps.Keys(kinds)))
	}
}

// checkIDs expects ids of its own in every case, and in a case those of one transfer,
// where it is not about several.
func checkIDs(t *testing.T, all []sent) {
	t.Helper()
	owner := map[string]string{}
	perCase := map[string]map[string]bool{}
	for _, one := range all {
		for _, member := range []string{"linkId", "operationId", "dataRequestId", "userId"} {
			id := one.data(member)
			if id == "" {
				continue
			}
			if other, taken := owner[id]; taken && other != one.on {
				t.Errorf("%s and %s share the id %s", other, one.on, id)
			}
			owner[id] = one.on
			key := one.on + " " + member
			if perCase[key] == nil {
				perCase[key] = map[string]bool{}
			}
			perCase[key][id] = true
		}
	}
	want := map[string]int{"deliver.burst operationId": 50, "deliver.burst linkId": 50, "deliver.burst userId": 50, "data-request.forged dataRequestId": 2, "data-request.forged linkId": 2}
	for key, ids := range perCase {
		if got := len(ids); got != max(want[key], 1) {
			t.Errorf("%s: %d different ones, want %d", key, got, max(want[key], 1))
		}
	}
	if len(owner) < 100 {
		t.Errorf("there are %d ids", len(owner))
	}
}

func checkReplyEndpoints(t *testing.T, all []sent, origin string) {
	t.Helper()
	requests := 0
	for _, one := range all {
		if one.value("X-M2M-Event") != "user.data_request" {
			continue
		}
		requests++
		if got, want := one.data("replyEndpoint"), origin+"/partner/data-requests/"+one.data("dataRequestId"); got != want {
			t.Errorf("%s: the replyEndpoint is %s, want %s", one.on, got, want)
		}
	}
	if requests != 4 {
		t.Errorf("%d data requests, want 4", requests)
	}
}
