//go:build unix

package delivery

import (
	"os"
	"syscall"
)

// isRemoved says that an open file has no name any more: what is written into it is
// gone when it is closed.
func isRemoved(file *os.File) bool {
	var found syscall.Stat_t
	// Looking through the descriptor is several times cheaper than looking for the name.
	return syscall.Fstat(int(file.Fd()), &found) == nil && found.Nlink == 0
}
