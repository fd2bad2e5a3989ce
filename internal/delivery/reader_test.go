package delivery_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// small returns the line of a record with that id, without its newline.
func small(id string) string {
	return fmt.Sprintf(`{"type":"delivery","id":%q,"request":{"headers":[],"body":""}}`, id)
}

// readAll tells what a Reader returns until the end, one text each: "3 id" for a
// record on line 3, or the error.
func readAll(tb testing.TB, in io.Reader) []string {
	tb.Helper()
	var all []string
	for reader := delivery.NewReader(in); len(all) < 100; {
		record, number, err := reader.Next()
		var bad *delivery.LineError
		switch {
		case errors.Is(err, io.EOF):
			return all
		case errors.As(err, &bad):
			if bad.Line != number {
				tb.Errorf("the error is of line %d, and Next says %d", bad.Line, number)
			}
			all = append(all, err.Error())
		case err != nil:
			return append(all, "reader: "+err.Error())
		default:
			all = append(all, fmt.Sprintf("%d %s", number, record.ID))
		}
	}
	tb.Fatal("the reader does not come to an end")
	return nil
}

func TestReader(t *testing.T) {
	t.Parallel()
	const notJSON = "not JSON: column 1: invalid character 'h' looking for beginning of value"
	ready := `{"type":"ready","url":"http://localhost:3000/webhooks/m2m","secret":"sha256:3f9a1c22"}`
	cases := map[string]struct {
		text string
		want []string
	}{
		"nothing":                       {"", nil},
		"a newline alone":               {"\n", nil},
		"two records":                   {small("a") + "\n" + small("b") + "\n", []string{"1 a", "2 b"}},
		"no newline after the last":     {small("a") + "\n" + small("b"), []string{"1 a", "2 b"}},
		"CRLF line ends":                {small("a") + "\r\n" + small("b") + "\r\n", []string{"1 a", "2 b"}},
		"blank lines":                   {"\n \t\n" + small("a") + "\n\r\n\n" + small("b") + "\n\n", []string{"3 a", "6 b"}},
		"spaces around a record":        {"  " + small("a") + " \n", []string{"1 a"}},
		"a byte order mark":             {"\ufeff" + small("a") + "\n", []string{"1 a"}},
		"a byte order mark alone":       {"\ufeff", nil},
		"records of other types":        {ready + "\n" + small("a") + "\n" + `{"type":"x","request":0}` + "\n", []string{"2 a"}},
		"a broken line, and reading on": {small("a") + "\nhello\n" + small("b") + "\n", []string{"1 a", "line 2: " + notJSON, "3 b"}},
		"the first line broken":         {"hello\n" + small("b") + "\n", []string{"line 1: " + notJSON, "2 b"}},
		"the last line broken":          {small("a") + "\nhello\n", []string{"1 a", "line 2: " + notJSON}},
		"the last line torn":            {small("a") + "\n" + small("b")[:40], []string{"1 a", "line 2: cut off"}},
		"torn inside a rune":            {small("a") + "\n" + `{"type":"delivery","id":"é`[:25], []string{"1 a", "line 2: cut off"}},
		"the only line torn":            {"{", []string{"line 1: cut off"}},
		"NUL bytes":                     {"\x00\x00\n" + small("a") + "\n", []string{"line 1: not JSON: column 1: invalid character '\\x00' looking for beginning of value", "2 a"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, readAll(t, strings.NewReader(c.text))); diff != "" {
				t.Errorf("at once (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.want, readAll(t, iotest.OneByteReader(strings.NewReader(c.text)))); diff != "" {
				t.Errorf("byte by byte (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReaderTornLineTellsItsCause(t *testing.T) {
	t.Parallel()
	_, _, err := delivery.NewReader(strings.NewReader("{")).Next()
	var bad *delivery.LineError
	if !errors.As(err, &bad) || !bad.Torn || bad.Err == nil || !errors.Is(err, bad.Err) {
		t.Errorf("got %#v, want a torn line with its cause", err)
	}
}

func TestReaderPassesOnTheReadersError(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	in := io.MultiReader(strings.NewReader(small("a")+"\n"+small("b")), iotest.ErrReader(broken))
	want := []string{"1 a", "reader: the disk is gone"}
	if diff := cmp.Diff(want, readAll(t, in)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReaderBeginsWithWhatIsBuffered(t *testing.T) {
	t.Parallel()
	in := bufio.NewReaderSize(strings.NewReader(small("a")+"\n"+small("b")+"\n"), 16)
	if _, err := in.Peek(10); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1 a", "2 b"}, readAll(t, in)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// filler gives so many bytes from next to no memory.
type filler struct{ left int64 }

func (f *filler) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), f.left)]
	f.left -= int64(len(p))
	const block = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	for rest := p; len(rest) > 0; {
		rest = rest[copy(rest, block):]
	}
	return len(p), nil
}

// TestReaderNeverHoldsAnOverlongLine is not parallel: it counts the process's
// memory.
func TestReaderNeverHoldsAnOverlongLine(t *testing.T) {
	const giant = 256 << 20
	in := io.MultiReader(
		strings.NewReader(small("a")+"\n"), &filler{left: giant}, strings.NewReader("\n"+small("b")+"\n"),
	)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	want := []string{"1 a", "line 2: longer than 32 MiB", "3 b"}
	if diff := cmp.Diff(want, readAll(t, in)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	runtime.ReadMemStats(&after)
	// All that was ever taken, so the growing of the buffer counts, too.
	if taken := after.TotalAlloc - before.TotalAlloc; taken > giant*3/4 {
		t.Errorf("got %d MiB of memory for a line of %d MiB", taken>>20, giant>>20)
	}
}

// TestReaderTakesTheLongestLine finds the limit, which counts the newline, by what
// is said of lines that are no JSON either way.
func TestReaderTakesTheLongestLine(t *testing.T) {
	t.Parallel()
	const notJSON = "line 1: not JSON: column 1: invalid character 'x' looking for beginning of value"
	const tooLong = "line 1: longer than 32 MiB"
	cases := map[string]struct {
		filling int64
		end     string
		want    string
	}{
		"as long as can be":         {delivery.MaxLine - 1, "\n", notJSON},
		"a byte longer":             {delivery.MaxLine, "\n", tooLong},
		"a byte longer, and no end": {delivery.MaxLine + 1, "", tooLong},
	}
	for name, c := range cases {
		in := io.MultiReader(&filler{left: c.filling}, strings.NewReader(c.end))
		if diff := cmp.Diff([]string{c.want}, readAll(t, in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
