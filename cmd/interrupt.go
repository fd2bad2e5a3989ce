package cmd

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// errInterrupted is the cause of a context that the user ended.
var errInterrupted = errors.New("interrupted")

// untilInterrupted is a context that the user ends. It takes signals from when somebody
// first waits for that; before, and where nobody ever does, they kill: to take them means
// to start a thread, a tenth of what a short command takes.
type untilInterrupted struct {
	context.Context
	takeSignals func()
}

func (c *untilInterrupted) Done() <-chan struct{} {
	c.takeSignals()
	return c.Context.Done()
}

func (c *untilInterrupted) Err() error {
	c.takeSignals()
	return c.Context.Err()
}

func newUntilInterrupted() *untilInterrupted {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &untilInterrupted{ctx, sync.OnceFunc(func() {
		signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
		// nohup has it ignored, and that stays so.
		if !signal.Ignored(syscall.SIGHUP) {
			signals = append(signals, syscall.SIGHUP)
		}
		interrupted, stop := signal.NotifyContext(context.Background(), signals...)
		context.AfterFunc(interrupted, func() {
			stop() // a second Ctrl-C kills
			cancel(errInterrupted)
		})
	})}
}
