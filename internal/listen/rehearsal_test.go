package listen_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/listen"
)

func TestRehearsal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rehearsal listen.Rehearsal
		all       bool
		// events are delivered in turn; "forged" and "text" are not acceptable.
		events []string
		want   []int
	}{
		"none":                             {events: []string{"a", "forged", "text"}, want: []int{200, 401, 400}},
		"a status":                         {rehearsal: listen.Rehearsal{Status: 503}, events: []string{"a", "a", "a"}, want: []int{503, 503, 503}},
		"a status that means success":      {rehearsal: listen.Rehearsal{Status: 204}, events: []string{"a"}, want: []int{204}},
		"a status that has no body":        {rehearsal: listen.Rehearsal{Status: 304}, events: []string{"a"}, want: []int{304}},
		"a status that empties the form":   {rehearsal: listen.Rehearsal{Status: 205}, events: []string{"a"}, want: []int{205}},
		"the first two":                    {rehearsal: listen.Rehearsal{FailFirst: 2}, events: []string{"a", "a", "a", "a"}, want: []int{500, 500, 200, 200}},
		"the first, with a status":         {rehearsal: listen.Rehearsal{FailFirst: 1, Status: 429}, events: []string{"a", "a"}, want: []int{429, 200}},
		"what is not valid stays so":       {rehearsal: listen.Rehearsal{Status: 503}, events: []string{"forged", "text", "a"}, want: []int{401, 400, 503}},
		"what is not valid does not count": {rehearsal: listen.Rehearsal{FailFirst: 1}, events: []string{"forged", "text", "a", "a"}, want: []int{401, 400, 500, 200}},
		"all are taken":                    {rehearsal: listen.Rehearsal{FailFirst: 1}, all: true, events: []string{"forged", "text", "a"}, want: []int{500, 200, 200}},
		"a delay":                          {rehearsal: listen.Rehearsal{Delay: time.Millisecond}, events: []string{"a", "forged"}, want: []int{200, 401}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options, done := newOptions(t)
			options.Rehearsal, options.AcceptAll = c.rehearsal, c.all
			var saved []int
			options.Save = saves(t, func(record delivery.Record) error {
				saved = append(saved, record.Response.Status)
				return nil
			})
			server := serve(t, options)
			var got []int
			for _, event := range c.events {
				request := post(t, server.URL, opened)
				switch event {
				case "forged":
					request.Header.Set(delivery.SignatureHeader, "sha256="+strings.Repeat("0", 64))
				case "text":
					request = post(t, server.URL, "text")
				}
				answered := do(t, server.Client(), request)
				status := answered.status
				got = append(got, status)
				told := receive(t, done, "the delivery")
				if told.Record.Response.Status != status || !told.Shown {
					t.Errorf("%s: told %d, shown %t, and answered %d", event, told.Record.Response.Status, told.Shown, status)
				}
				if sent := string(told.Record.Response.Body); sent != answered.body {
					t.Errorf("%s: the record has %q, and %q was answered", event, sent, answered.body)
				}
				if status >= 204 && status <= 304 && answered.body != "" {
					t.Errorf("%s: answered %d with %q", event, status, answered.body)
				}
				if valid := told.Verdict.Valid(); valid == (event == "forged") {
					t.Errorf("%s: judged valid: %t", event, valid)
				}
			}
			if !slices.Equal(got, c.want) || !slices.Equal(saved, c.want) {
				t.Errorf("got %v answered and %v saved, want %v", got, saved, c.want)
			}
		})
	}
}

func TestDelayIsKept(t *testing.T) {
	t.Parallel()
	const delay = 30 * time.Millisecond
	options, _ := newOptions(t)
	options.Rehearsal.Delay = delay
	server := serve(t, options)
	began := time.Now()
	do(t, server.Client(), post(t, server.URL, opened))
	if took := time.Since(began); took < delay {
		t.Errorf("answered after %v, want %v", took, delay)
	}
}

func TestDelayEndsWhenTheSenderGivesUp(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	options.Rehearsal.Delay = time.Hour
	waiting := make(chan struct{}, 1) // the first look at the clock is kept for the test
	options.Now = func() time.Time {
		select {
		case waiting <- struct{}{}:
		default:
		}
		return present()
	}
	var saved delivery.Record
	options.Save = saves(t, func(record delivery.Record) error { saved = record; return nil })
	server := serve(t, options)
	ctx, giveUp := context.WithCancel(t.Context())
	request := post(t, server.URL, opened).WithContext(ctx)
	client, failed := newClient(t), make(chan error, 1)
	go func() {
		_, err := try(client, request)
		failed <- err
	}()
	receive(t, waiting, "the delivery to be read")
	giveUp()
	if receive(t, failed, "the sender") == nil {
		t.Error("the sender was answered")
	}
	if got := receive(t, done, "the delivery"); !got.Verdict.Valid() || saved.Response == nil {
		t.Errorf("got %+v, saved %+v; want it judged and saved all the same", got, saved)
	}
}

func TestDelayEndsWithTheReceiver(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	options.Rehearsal.Delay = time.Hour
	options.Deadlines.Drain = 50 * time.Millisecond
	read := make(chan struct{}, 10)
	options.Now = func() time.Time {
		read <- struct{}{}
		return present()
	}
	receiver := run(t, options, nil)
	client, request := newClient(t), post(t, receiver.url(), opened)
	answered := make(chan int, 1)
	go func() {
		got, err := try(client, request)
		if err != nil {
			t.Error(err)
		}
		answered <- got.status
	}()
	receive(t, read, "the delivery to be read")
	receiver.stop()
	if got := receive(t, answered, "the answer"); got != http.StatusOK {
		t.Errorf("got %d, want 200", got)
	}
	if err := receive(t, receiver.ended, "the end"); err != nil {
		t.Error(err)
	}
	if len(done) != 1 {
		t.Errorf("got %d deliveries, want 1", len(done))
	}
}
