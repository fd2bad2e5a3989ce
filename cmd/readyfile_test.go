package cmd

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestAReadyFileIsThereWhole looks at the file while it is being written, again and
// again: it has all of its text, or is not there.
func TestAReadyFileIsThereWhole(t *testing.T) {
	t.Parallel()
	const text = "http://localhost:3000/webhooks/m2m\n"
	dir := t.TempDir()
	name := filepath.Join(dir, "url")
	written := make(chan error)
	go func() {
		defer close(written)
		for range 2000 {
			if err := writeReadyFile(name, text); err != nil {
				written <- err
				return
			}
			_ = os.Remove(name) // as the next run does
		}
	}()
	for ended := false; !ended; {
		select {
		case err, more := <-written:
			if err != nil {
				t.Fatal(err)
			}
			ended = !more
		default:
		}
		if got, err := os.ReadFile(name); err == nil && string(got) != text {
			t.Fatalf("it has %q", got)
		}
	}
}

func TestAReadyFileIsItsOwners(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "url")
	if err := writeReadyFile(name, "x\n"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("it has the mode %o", info.Mode())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("got %v beside it, and %v", left, err)
	}
}

// TestAReadyLinkIsWrittenInto has a script wait at a link to a file of its own.
func TestAReadyLinkIsWrittenInto(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	own, link := filepath.Join(dir, "own"), filepath.Join(dir, "link")
	if err := os.WriteFile(own, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(own, link); err != nil {
		t.Skip(err)
	}
	if err := writeReadyFile(link, "x\n"); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(own); err != nil || string(text) != "x\n" {
		t.Errorf("it holds %q, and %v", text, err)
	}
}
