//go:build !windows

package cmd

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// ownGroup lets a command and all that it starts be ended together: a shell passes
// no signal on.
func ownGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// endGroup asks all of them to end.
func endGroup(command *exec.Cmd) error {
	err := syscall.Kill(-command.Process.Pid, syscall.SIGTERM)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// killGroup ends those that did not.
func killGroup(command *exec.Cmd) {
	// An error means that none is left.
	_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
}

// groupLives says whether one of them is left.
func groupLives(command *exec.Cmd) bool {
	return syscall.Kill(-command.Process.Pid, 0) == nil
}
