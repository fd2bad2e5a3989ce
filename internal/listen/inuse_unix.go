//go:build !windows

package listen

import (
	"errors"
	"syscall"
)

// IsInUse says of an error of Listen whether somebody has the port.
func IsInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
