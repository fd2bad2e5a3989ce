package delivery_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// readLines tells what Blocks returns until the end, one text each: "3 text" for
// line 3, with a "!" after it when it is torn, or the error.
func readLines(tb testing.TB, in io.Reader) []string {
	tb.Helper()
	var all []string
	blocks := delivery.NewBlocks(in)
	for range 1000 {
		block, err := blocks.Next()
		var tooLong *delivery.LineError
		switch {
		case errors.Is(err, io.EOF):
			return all
		case errors.As(err, &tooLong):
			all = append(all, err.Error())
			continue
		case err != nil:
			if _, again := blocks.Next(); !errors.Is(again, err) {
				tb.Errorf("got %v after %v, want the same", again, err)
			}
			return append(all, "reader: "+err.Error())
		}
		for text, line, ok := block.NextLine(); ok; text, line, ok = block.NextLine() {
			told := fmt.Sprintf("%d %s", line, text)
			if block.Torn {
				told += "!"
			}
			all = append(all, told)
		}
		blocks.Recycle(block)
	}
	tb.Fatal("the blocks do not come to an end")
	return nil
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"nothing":                         {"", nil},
		"lines":                           {"a\nb\n", []string{"1 a", "2 b"}},
		"blank lines":                     {"\n\na\n\n", []string{"1 ", "2 ", "3 a", "4 "}},
		"a torn line":                     {"a\nb", []string{"1 a", "2 b!"}},
		"a torn line alone":               {"a", []string{"1 a!"}},
		"CRLF is the caller's":            {"a\r\n", []string{"1 a\r"}},
		"a byte order mark":               {"\ufeffa\n\ufeffb\n", []string{"1 a", "2 \ufeffb"}},
		"a byte order mark alone":         {"\ufeff", nil},
		"a byte order mark, and the end":  {"\ufeffa", []string{"1 a!"}},
		"a byte order mark, and no text":  {"\ufeff\na\n", []string{"1 ", "2 a"}},
		"two byte order marks, one taken": {"\ufeff\ufeffa\n", []string{"1 \ufeffa"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for how, in := range map[string]io.Reader{
				"at once":            strings.NewReader(c.text),
				"byte by byte":       iotest.OneByteReader(strings.NewReader(c.text)),
				"in halves":          iotest.HalfReader(strings.NewReader(c.text)),
				"with pauses":        &pausing{in: strings.NewReader(c.text)},
				"the end with bytes": iotest.DataErrReader(strings.NewReader(c.text)),
			} {
				if diff := cmp.Diff(c.want, readLines(t, in)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", how, diff)
				}
			}
		})
	}
}

func TestBlocksTellTheReadersErrorLast(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	in := io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken))
	if diff := cmp.Diff([]string{"1 a", "reader: the disk is gone"}, readLines(t, in)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := delivery.NewBlocks(stuck{}).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v from a reader that reads nothing, want %v", err, io.ErrNoProgress)
	}
}

// pausing reads nothing every other time, as a reader may.
type pausing struct {
	in     io.Reader
	paused bool
}

func (p *pausing) Read(text []byte) (int, error) {
	if p.paused = !p.paused; p.paused {
		return 0, nil
	}
	return p.in.Read(text)
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// TestBlocksGoOnAfterAnOverlongLine has lines before and after it in the same reads.
func TestBlocksGoOnAfterAnOverlongLine(t *testing.T) {
	t.Parallel()
	const tooLong = "longer than 32 MiB"
	long := func() io.Reader { return &filler{left: delivery.MaxLine} }
	text := func(text string) io.Reader { return strings.NewReader(text) }
	for name, c := range map[string]struct {
		in   io.Reader
		want []string
	}{
		"between others": {io.MultiReader(text("a\nb\n"), long(), text("\nc\nd\n")), []string{"1 a", "2 b", "line 3: " + tooLong, "4 c", "5 d"}},
		"two of them":    {io.MultiReader(long(), text("\n"), long(), text("\nc")), []string{"line 1: " + tooLong, "line 2: " + tooLong, "3 c!"}},
		"without an end": {io.MultiReader(text("a\n"), long(), text("x")), []string{"1 a", "line 2: " + tooLong}},
	} {
		if diff := cmp.Diff(c.want, readLines(t, c.in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestBlocksFollowAWriter wants a line as soon as it is there, and not when a block
// is full or the writer has gone.
func TestBlocksFollowAWriter(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	blocks := delivery.NewBlocks(in)
	done := make(chan error, 1)
	go func() {
		_, err := io.WriteString(out, "a\nb\nthe rest")
		done <- err
	}()
	block, err := blocks.Next()
	if err != nil || string(block.Text) != "a\nb\n" {
		t.Fatalf("got %+v and %v, want the two lines", block, err)
	}
	if err := errors.Join(<-done, out.Close()); err != nil {
		t.Fatal(err)
	}
	block, err = blocks.Next()
	if err != nil || string(block.Text) != "the rest" || block.Line != 3 || !block.Torn {
		t.Errorf("got %+v and %v, want the torn rest, line 3", block, err)
	}
}

// TestBlocksBelongToTheCaller judges blocks on several goroutines while more are
// read, as a batch does: no block may change under its reader, and every line comes
// once.
func TestBlocksBelongToTheCaller(t *testing.T) {
	t.Parallel()
	const lines = 40_000
	var text strings.Builder
	for line := 1; line <= lines; line++ {
		fmt.Fprintf(&text, "%d %s\n", line, strings.Repeat("x", line%97))
	}
	blocks := delivery.NewBlocks(strings.NewReader(text.String()))
	work := make(chan *delivery.Block, 4)
	var seen sync.Map
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for block := range work {
				for text, line, ok := block.NextLine(); ok; text, line, ok = block.NextLine() {
					if want := fmt.Sprintf("%d %s", line, strings.Repeat("x", line%97)); string(text) != want {
						t.Errorf("got %q, want %q", text, want)
					}
					if _, twice := seen.LoadOrStore(line, true); twice {
						t.Errorf("line %d came twice", line)
					}
				}
				blocks.Recycle(block)
			}
		})
	}
	for {
		block, err := blocks.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Error(err)
			break
		}
		work <- block
	}
	close(work)
	workers.Wait()
	if _, ok := seen.Load(lines); !ok {
		t.Errorf("line %d did not come", lines)
	}
}

// TestBlocksTakeConstantMemory is not parallel: it counts the process's memory.
func TestBlocksTakeConstantMemory(t *testing.T) {
	const size = 64 << 20
	line := strings.Repeat("x", 1023) + "\n"
	blocks := delivery.NewBlocks(io.LimitReader(&repeated{text: line}, size))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	read := 0
	for {
		block, err := blocks.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		read += len(block.Text)
		blocks.Recycle(block)
	}
	runtime.ReadMemStats(&after)
	if read != size {
		t.Errorf("got %d bytes, want %d", read, size)
	}
	if taken := after.TotalAlloc - before.TotalAlloc; taken > size/16 {
		t.Errorf("got %d KiB of memory for %d KiB of lines", taken>>10, size>>10)
	}
}

// repeated gives the same text again and again.
type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) {
		copied := copy(p[n:], r.text[r.at:])
		n, r.at = n+copied, (r.at+copied)%len(r.text)
	}
	return n, nil
}
