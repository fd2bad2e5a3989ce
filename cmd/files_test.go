package cmd

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestInterruptibleReadsOnAndEndsWhenInterrupted(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	text, err := io.ReadAll(&interruptible{in: strings.NewReader("a body\n"), done: done})
	if string(text) != "a body\n" || err != nil {
		t.Errorf("got %q, %v; want the whole text", text, err)
	}
	silent, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	close(done)
	n, err := (&interruptible{in: silent, done: done}).Read(make([]byte, 8))
	if n != 0 || !errors.Is(err, errInterrupted) {
		t.Errorf("got %d, %v; want 0, %v", n, err, errInterrupted)
	}
}
