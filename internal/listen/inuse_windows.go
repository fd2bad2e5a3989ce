package listen

import (
	"errors"
	"syscall"
)

// wsaAddrInUse is WSAEADDRINUSE; package syscall's EADDRINUSE is an invented number.
const wsaAddrInUse = syscall.Errno(10048)

// IsInUse says of an error of Listen whether somebody has the port.
func IsInUse(err error) bool { return errors.Is(err, wsaAddrInUse) }
