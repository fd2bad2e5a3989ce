package cmd

import (
	"io/fs"
	"runtime"
)

// isReadableByAll says whether other users may read a file, as far as its mode tells.
func isReadableByAll(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0
}

// holdsSecret says whether a webhook secret or an API key stands in the file.
func (f configFile) holdsSecret() bool {
	for _, name := range append(f.profiles(), "") {
		values := f.values
		if name != "" {
			values = f.profile(name)
		}
		if values["webhook_secret"] != nil || values["api_key"] != nil {
			return true
		}
	}
	return false
}
