package cmd

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/fixtures"
)

// maker makes the payloads of a run, a round at a time.
type maker struct {
	options   *sendOptions
	events    []fixtures.Event
	payload   []byte
	sets      []fixtures.Assignment
	rand      io.Reader
	catalogue *fixtures.Catalogue
	await     *awaiter
}

func newMaker(o *sendOptions) (*maker, error) {
	m := &maker{options: o, rand: o.app.Rand}
	var err error
	if m.catalogue, err = o.app.catalogue(); err != nil {
		return nil, err
	}
	if seed, err := strconv.ParseUint(o.Seed, 10, 64); err == nil {
		var block [32]byte
		for i := range 8 {
			block[i] = byte(seed >> (8 * i))
		}
		m.rand = rand.NewChaCha8(block)
	}
	for _, set := range o.Sets {
		if err := m.addSet(set, false); err != nil {
			return nil, fmt.Errorf("--set: %w", err)
		}
	}
	for _, set := range o.SetStrings {
		if err := m.addSet(set, true); err != nil {
			return nil, fmt.Errorf("--set-string: %w", err)
		}
	}
	switch {
	case o.Payload != "":
		m.payload, err = o.app.read(o.Payload, "the payload", maxPayload)
		if err == nil && len(m.payload) == 0 {
			o.app.warn("the payload is empty: 0 bytes")
		}
		return m, err
	case o.All:
		m.events = m.catalogue.Events()
		return m, nil
	}
	for _, name := range o.Events {
		event, err := m.catalogue.Event(name)
		if err != nil {
			return nil, err
		}
		m.events = append(m.events, event)
	}
	return m, nil
}

func (m *maker) addSet(argument string, text bool) error {
	set, err := fixtures.ParseAssignment(argument, text)
	m.sets = append(m.sets, set)
	return err
}

func (m *maker) newID() string { return newID(m.rand) }

// each hands every payload of the run to use: the first round, which is made
// already, and a fresh one for each further count.
func (m *maker) each(round [][]byte, use func(payload []byte) error) error {
	for n := 1; ; n++ {
		for _, payload := range round {
			if err := use(payload); err != nil {
				return err
			}
		}
		if n == m.options.Count {
			return nil
		}
		var err error
		if round, err = m.round(); err != nil {
			return err
		}
	}
}

// round makes the payloads of one round: one of each event, under new ids.
func (m *maker) round() ([][]byte, error) {
	if m.events == nil {
		return m.edit([][]byte{m.payload})
	}
	life := m.life()
	var payloads [][]byte
	for _, event := range m.events {
		if m.options.Sample {
			payloads = append(payloads, event.Sample)
			continue
		}
		if !m.options.All {
			life = m.life()
		}
		payload, err := life.Fresh(event)
		if err != nil {
			return nil, err
		}
		payloads = append(payloads, payload)
	}
	m.warnSample()
	return m.edit(payloads)
}

func (m *maker) life() *fixtures.Life {
	o := m.options
	origin := endpoint.Env(o.Env).Origin()
	if o.Target.Loopback() {
		origin = o.Target.Origin()
	}
	return &fixtures.Life{Rand: m.rand, Now: o.present(), ReplyOrigin: origin}
}

func (m *maker) warnSample() {
	if !m.options.Sample || m.await != nil {
		return
	}
	for _, event := range m.events {
		if event.Name == "user.data_request" {
			m.options.app.warn("the sample's replyEndpoint is M2M's production: a handler that answers sends its API key there")
			return
		}
	}
}

// edit applies --set, and --await-reply. With several events a path has to be in one
// of them at least.
func (m *maker) edit(payloads [][]byte) ([][]byte, error) {
	for _, set := range m.sets {
		var missing *fixtures.UnknownPathError
		applied := false
		for i, payload := range payloads {
			changed, err := set.Apply(payload, m.options.Add)
			switch {
			case err == nil:
				payloads[i], applied = changed, true
			case !errors.As(err, &missing):
				return nil, err
			}
		}
		if !applied {
			return nil, missing
		}
	}
	return m.await.aim(payloads)
}
