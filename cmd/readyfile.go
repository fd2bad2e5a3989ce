package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

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
		return fmt.Errorf("--ready-file: %w", err)
	}
	return nil
}

// tryDirectory says why a file cannot be made there.
func tryDirectory(name string) error {
	file, err := createBeside(name)
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// createBeside makes a file, its owner's alone, that may take the place of the named
// one. An error names that one, which the user knows.
func createBeside(name string) (*os.File, error) {
	file, err := os.CreateTemp(filepath.Dir(name), ".m2m-ready-*")
	var path *fs.PathError
	if errors.As(err, &path) {
		return nil, &fs.PathError{Op: path.Op, Path: name, Err: path.Err}
	}
	return file, err
}

// writeReadyFile puts the text there whole: who waits for the file finds all of it.
func writeReadyFile(name, text string) error {
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return os.WriteFile(name, []byte(text), 0o600)
	}
	file, err := createBeside(name)
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
