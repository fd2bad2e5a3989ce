package report

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// destination is where a report goes: a file, which is replaced as a whole, or a
// device or pipe, which is written into.
type destination struct {
	// path is the one that was given, file where it leads.
	path, file string
	mode       fs.FileMode
	// stream is the open device or pipe; nil for a file.
	stream *os.File
}

// openDestination finds out whether a report could be written to path, and changes
// nothing there.
func openDestination(path string) (*destination, error) {
	d := &destination{path: path, file: path, mode: 0o600}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return d, nil
	case err != nil:
		return nil, d.refused(err)
	}
	// Appending is for a standard output that leads into a file: what is in it
	// already came from this very run.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, d.refused(err)
	}
	if !info.Mode().IsRegular() || strings.HasPrefix(filepath.ToSlash(path), "/dev/") {
		d.stream = file
		return d, nil
	}
	// A link stays a link.
	if d.file, err = filepath.EvalSymlinks(path); err != nil {
		return nil, d.refused(errors.Join(err, file.Close()))
	}
	d.mode = info.Mode().Perm()
	return d, file.Close()
}

// refused names the path once, as it was given, and none of the files beside it.
func (d *destination) refused(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return fmt.Errorf("writing the report to %q: %w", d.path, err)
}

// scratch returns a file of our own: beside the destination, which shows that the
// report can be put there, unless that is a device.
func (d *destination) scratch() (*os.File, error) {
	dir := filepath.Dir(d.file)
	if d.stream != nil {
		dir = ""
	}
	return os.CreateTemp(dir, ".m2m-report-*")
}

// write has the report written. A file is only put in the place of the old one
// when it is whole.
func (d *destination) write(content func(io.Writer) error) error {
	if d.stream != nil {
		return content(d.stream)
	}
	file, err := d.scratch()
	if err != nil {
		return err
	}
	err = errors.Join(content(file), file.Chmod(d.mode), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), d.file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

func (d *destination) close() error {
	if d.stream == nil {
		return nil
	}
	return d.stream.Close()
}
