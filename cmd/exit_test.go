package cmd

import "testing"

func TestWorseIsTheCodeOfBoth(t *testing.T) {
	t.Parallel()
	// From the least to the worst, as the contract of the command line has it.
	order := []exitCode{exitDone, exitNo, exitUnreachable, exitNotTried, exitInterrupted}
	for i, less := range order {
		for _, more := range order[i:] {
			if got := worse(less, more); got != more {
				t.Errorf("worse(%d, %d) is %d, want %d", less, more, got, more)
			}
			if got := worse(more, less); got != more {
				t.Errorf("worse(%d, %d) is %d, want %d", more, less, got, more)
			}
		}
	}
}
