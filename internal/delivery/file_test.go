package delivery_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// openFile opens a file of records that is closed at the end of the test.
func openFile(tb testing.TB, name string) (file *delivery.File, torn int64) {
	tb.Helper()
	file, torn, err := delivery.OpenFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := file.Close(); err != nil {
			tb.Error(err)
		}
	})
	return file, torn
}

func readFile(tb testing.TB, name string) string {
	tb.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}

func TestOpenFileMendsTheEnd(t *testing.T) {
	t.Parallel()
	torn := small("b")[:45]
	long := `{"type":"delivery","id":"` + strings.Repeat("x", 200<<10)
	cases := map[string]struct {
		before string
		after  string
		torn   int64
	}{
		"an empty file":                {"", "", 0},
		"whole lines":                  {small("a") + "\n", small("a") + "\n", 0},
		"a record without its newline": {small("a") + "\n" + small("b"), small("a") + "\n" + small("b") + "\n", 0},
		"a torn line":                  {small("a") + "\n" + torn, small("a") + "\n", int64(len(torn))},
		"a torn line alone":            {torn, "", int64(len(torn))},
		"torn after one byte":          {small("a") + "\n{", small("a") + "\n", 1},
		"torn inside the type":         {small("a") + "\n" + `{"type":"del`, small("a") + "\n", 12},
		"a torn line of many blocks":   {small("a") + "\n" + long, small("a") + "\n", int64(len(long))},
		"another type, whole":          {`{"type":"ready"}` + "\n", `{"type":"ready"}` + "\n", 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "deliveries.ndjson")
			if err := os.WriteFile(path, []byte(c.before), 0o600); err != nil {
				t.Fatal(err)
			}
			file, torn := openFile(t, path)
			if torn != c.torn {
				t.Errorf("got %d bytes cut off, want %d", torn, c.torn)
			}
			if err := file.Append(delivery.Record{ID: "new"}); err != nil {
				t.Fatal(err)
			}
			if got, want := readFile(t, path), c.after+small("new")+"\n"; got != want {
				t.Errorf("got  %.300q\nwant %.300q", got, want)
			}
		})
	}
}

func TestOpenFileLeavesForeignFilesAlone(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"notes without a last newline": "buy milk\nbuy bread",
		"other JSON, torn":             `{"type":"ready","url`,
		"a key":                        "secret",
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := delivery.OpenFile(path); !errors.Is(err, delivery.ErrForeignFile) {
			t.Errorf("%s: got error %v, want %v", name, err, delivery.ErrForeignFile)
		}
		if got := readFile(t, path); got != content {
			t.Errorf("%s: got %q, want it untouched", name, got)
		}
	}
}

func TestOpenFileOfADirectory(t *testing.T) {
	t.Parallel()
	if _, _, err := delivery.OpenFile(t.TempDir()); err == nil {
		t.Error("a directory was opened")
	}
}

func TestNewFileIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deliveries.ndjson")
	openFile(t, path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("got mode %o, want 600", got)
	}
}

func TestFileTakesADevice(t *testing.T) {
	t.Parallel()
	file, _ := openFile(t, os.DevNull)
	if err := file.Append(whole()); err != nil {
		t.Error(err)
	}
}

func TestAppendTellsThatItCouldNotWrite(t *testing.T) {
	t.Parallel()
	file, _, err := delivery.OpenFile(filepath.Join(t.TempDir(), "deliveries.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Append(whole()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got error %v, want %v", err, os.ErrClosed)
	}
}

func TestAppendKeepsLinesWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deliveries.ndjson")
	file, _ := openFile(t, path)
	var want []string
	var writers sync.WaitGroup
	for i := range 50 {
		id := fmt.Sprintf("%02d", i)
		want = append(want, id)
		writers.Go(func() {
			body := []byte(strings.Repeat(id, 10<<10))
			record := delivery.Record{ID: id, Request: delivery.Request{Body: body}}
			if err := file.Append(record); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	var got []string
	for _, read := range readAll(t, strings.NewReader(readFile(t, path))) {
		_, id, _ := strings.Cut(read, " ")
		got = append(got, id)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
