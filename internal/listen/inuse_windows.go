package listen

import (
	"errors"
	"syscall"
)

// wsaAddrInUse is WSAEADDRINUSE; package syscall's EADDRINUSE is an invented number.
const wsaAddrInUse = syscall.Errno(10048)

func isInUse(err error) bool { return errors.Is(err, wsaAddrInUse) }
