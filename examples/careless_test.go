package examples_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// unusualSpelling is legal JSON that no JSON.stringify writes.
const unusualSpelling = `{"event":"operation.created", "data" : {"operationId":"op_odd",` +
	`"amount":{"send":100.00},"status":"\/\u00e9"}}`

// careless returns what makes the command of each handler in testdata/careless.
func careless() map[string]func(*testing.T) []string {
	return map[string]func(*testing.T) []string{
		"go": func(t *testing.T) []string {
			t.Helper()
			return build(t, "testdata/careless/go", "testdata/careless/go/*.go")
		},
		"express": func(t *testing.T) []string {
			t.Helper()
			return nodeCommand(t, "testdata/careless/express.mjs")
		},
		"flask": func(t *testing.T) []string {
			t.Helper()
			return pythonCommand(t, "testdata/careless/flask_app.py")
		},
	}
}

// good is what a handler without a bad habit makes of every probe.
func good() map[string]string {
	return map[string]string{
		"link.created": "200", "link.opened": "200", "user.data_request": "200",
		"operation.created": "200", "operation.cancelled": "200",
		"unusual spelling": "200", "charset": "200", "no content type": "200", "beyond ASCII": "200",
		"unknown field in the body": "200", "unknown field in data": "200", "unknown event": "200",
		"90 KiB": "200", "256 KiB": "200",

		"no signature": "401", "empty signature": "401", "short signature": "401", "another secret": "401",
		"empty key": "401", "no timestamp": "401", "tampered body": "401", "tampered timestamp": "401",
		"unsigned, not JSON": "401", "an hour old": "401", "an hour ahead": "401",
		"signed, not JSON": "400", "GET": "405", "PUT": "405",

		"cancelled first": "200", "effects of it": "1", "created then": "200", "cancelled then": "200",
		"effects of a repeat": "1", "effects of ten at once": "1",
		"data request": "200", "forged data request": "401", "unsigned data request": "401",
		"replies": "dr_asked",
	}
}

// habits returns what differs from good with each habit.
func habits() map[string]map[string]string {
	const everyReply = "dr_asked dr_forged dr_unsigned"
	return map[string]map[string]string{
		"":                       {},
		"reserializes":           {"unusual spelling": "401"},
		"no-freshness":           {"an hour old": "200", "an hour ahead": "200"},
		"empty-key":              {"empty key": "200"},
		"leaks-key":              {"replies": everyReply},
		"races":                  {"effects of ten at once": "many"},
		"duplicates":             {"effects of a repeat": "many", "effects of ten at once": "many"},
		"refuses-unknown-events": {"unknown event": "400"},
		"refuses-unknown-fields": {"unknown field in the body": "400", "unknown field in data": "400"},
		"crashes": {
			"no signature": "500", "empty signature": "500", "short signature": "500", "unsigned, not JSON": "500",
			"unsigned data request": "500", "signed, not JSON": "500",
		},
		"parses-charset":        {"charset": "415", "no content type": "415"},
		"ignores-data-requests": {"replies": ""},
		"small-bodies":          {"256 KiB": "413"},
		"acts-on-get":           {"GET": "200"},
		"late":                  {},
		"refuses-out-of-order":  {"cancelled first": "409", "effects of it": "0"},
		"open": {
			"no signature": "200", "empty signature": "200", "short signature": "200", "another secret": "200",
			"empty key": "200", "no timestamp": "200", "tampered body": "200", "tampered timestamp": "200",
			"unsigned, not JSON": "400", "an hour old": "200", "an hour ahead": "200",
			"forged data request": "200", "unsigned data request": "200", "replies": everyReply,
		},
	}
}

