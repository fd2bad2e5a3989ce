package cmd

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func TestWhatCannotBeWrittenIsToldOnce(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"", "--help", "help send", "help files", "verify --help", "demo", "demo --json", "events", "events --vectors",
		"version", "config", "completion bash", "send link.created --print http", "test --list",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			world := *testApp().env
			var said bytes.Buffer
			world.Out, world.Err = fullDisk{}, &said
			code := run(t.Context(), &world, strings.Fields(line))
			if code != exitNotTried || strings.Count(said.String(), "m2m: error: the disk is full\n") != 1 {
				t.Errorf("exit code %d, want %d and the error once, got:\n%s", code, exitNotTried, &said)
			}
		})
	}
}
