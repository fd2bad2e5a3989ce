package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// probeTimeout is how long a probe may take.
const probeTimeout = 10 * time.Second

// probe runs the user's command, which prints how many effects there have been.
func (t *testRun) probe(ctx context.Context) (int, error) {
	bounded, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	command := shell(bounded, t.Probe)
	printed, said := &beginning{stop: cancel}, &beginning{}
	command.Stdout, command.Stderr = printed, said
	err := command.Run()
	switch {
	case printed.over:
		return 0, withHint(fmt.Errorf("--probe: the command printed more than %d bytes", maxProbe), probeHint)
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case bounded.Err() != nil:
		return 0, fmt.Errorf("--probe: the command had not ended within %s", probeTimeout)
	case errors.Is(err, exec.ErrWaitDelay):
		return 0, errors.New("--probe: the command has left something running that holds its output")
	case err != nil:
		line, _, _ := strings.Cut(strings.TrimSpace(string(said.text)), "\n")
		return 0, withHint(fmt.Errorf("--probe: %w", err), "%s", cmp.Or(line, "run the command by hand: it has to end with 0"))
	}
	text := strings.TrimSpace(string(printed.text))
	count, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, withHint(fmt.Errorf("--probe: the command printed %.200q", text), probeHint)
	}
	return int(count), nil
}

const (
	// maxProbe is the most that a probe may print, in bytes.
	maxProbe  = 4096
	probeHint = "it has to print a whole number, the count of effects, and nothing else"
)

// beginning keeps the beginning of what is written, and calls stop, if there is one, when
// there is more.
type beginning struct {
	text []byte
	over bool
	stop func()
}

func (b *beginning) Write(p []byte) (int, error) {
	room := maxProbe - len(b.text)
	b.text = append(b.text, p[:min(len(p), room)]...)
	if len(p) > room && !b.over {
		b.over = true
		if b.stop != nil {
			b.stop()
		}
	}
	return len(p), nil
}
