package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"
)

const (
	// execGrace is how long a command may take to end after it was asked to.
	execGrace = 5 * time.Second
	// groupGrace is how much longer that may take what it started. It is short: who
	// has ended looks alive in a container whose first process reaps nobody.
	groupGrace = time.Second
)

// exec runs the user's command, and returns how it ended: nil, an exitError with its
// code, or why it did not run. What it writes goes to stderr, since stdout holds the
// deliveries. When ctx ends first, everything that it started ends with it.
func (l *listening) exec(ctx context.Context, url string) error {
	command := shell(ctx, l.Exec)
	command.Env = append(command.Environ(), "M2M_LISTEN_URL="+url)
	// Any other reader would be copied from until it ends, and a group of its own
	// may not read from a terminal.
	if in, ok := l.app.In.(*os.File); ok && !l.app.IsTerminal(in) {
		command.Stdin = in
	}
	command.Stdout, command.Stderr = l.app.Err, l.app.Err
	err := command.Run()
	if ctx.Err() != nil && command.Process != nil {
		awaitGroup(command)
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &exitError{code: exitNo, err: errors.New("--exec: the command had not ended in time")}
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return &exitError{code: exitCode(exit.ExitCode())}
	case errors.As(err, &exit):
		return &exitError{code: exitNo, err: fmt.Errorf("--exec: the command ended by %s", exit)}
	}
	return fmt.Errorf("--exec: %w", err)
}

// shell returns a command of the user's, to be run as one typed it. When ctx ends first,
// everything that it started is asked to end.
func shell(ctx context.Context, line string) *exec.Cmd {
	name, args := "sh", []string{"-c", line}
	if runtime.GOOS == "windows" {
		name, args = "cmd", []string{"/C", line}
	}
	command := exec.CommandContext(ctx, name, args...)
	command.WaitDelay = execGrace
	ownGroup(command)
	command.Cancel = func() error { return endGroup(command) }
	return command
}

// awaitGroup returns when all that a command started has ended, which it was asked to.
func awaitGroup(command *exec.Cmd) {
	grace := time.NewTimer(groupGrace)
	defer grace.Stop()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for groupLives(command) {
		select {
		case <-poll.C:
		case <-grace.C:
			killGroup(command)
			return
		}
	}
}
