package report_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/report"
)

func fileNumber(file *os.File) string { return strconv.Itoa(int(file.Fd())) }

func TestWhereNoReportCanBe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"a directory":             dir,
		"in no directory":         filepath.Join(dir, "none", "junit.xml"),
		"below a file":            filepath.Join(file, "junit.xml"),
		"a name longer than any":  filepath.Join(dir, strings.Repeat("x", 5000)),
		"a name that is no name":  "a\x00b",
		"a directory yet to come": filepath.Join(dir, "none") + string(filepath.Separator),
	} {
		junit, err := report.NewJUnit(path, report.Suite{})
		if err == nil {
			junit.Discard()
			t.Errorf("%s: got no error", name)
			continue
		}
		if text := err.Error(); !strings.HasPrefix(text, "writing the report to ") || strings.Contains(text, ".m2m-report") {
			t.Errorf("%s: got error %q", name, text)
		}
	}
	only(t, dir, "file")
}

func TestAReadOnlyReportIsRefused(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("nothing is read-only for root")
	}
	path := filepath.Join(t.TempDir(), "junit.xml")
	if err := os.WriteFile(path, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	if junit, err := report.NewJUnit(path, report.Suite{}); err == nil {
		junit.Discard()
		t.Error("got no error for a file that cannot be written")
	}
}

func TestADirectoryThatIsGone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "reports")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	junit := begin(t, filepath.Join(dir, "junit.xml"))
	if err := os.RemoveAll(dir); err != nil {
		t.Skip("an open file keeps its directory here")
	}
	junit.Case(report.JUnitCase{Name: "a"})
	err := junit.Close()
	if err == nil || strings.Count(err.Error(), "writing the report") != 1 {
		t.Errorf("got error %v, want one that says so once", err)
	}
	if again := junit.Close(); !errors.Is(again, err) {
		t.Errorf("got error %v from the second Close, want %v", again, err)
	}
}

func TestADirectoryInItsPlace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "junit.xml")
	junit := begin(t, path)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := junit.Close(); err == nil || strings.Contains(err.Error(), ".m2m-report") {
		t.Errorf("got error %v, want one that names no file but the report", err)
	}
	only(t, filepath.Dir(path), "junit.xml")
}

func TestALinkStaysALink(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), t.TempDir()
	file, link := filepath.Join(elsewhere, "real.xml"), filepath.Join(dir, "junit.xml")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Skip(err)
	}
	if err := begin(t, link).Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("got %v and %v, want a link", info, err)
	}
	if got := contents(t, file); !strings.Contains(got, "<testsuites") {
		t.Errorf("got %q behind the link", got)
	}
	only(t, dir, "junit.xml")
	only(t, elsewhere, "real.xml")
}

func TestAPipeIsWrittenInto(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a pipe has no path here")
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	path := filepath.Join(t.TempDir(), "pipe")
	if err := os.Symlink(filepath.Join("/dev/fd", fileNumber(writer)), path); err != nil {
		t.Fatal(err)
	}
	junit := begin(t, path)
	junit.Case(report.JUnitCase{Name: "a"})
	if err := junit.Close(); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(reader)
	if err != nil || !bytes.HasSuffix(got, []byte("</testsuites>\n")) {
		t.Errorf("got %q and %v", got, err)
	}
}

// TestStandardOutputInAFile does what m2m … --report junit=/dev/stdout > FILE does.
func TestStandardOutputInAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if _, err := file.WriteString("said before\n"); err != nil {
		t.Fatal(err)
	}
	device := filepath.Join("/dev/fd", fileNumber(file))
	if _, err := os.Stat(device); err != nil {
		t.Skip(err)
	}
	if err := begin(t, device).Close(); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, path); !strings.HasPrefix(got, "said before\n<?xml") {
		t.Errorf("got %q", got)
	}
	only(t, filepath.Dir(path), "out")
}
