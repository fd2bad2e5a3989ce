package verify_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/diagnose"
	"github.com/leapfinancial/m2m/internal/verify"
)

// reach is how far a batch looks for the delivery that a signature belongs to.
const reach = 8192

// story is what a batch told, a line each, in the order in which it did.
type story struct {
	told    []string
	results []verify.Result
	// broken, where it is given, is asked after each line for the error to return.
	broken func(line string) error
}

func (s *story) tell(format string, args ...any) error {
	line := fmt.Sprintf(format, args...)
	s.told = append(s.told, line)
	if s.broken == nil {
		return nil
	}
	return s.broken(line)
}

func (s *story) options(all bool) verify.BatchOptions {
	return verify.BatchOptions{
		All: all,
		Found: func(r verify.Result) error {
			s.results = append(s.results, r)
			return s.tell("%s %s", word(r), r.Source)
		},
		Several: func() error { return s.tell("several") },
		Fault:   func(name string, err error) error { return s.tell("fault %s: %v", name, err) },
	}
}

func (s *story) after(checked int64) error { return s.tell("after %d", checked) }

func word(r verify.Result) string {
	if r.Verdict.Valid() {
		return "valid"
	}
	return string(r.Verdict.Reason)
}

// explaining returns a judge that says why.
func explaining(tb testing.TB) verify.Judge {
	tb.Helper()
	judge := newJudge(tb, 0)
	judge.Diagnoser = diagnose.New(judge.Keys, nil)
	return judge
}

// body is the n-th delivery's.
func body(n int) string {
	return fmt.Sprintf(`{"event":"link.opened","data":{"linkId":"link_%d"}}`, n)
}

// signed returns the record of a body with its own signature.
func signed(tb testing.TB, body string) delivery.Record {
	tb.Helper()
	return record(timestamp, newKey(tb, "new").Sign(timestamp, []byte(body)), body)
}

func lineOf(tb testing.TB, record delivery.Record) string {
	tb.Helper()
	line, err := record.Line()
	if err != nil {
		tb.Fatal(err)
	}
	return string(line)
}

// inPieces gives a stream that comes in pieces of some bytes, as from a network.
func inPieces(text string, size int) io.Reader { return &pieces{strings.NewReader(text), size} }

type pieces struct {
	in   io.Reader
	size int
}

func (p *pieces) Read(buf []byte) (int, error) { return p.in.Read(buf[:min(len(buf), p.size)]) }

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func addLines(tb testing.TB, b *verify.Batch, name, text string) {
	tb.Helper()
	must(tb, b.Lines(tb.Context(), name, delivery.NewBlocks(strings.NewReader(text))))
}

func checkCount(tb testing.TB, b *verify.Batch, checked, invalid int64) {
	tb.Helper()
	if c, i := b.Count(); c != checked || i != invalid {
		tb.Errorf("counted %d checked, %d invalid; want %d, %d", c, i, checked, invalid)
	}
}

// checkStory compares, but for what a fault says after its line.
func checkStory(tb testing.TB, want, got []string) {
	tb.Helper()
	if diff := cmp.Diff(places(want), places(got)); diff != "" {
		tb.Errorf("(-want +got):\n%s", diff)
	}
}

func places(told []string) []string {
	var short []string
	for _, line := range told {
		if strings.HasPrefix(line, "fault ") {
			if parts := strings.SplitN(line, ": ", 3); len(parts) == 3 {
				line = parts[0] + ": " + parts[1]
			}
		}
		short = append(short, line)
	}
	return short
}

// letters is an endless line.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
