package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// removeReadyFile takes away what an earlier run left.
func (o *listenOptions) removeReadyFile() error {
	if o.ReadyFile == "" {
		return nil
	}
	// One that an earlier run left names a port that is no longer open. A device, a pipe
	// or a link is somebody's, and is written into.
	info, err := os.Lstat(o.ReadyFile)
	if err == nil && info.Mode().IsRegular() {
		err = os.Remove(o.ReadyFile)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--ready-file: %w", fileError(o.ReadyFile, err))
	}
	return nil
}

// writeReadyFile puts the text there whole: who waits for the file finds all of it.
func writeReadyFile(name, text string) error {
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return os.WriteFile(name, []byte(text), 0o600)
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".m2m-ready-*") // its owner's alone
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
