package cmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// open opens a named file, or standard input for "-". What says, in an error, what
// it was to be used for.
func (a *app) open(name, what string) (io.ReadCloser, error) {
	if name == "-" {
		if a.stdin == what {
			return nil, withHint(errors.New("standard input can be read only once"), "give - once")
		}
		if a.stdin != "" {
			return nil, fmt.Errorf("standard input cannot be both %s and %s", a.stdin, what)
		}
		a.stdin = what
		return io.NopCloser(&interruptible{in: a.In, done: a.done()}), nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, fileError(name, err))
	}
	if info.IsDir() {
		return nil, fmt.Errorf("reading %s: %q is a directory", what, name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, fileError(name, err))
	}
	if info.Mode().IsRegular() {
		return file, nil
	}
	// A pipe may be waited for as standard input is.
	return struct {
		io.Reader
		io.Closer
	}{&interruptible{in: file, done: a.done()}, file}, nil
}

// read reads a whole file of at most limit bytes, or standard input for "-".
func (a *app) read(name, what string, limit int64) ([]byte, error) {
	file, err := a.open(name, what)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", what, fileError(name, err))
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("reading %s: %q is larger than %d bytes", what, name, limit)
	}
	return data, nil
}

// fileError has what is wrong with a file told in one form: the name as it was given,
// and why. The name of a step in between, or of a file beside it, tells a user nothing.
func fileError(name string, err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return fmt.Errorf("%q: %w", name, path.Err)
	case errors.As(err, &link):
		return fmt.Errorf("%q: %w", name, link.Err)
	}
	return err
}

// interruptible is a reader that a Ctrl-C ends, also while it waits for somebody to
// type. The read that it leaves behind ends with the process.
type interruptible struct {
	in   io.Reader
	done <-chan struct{}
	buf  []byte
}

func (r *interruptible) Read(p []byte) (int, error) {
	type outcome struct {
		n   int
		err error
	}
	if len(r.buf) < len(p) {
		r.buf = make([]byte, len(p))
	}
	read := make(chan outcome, 1)
	go func() {
		n, err := r.in.Read(r.buf[:len(p)])
		read <- outcome{n, err}
	}()
	select {
	case got := <-read:
		return copy(p, r.buf[:got.n]), got.err
	case <-r.done:
		return 0, errInterrupted
	}
}