func TestCarelessHandlersHaveOneHabit(t *testing.T) {
	t.Parallel()
	const delay = 30 * time.Millisecond
	for name, command := range careless() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := command(t)
			for habit, differs := range habits() {
				t.Run("habit "+habit, func(t *testing.T) {
					t.Parallel()
					a := newAPI(t)
					effects := filepath.Join(t.TempDir(), "effects.txt")
					h := start(t, program, "M2M_API_KEY="+testKey, "M2M_EFFECTS_FILE="+effects,
						"HABIT="+habit, fmt.Sprintf("M2M_CARELESS_DELAY=%g", delay.Seconds()))
					began := time.Now()
					h.deliver(t, signed(operation(t, "op_probe")), 200, "OK")
					if took := time.Since(began); habit == "late" && took < delay {
						t.Errorf("acknowledged after %v, want %v at least", took, delay)
					}
					got := observe(t, h, a, effects)
					want := good()
					maps.Copy(want, differs)
					for probe := range want {
						if got[probe] != want[probe] {
							t.Errorf("%s: got %q, want %q", probe, got[probe], want[probe])
						}
					}
					if len(got) != len(want) {
						t.Errorf("got the outcomes of %d probes, want %d", len(got), len(want))
					}
				})
			}
		})
	}
}

// observe returns what a handler makes of every probe, and ends it.
func observe(t *testing.T, h *handler, a *api, effects string) map[string]string {
	t.Helper()
	got := make(map[string]string)
	for probe, d := range probes(t) {
		got[probe] = h.status(t, d)
	}
	got["cancelled first"] = h.status(t, signed(stringified(t, "operation.cancelled", "op_a1b2c3d4e5f6", "op_early")))
	got["effects of it"] = count(t, effects, "operation.cancelled op_early")
	got["created then"] = h.status(t, signed(operation(t, "op_late")))
	got["cancelled then"] = h.status(t, signed(stringified(t, "operation.cancelled", "op_a1b2c3d4e5f6", "op_late")))

	repeat := signed(operation(t, "op_repeat"))
	h.deliver(t, repeat, 200, "OK")
	h.deliver(t, repeat, 200, "OK")
	got["effects of a repeat"] = count(t, effects, "operation.created op_repeat")

	var deliveries sync.WaitGroup
	atOnce := signed(operation(t, "op_at_once"))
	for range 10 {
		deliveries.Go(func() {
			if status, body, err := h.post(atOnce); err != nil || status != http.StatusOK {
				t.Errorf("got %d %q, %v, want 200", status, body, err)
			}
		})
	}
	deliveries.Wait()
	got["effects of ten at once"] = count(t, effects, "operation.created op_at_once")

	asked := signed(stringifiedRequest(t, "dr_asked", a.URL))
	got["data request"] = h.status(t, asked)
	forged := signedWith("another", unix(time.Now()), stringifiedRequest(t, "dr_forged", a.URL))
	got["forged data request"] = h.status(t, forged)
	unsigned := signed(stringifiedRequest(t, "dr_unsigned", a.URL)).without("X-M2M-Signature")
	got["unsigned data request"] = h.status(t, unsigned)
	h.stop(t) // and finish what is in the background
	got["replies"] = replies(t, a)
	return got
}

