package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/fixtures"
)

// storytelling is one run of a scenario.
type storytelling struct {
	*sendOptions
	scenario *fixtures.Scenario
	maker    *maker
	life     *fixtures.Life
	spec     deliver.Spec
	sender   deliver.Sender
	// payloads and results are those of the steps so far.
	payloads [][]byte
	results  []stepResult
}

// stepResult is what became of a step.
type stepResult struct {
	record   delivery.Record
	attempts int
	expected bool
}

func (o *sendOptions) runScenario(ctx context.Context) error {
	maker, err := newMaker(o)
	if err != nil {
		return err
	}
	scenario, err := o.loadScenario(maker.catalogue)
	if err != nil {
		return err
	}
	ring, err := o.app.keysFor(o.Secrets, o.Target.Loopback())
	if err != nil {
		return err
	}
	s := &storytelling{
		sendOptions: o, scenario: scenario, maker: maker, life: maker.life(),
		spec: deliver.Spec{Target: o.Target, Key: ring.keys[0], UserAgent: userAgent(), Edits: o.Headers},
	}
	// The ids of all steps are drawn before those of the records: a seed means the
	// same ids however often a step is tried.
	for range scenario.Steps {
		if _, err := s.payload(); err != nil {
			return err
		}
	}
	if s.payloads = nil; o.Print != "" {
		return s.print()
	}
	connection, err := o.Connection.options(o.app)
	if err != nil {
		return err
	}
	for _, step := range scenario.Steps {
		fault, _ := deliver.FindFault(step.Fault)
		connection.Unbuffered = connection.Unbuffered || fault.BodyTime > 0
	}
	client := endpoint.NewClient(o.app.Transport, connection)
	defer client.CloseIdle()
	s.sender = deliver.Sender{Client: client, Now: o.app.Now, NewID: maker.newID}
	return s.run(ctx)
}

// payload makes the payload of the next step, as of the present.
func (s *storytelling) payload() ([]byte, error) {
	s.life.Now = s.present()
	payload, err := s.scenario.Payload(s.life, s.payloads)
	s.payloads = append(s.payloads, payload)
	return payload, err
}

// specOf is the spec of a step, and the zero Fault where nothing is broken.
func (s *storytelling) specOf(step fixtures.Step) deliver.Spec {
	spec := s.spec
	spec.Fault, _ = deliver.FindFault(step.Fault)
	return spec
}

func (s *storytelling) print() error {
	for _, step := range s.scenario.Steps {
		payload, err := s.payload()
		if err != nil {
			return err
		}
		if err := s.sendOptions.print(s.maker, s.specOf(step).Request(payload, s.timestamp())); err != nil {
			return err
		}
	}
	return nil
}

// run sends step after step. One that is not answered as expected stops nothing, as
// nothing stops M2M; an endpoint that cannot be reached does.
func (s *storytelling) run(ctx context.Context) error {
	for i, step := range s.scenario.Steps {
		where := "before"
		err := s.wait(ctx, i)
		if err == nil {
			where = "in"
			err = s.step(ctx, step)
		}
		if errors.Is(err, errInterrupted) {
			s.app.notice("interrupted %s step %d of %d, %s%s", where, i+1, len(s.scenario.Steps), step.Name, s.notSent(i, where == "in"))
		}
		if err != nil {
			return err
		}
		if s.results[i].record.Error != nil {
			break
		}
	}
	return s.end()
}

// notSent lists the steps that an interruption left out.
func (s *storytelling) notSent(at int, begun bool) string {
	if begun {
		at++
	}
	var names []string
	for _, step := range s.scenario.Steps[at:] {
		names = append(names, step.Name)
	}
	if len(names) == 0 {
		return ""
	}
	return "; not sent: " + strings.Join(names, ", ")
}

// wait waits as long as a step wants.
func (s *storytelling) wait(ctx context.Context, number int) error {
	step := s.scenario.Steps[number]
	span := s.scaled(step.Wait)
	if span <= 0 {
		return nil
	}
	defer s.app.countdown(fmt.Sprintf("step %d of %d, %s, in", number+1, len(s.scenario.Steps), step.Name), span)()
	return deliver.Sleep(ctx, span)
}

// step delivers the next step.
func (s *storytelling) step(ctx context.Context, step fixtures.Step) error {
	payload, err := s.payload()
	if err != nil {
		return err
	}
	expect, err := deliver.ParseExpectation(step.Expect)
	if err != nil {
		return err
	}
	schedule := s.scaledAll(step.Schedule)
	spec, sender := s.specOf(step), s.sender
	sender.BodyTime = spec.Fault.BodyTime
	_, err = sender.Deliver(ctx, deliver.Retry{
		Schedule: schedule,
		Request:  func() delivery.Request { return spec.Request(payload, s.timestamp()) },
		Done: func(record delivery.Record, last bool) error {
			expected := record.Response != nil && expect.Holds(record.Response.Status)
			if last {
				s.results = append(s.results, stepResult{record, max(1, len(schedule)), expected})
			}
			return s.app.show(record, answered(expected, step.Expect))
		},
		Waiting: func(next int, until time.Time) func() {
			what := fmt.Sprintf("%s, attempt %d of %d, in", step.Name, next, len(schedule))
			return s.app.countdown(what, until.Sub(s.app.Now()))
		},
	})
	return err
}
