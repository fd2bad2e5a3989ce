package cmd

import (
	"context"
	"errors"
	"testing"
)

// TestSignalsAreTakenWhenSomebodyWaits also waits with a context below, and holds that it
// ends with the cause.
func TestSignalsAreTakenWhenSomebodyWaits(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]func(context.Context){
		"for its end":      func(ctx context.Context) { ctx.Done() },
		"looking":          func(ctx context.Context) { _ = ctx.Err() },
		"with one below":   func(ctx context.Context) { _, cancel := context.WithCancel(ctx); defer cancel() },
		"with a function":  func(ctx context.Context) { context.AfterFunc(ctx, func() {})() },
		"with a key below": func(ctx context.Context) { context.WithValue(ctx, t, t).Done() },
	} {
		under, cancel := context.WithCancelCause(context.Background())
		taken := false
		ctx := &untilInterrupted{under, func() { taken = true }}
		if _ = ctx.Value(t); taken {
			t.Errorf("%s: taken before", name)
		}
		if wait(ctx); !taken {
			t.Errorf("%s: not taken", name)
		}
		below, stop := context.WithCancel(ctx)
		cancel(errInterrupted)
		if <-below.Done(); !errors.Is(context.Cause(below), errInterrupted) {
			t.Errorf("%s: got the cause %v", name, context.Cause(below))
		}
		stop()
	}
}
