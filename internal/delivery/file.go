package delivery

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
)

// File is a file of delivery records that is being written. Safe for concurrent
// use.
type File struct {
	mu   sync.Mutex
	file *os.File
	// Anew is called when the file was removed, and one of that name is made anew; nil
	// is no one. It is called with the file locked.
	Anew func()
}

// ErrForeignFile is returned for a file whose last line is not the beginning of a
// delivery record: it is somebody's file, and nothing of it may be cut off.
var ErrForeignFile = errors.New("its last line is not a delivery record")

// OpenFile opens the file for appending, and makes it, readable by its owner
// alone, when it is not there. The beginning of a record without an end, left as
// the last line by a writer that was killed, is cut off first; torn is how many
// bytes that took.
func OpenFile(name string) (f *File, torn int64, err error) {
	// Read as well as write: the end has to be looked at.
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, err
	}
	if torn, err = mendEnd(file); err != nil {
		return nil, 0, errors.Join(fmt.Errorf("appending to %s: %w", name, err), file.Close())
	}
	return &File{file: file}, torn, nil
}

// Append writes one record, whole and in one write. When it returns nil, the
// record outlives the process.
func (f *File) Append(record Record) error {
	line, err := record.Line()
	if err != nil {
		return err
	}
	return f.AppendLine(line)
}

// AppendLine is Append for a record's line.
func (f *File) AppendLine(line []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.follow(); err != nil {
		return err
	}
	written, err := f.file.Write(line)
	if err != nil && written > 0 {
		// A full disk took half a line; the next record must not be glued to it.
		err = errors.Join(err, f.cut(int64(written)))
	}
	return err
}

// follow opens the file anew when somebody removed it: what went into a removed file
// would be lost.
func (f *File) follow() error {
	if !isRemoved(f.file) {
		return nil
	}
	anew, _, err := OpenFile(f.file.Name())
	if err != nil {
		return err
	}
	// Every record is on file already when it returns.
	_ = f.file.Close()
	f.file = anew.file
	if f.Anew != nil {
		f.Anew()
	}
	return nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

func (f *File) cut(bytes int64) error {
	info, err := f.file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	return f.file.Truncate(info.Size() - bytes)
}

// mendEnd makes a regular file end in a newline, and returns how much it cut off
// for that.
func mendEnd(file *os.File) (torn int64, err error) {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return 0, err
	}
	start, err := lastLine(file, info.Size())
	if err != nil || start == info.Size() {
		return 0, err
	}
	line := make([]byte, min(info.Size()-start, MaxLine))
	if _, err := file.ReadAt(line, start); err != nil {
		return 0, err
	}
	if _, err := Parse(line); err == nil {
		_, err := file.WriteString("\n")
		return 0, err
	}
	beginning := []byte(`{"type":"` + Type + `"`)
	if known := min(len(line), len(beginning)); !bytes.Equal(line[:known], beginning[:known]) {
		return 0, ErrForeignFile
	}
	return info.Size() - start, file.Truncate(start)
}

// lastLine returns where what follows the last newline begins.
func lastLine(file *os.File, size int64) (int64, error) {
	block := make([]byte, 64<<10)
	for start := size; start > 0; {
		length := min(start, int64(len(block)))
		start -= length
		if _, err := file.ReadAt(block[:length], start); err != nil {
			return 0, err
		}
		if newline := bytes.LastIndexByte(block[:length], '\n'); newline >= 0 {
			return start + int64(newline) + 1, nil
		}
	}
	return 0, nil
}
