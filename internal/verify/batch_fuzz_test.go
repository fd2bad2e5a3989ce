package verify_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/verify"
)

// FuzzBatch: whatever the lines are, all cores together find what one reader and one
// judge find, in the same order.
func FuzzBatch(f *testing.F) {
	good, bad := lineOf(f, signed(f, body(1))), lineOf(f, record(timestamp, zeros, body(2)))
	for _, seed := range []string{
		"", "\n", good, bad, good + bad, good + "{\n" + bad, `{"type":"ready"}` + "\n" + good, good + good[:len(good)/2],
		"\xef\xbb\xbf" + good, strings.ReplaceAll(good, "\n", "\r\n"), good + "\n \t\n" + bad + "x", bad[:len(bad)-1], "[]\n" + good,
		strings.ReplaceAll(bad, ":", " : "), strings.ReplaceAll(good, "X-M2M", "x-m2m"), strings.Replace(good, `"body":`, `"bodyBase64":`, 1),
	} {
		f.Add([]byte(seed), 3)
		f.Add([]byte(seed), 5000)
	}
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		if size < 1 || size > 10_000 {
			t.Skip("pieces have a length")
		}
		var got story
		b := verify.NewBatch(newJudge(t, 0), verify.BatchOptions{
			All:     true,
			Several: func() error { return nil },
			Found:   func(r verify.Result) error { return got.tell("%s", about(r)) },
			Fault:   got.options(true).Fault,
		})
		must(t, b.Lines(t.Context(), "f", delivery.NewBlocks(inPieces(string(text), size))))
		must(t, b.End())
		checkStory(t, oneByOne(t, text), got.told)
	})
}

// about is what a result says.
func about(r verify.Result) string {
	return fmt.Sprintf("%s %s %q %q %q %q %s", word(r), r.Source, r.Event, r.NamedEvent, r.Payload, r.Received, r.Verdict.Computed)
}

// oneByOne is the story of lines that are read and judged one after the other.
func oneByOne(t *testing.T, text []byte) (told []string) {
	t.Helper()
	reader, judge := delivery.NewReader(strings.NewReader(string(text))), newJudge(t, 0)
	for {
		record, line, err := reader.Next()
		var fault *delivery.LineError
		switch {
		case errors.Is(err, io.EOF):
			return told
		case errors.As(err, &fault):
			told = append(told, fmt.Sprintf("fault f: %v", err))
			if fault.Torn {
				return told
			}
		case err != nil:
			t.Fatal(err)
		default:
			told = append(told, about(judge.Record(fmt.Sprintf("f:%d", line), record)))
		}
	}
}
