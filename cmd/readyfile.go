package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// beside is how a ready file is called that is not yet whole.
const beside = ".m2m-ready-*"

// prepareReadyFile takes away what an earlier run left, and sees to it that the file can
// be written once the port is open.
func (o *listenOptions) prepareReadyFile() error {
	if o.ReadyFile == "" {
		return nil
	}
	// One that an earlier run left names a port that is no longer open. A device, a pipe
	// or a link is somebody's, and is written into.
	info, err := os.Lstat(o.ReadyFile)
	switch {
	case err == nil && info.IsDir():
		err = &fs.PathError{Op: "open", Path: o.ReadyFile, Err: syscall.EISDIR}
	case err == nil && !info.Mode().IsRegular():
		return nil
	case err == nil:
		err = os.Remove(o.ReadyFile)
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		err = nil
	}
	if err == nil {
		err = tryDirectory(o.ReadyFile)
	}
	if err != nil {
		return fmt.Errorf("--ready-file: %w", fileError(o.ReadyFile, err))
	}
	return nil
}

// tryDirectory says why a file cannot be made there.
func tryDirectory(name string) error {
	file, err := os.CreateTemp(filepath.Dir(name), beside)
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// writeReadyFile puts the text there whole: who waits for the file finds all of it.
func writeReadyFile(name, text string) error {
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return os.WriteFile(name, []byte(text), 0o600)
	}
	file, err := os.CreateTemp(filepath.Dir(name), beside) // its owner's alone
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
