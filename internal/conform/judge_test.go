package conform_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/conform"
)

// closed is the answer of a handler that closes the connection without one.
const closed = -1

// answerTo answers with a status, or closes the connection.
func answerTo(w http.ResponseWriter, status int) {
	if status == closed {
		panic(http.ErrAbortHandler)
	}
	if status >= 300 && status < 400 {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(status)
}

// judged returns what each case has to come to when everything that it sends is
// answered with that status.
func judged(id string, status int) conform.Outcome {
	group, _, _ := strings.Cut(id, ".")
	taken := status >= 200 && status <= 299
	crashed := status == closed || status >= 500
	pass := func(holds bool, otherwise conform.Outcome) conform.Outcome {
		if holds {
			return conform.Pass
		}
		return otherwise
	}
	switch {
	case id == "data-request.forged":
		return conform.Pass // no PUT comes
	case id == "data-request.answered":
		return conform.Warn // no PUT comes
	case id == "accept.unknown-event" || id == "accept.large":
		return pass(taken, conform.Warn)
	case group == "accept" || group == "survive" || group == "deliver":
		return pass(taken, conform.Fail)
	case id == "reject.get":
		return pass(!taken && (!crashed || status == http.StatusNotImplemented), conform.Warn)
	case id == "reject.stale" || id == "reject.future" || id == "reject.not-json" || crashed:
		return pass(!taken && !crashed, conform.Warn)
	}
	return pass(!taken, conform.Fail)
}

func statuses() []int {
	return []int{200, 204, 299, 300, 302, 401, 404, 413, 500, 501, closed}
}

// TestJudgement has a good handler give one wrong answer to all that a case sends, each
// answer to each case. Whether the target is still alive is asked with a link.created.
func TestJudgement(t *testing.T) {
	t.Parallel()
	for _, status := range statuses() {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			handler := good(t)
			r := serve(t, func(on string, w http.ResponseWriter, r *http.Request) {
				if slices.Contains(eventCases(), on) || isPlain(r) {
					handler(on, w, r)
					return
				}
				answerTo(w, status)
			})
			got := r.run(t)
			want := map[string]conform.Outcome{}
			for _, c := range conform.Cases() {
				want[c.ID] = judged(c.ID, status)
				if slices.Contains(eventCases(), c.ID) {
					want[c.ID] = conform.Pass
				}
			}
			if r.stop != nil || !maps.Equal(got, want) {
				for id := range want {
					if got[id] != want[id] {
						t.Errorf("%d in %s: got %s (%s), want %s", status, id, got[id], r.result(t, id).Said, want[id])
					}
				}
				t.Errorf("stopped: %v", r.stop)
			}
		})
	}
}

// isPlain says whether a request delivers a link.created with nothing odd about it.
func isPlain(r *http.Request) bool {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r.Header.Get("X-M2M-Event") == "link.created" && !bytes.Contains(body, []byte("metadata"))
}

func eventCases() []string {
	return []string{
		"accept.link.created", "accept.link.opened", "accept.user.data_request", "accept.operation.created", "accept.operation.cancelled",
	}
}

// TestJudgementOfEvents has a good handler give one wrong answer to one event.
func TestJudgementOfEvents(t *testing.T) {
	t.Parallel()
	for _, id := range eventCases() {
		for _, status := range statuses() {
			if id == "accept.link.created" && status == closed {
				continue // nothing tells that from a target that is not there
			}
			t.Run(fmt.Sprint(id, " ", status), func(t *testing.T) {
				t.Parallel()
				handler := good(t)
				r := serve(t, func(on string, w http.ResponseWriter, r *http.Request) {
					if "accept."+r.Header.Get("X-M2M-Event") == id {
						answerTo(w, status)
						return
					}
					handler(on, w, r)
				})
				got := r.run(t, eventCases()...)
				for _, other := range eventCases() {
					want := conform.Pass
					if other == id {
						want = judged(id, status)
					}
					if got[other] != want || r.stop != nil {
						t.Errorf("%d to %s: %s is %s, want %s; stopped: %v", status, id, other, got[other], want, r.stop)
					}
				}
			})
		}
	}
}

// TestOneRefusalIsEnough refuses a single delivery of several.
func TestOneRefusalIsEnough(t *testing.T) {
	t.Parallel()
	for id, said := range map[string]string{
		"deliver.duplicate": "1 of 2 refused", "deliver.concurrent-duplicates": "1 of 10 refused",
		"deliver.out-of-order": "1 of 2 refused", "deliver.burst": "1 of 50 refused",
	} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			handler, turn := good(t), make(chan struct{}, 1)
			turn <- struct{}{}
			r := serve(t, func(on string, w http.ResponseWriter, r *http.Request) {
				if on == id && r.Header.Get("X-M2M-Event") != "link.created" {
					select {
					case <-turn:
						answerTo(w, http.StatusConflict)
						return
					default:
					}
				}
				handler(on, w, r)
			})
			r.run(t, id)
			if got := r.result(t, id); got.Outcome != conform.Fail || got.Said != said {
				t.Errorf("got %s: %s, want %s: %s", got.Outcome, got.Said, conform.Fail, said)
			}
		})
	}
}