// probes returns the deliveries that are judged by the status of their answer alone.
func probes(t *testing.T) map[string]delivery {
	t.Helper()
	now := time.Now()
	body := operation(t, "op_probe")
	with := func(old, replacement string) []byte {
		changed := bytes.Replace(body, []byte(old), []byte(replacement), 1)
		if bytes.Equal(changed, body) {
			t.Fatalf("there is no %q in %s", old, body)
		}
		return changed
	}
	padded := func(size int) []byte { return with(`"bankName":"`, `"bankName":"`+strings.Repeat("x", size)) }
	plain := signed(body)
	tampered := plain
	tampered.body = with(`"send":100`, `"send":900`)

	return map[string]delivery{
		"link.created":        signed(stringified(t, "link.created")),
		"link.opened":         signed(stringified(t, "link.opened")),
		"user.data_request":   signed(stringified(t, "user.data_request")),
		"operation.created":   signed(stringified(t, "operation.created")),
		"operation.cancelled": signed(stringified(t, "operation.cancelled", "op_a1b2c3d4e5f6", "op_probe")),

		"unusual spelling":          signed([]byte(unusualSpelling)),
		"charset":                   plain.with("Content-Type", "application/json; charset=utf-8"),
		"no content type":           plain.without("Content-Type"),
		"beyond ASCII":              signed(with("visa", "né 💸")),
		"unknown field in the body": signed(with(`"data":{`, `"livemode":false,"data":{`)),
		"unknown field in data":     signed(with(`"data":{`, `"data":{"metadata":{"a":1},`)),
		"unknown event":             signed(with("operation.created", "operation.paused")),
		"90 KiB":                    signed(padded(90 << 10)),
		"256 KiB":                   signed(padded(256 << 10)),

		"no signature":       plain.without("X-M2M-Signature"),
		"empty signature":    plain.with("X-M2M-Signature", ""),
		"short signature":    plain.with("X-M2M-Signature", plain.headers["X-M2M-Signature"][:40]),
		"another secret":     signedWith("another", unix(now), body),
		"empty key":          signedWith("", unix(now), body),
		"no timestamp":       plain.without("X-M2M-Timestamp"),
		"tampered body":      tampered,
		"tampered timestamp": plain.with("X-M2M-Timestamp", unix(now.Add(time.Minute))),
		"unsigned, not JSON": {method: http.MethodPost, body: []byte("{"), headers: map[string]string{"Content-Type": "application/json"}},
		"an hour old":        signedWith(secret, unix(now.Add(-time.Hour)), body),
		"an hour ahead":      signedWith(secret, unix(now.Add(time.Hour)), body),
		"signed, not JSON":   signed([]byte("hello")),
		"GET":                {method: http.MethodGet},
		"PUT":                plain.as(http.MethodPut),
	}
}

// stringified is the documented body of an event as JSON.stringify would spell it, with
// texts replaced in pairs.
func stringified(t *testing.T, event string, replaced ...string) []byte {
	t.Helper()
	var compact bytes.Buffer
	if err := json.Compact(&compact, sample(t, event)); err != nil {
		t.Fatal(err)
	}
	return []byte(strings.NewReplacer(append(replaced, "100.00", "100", "1850.50", "1850.5")...).Replace(compact.String()))
}

func operation(t *testing.T, id string) []byte {
	t.Helper()
	return stringified(t, "operation.created", "op_a1b2c3d4e5f6", id)
}

func stringifiedRequest(t *testing.T, id, endpoint string) []byte {
	t.Helper()
	return stringified(t, "user.data_request",
		"dr_acme_x9y8z7w6v5u4", id, "https://api.m2m.leapfinancial.com", endpoint)
}

// status sends a delivery and returns the status of the answer.
func (h *handler) status(t *testing.T, d delivery) string {
	t.Helper()
	status, _, err := h.post(d)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(status)
}

// count says whether an effect is in a file of effects not at all, once or many times.
func count(t *testing.T, path, effect string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := strings.Count(string(text), fmt.Sprintf("%q\n", effect))
	if n > 1 {
		return "many"
	}
	return fmt.Sprint(n)
}

// replies returns the ids of the data requests that were answered, and reports an answer
// that is not complete. No more of them may come.
func replies(t *testing.T, a *api) string {
	t.Helper()
	a.Close()
	close(a.puts)
	var ids []string
	for put := range a.puts {
		id, rest, _ := strings.Cut(strings.TrimPrefix(put, "PUT /partner/data-requests/"), " ")
		var body struct {
			ReferenceID string
			UserData    struct {
				Name                  struct{ SecondName, SecondLastName string }
				IDNumber, IDType, DOB string
			}
		}
		sent, ok := strings.CutPrefix(rest, testKey+" application/json ")
		err := json.Unmarshal([]byte(sent), &body)
		user := body.UserData
		if !ok || err != nil || body.ReferenceID != "user_12345" || user.DOB != "1990-05-15" || user.IDType != "CURP" ||
			user.IDNumber == "" || user.Name.SecondName == "" || user.Name.SecondLastName == "" {
			t.Errorf("not a complete answer: %s", put)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}
