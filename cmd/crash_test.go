//go:build unix

package cmd_test

import (
	"strings"
	"syscall"
	"testing"
)

// TestACrashShowsNoSecret has a receiver write what a crash writes: the stacks of all
// goroutines, with the arguments of each call.
func TestACrashShowsNoSecret(t *testing.T) {
	t.Parallel()
	l := startListen(t)
	deliverOnce(t, l.url)
	if err := l.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	_ = l.cmd.Wait() // a crash has an exit code of its own
	said := l.err.String()
	if !strings.Contains(said, "goroutine ") {
		t.Fatalf("it did not crash:\n%s", said)
	}
	if strings.Contains(said, "a secret of this test") {
		t.Error("the secret is in it")
	}
}
