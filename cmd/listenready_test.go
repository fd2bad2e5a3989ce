package cmd

import (
	"bytes"
	"context"
	"io"
	"sync/atomic"
	"testing"
)

// asked is a context that knows whether anybody has asked for its end.
type asked struct {
	context.Context
	was atomic.Bool
}

func (c *asked) Done() <-chan struct{} {
	c.was.Store(true)
	return c.Context.Done()
}

func (c *asked) Err() error {
	c.was.Store(true)
	return c.Context.Err()
}

type writer func(text []byte)

func (w writer) Write(text []byte) (int, error) {
	w(text)
	return len(text), nil
}

// TestListenTakesSignalsBeforeItIsReady has a script send a Ctrl-C as soon as it is told
// that the port is open.
func TestListenTakesSignalsBeforeItIsReady(t *testing.T) {
	t.Parallel()
	inner, cancel := context.WithCancelCause(t.Context())
	ctx := &asked{Context: inner}
	world := *testApp().env
	ready := false
	world.Out, world.Err = io.Discard, writer(func(text []byte) {
		if bytes.HasPrefix(text, []byte("listening on ")) {
			ready = ctx.was.Load()
			cancel(errInterrupted)
		}
	})
	code := run(ctx, &world, []string{"listen", "--port", "0"})
	if code != exitDone || !ready {
		t.Errorf("exit code %d, signals taken when it was ready: %t", code, ready)
	}
}
