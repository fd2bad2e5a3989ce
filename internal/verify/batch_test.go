package verify_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/verify"
)

// TestBatchKeepsTheOrder mixes what a worker is done with at once with what takes it
// long, in blocks of a few lines and in records of their own.
func TestBatchKeepsTheOrder(t *testing.T) {
	t.Parallel()
	const count = 5000
	right := signed(t, body(0))
	forged, unsigned, twice := right, right, right
	forged.Request.Body = []byte(body(1))
	unsigned.Request.Headers = nil
	twice.Request.Headers = append(slices.Clone(twice.Request.Headers), delivery.Header{Name: "X-M2M-Signature", Value: zeros})
	heavy := signed(t, `{"event":"`+strings.Repeat("x", 100_000)+`"}`)
	kinds := []struct{ line, told string }{
		{lineOf(t, right), "valid f:%d"},
		{lineOf(t, forged), "signature_mismatch f:%d"},
		{lineOf(t, unsigned), "missing_signature f:%d"},
		{lineOf(t, twice), "malformed_signature f:%d"},
		{"\n", ""},
		{" \t\r\n", ""},
		{`{"type":"ready","url":"u"}` + "\n", ""},
		{"{\"type\":\n", "fault f: line %d"},
	}
	var text strings.Builder
	var all, bad []string
	var checked, invalid int64
	for n := 1; n <= count; n++ {
		kind := kinds[n*7919%31%len(kinds)]
		if n%1500 == 0 {
			kind.line, kind.told = lineOf(t, heavy), "valid f:%d"
		}
		text.WriteString(kind.line)
		if kind.told == "" {
			continue
		}
		told := fmt.Sprintf(kind.told, n)
		all = append(all, told)
		switch {
		case strings.HasPrefix(told, "valid"):
			checked++
			continue
		case !strings.HasPrefix(told, "fault"):
			checked++
			invalid++
		}
		bad = append(bad, told)
	}
	for n := range 200 {
		all = append(all, fmt.Sprintf("valid one:%d", n))
	}
	checked += 200
	for _, c := range []struct {
		name string
		all  bool
		want []string
	}{
		{"all", true, all},
		{"those that are not good", false, bad},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var s story
			b := verify.NewBatch(newJudge(t, 0), s.options(c.all))
			must(t, b.Lines(t.Context(), "f", delivery.NewBlocks(inPieces(text.String(), 5000))))
			for n := range 200 {
				must(t, b.Record(t.Context(), fmt.Sprintf("one:%d", n), right))
			}
			must(t, b.End())
			checkStory(t, c.want, slices.DeleteFunc(s.told, func(line string) bool { return line == "several" }))
			checkCount(t, b, checked, invalid)
		})
	}
}

func TestBatchTellsTheOnlyDelivery(t *testing.T) {
	t.Parallel()
	good, bad := signed(t, body(1)), record(timestamp, zeros, body(2))
	blank, other := "\n \n", `{"type":"ready"}`+"\n"
	for name, c := range map[string]struct {
		lines string
		want  []string
	}{
		"nothing":                              {"", nil},
		"a good one":                           {lineOf(t, good), []string{"valid f:1"}},
		"a good one among what is no delivery": {blank + other + lineOf(t, good) + other + blank, []string{"valid f:4"}},
		"a good one before a broken line":      {lineOf(t, good) + "{\n", []string{"valid f:1", "fault f: line 2: not JSON"}},
		"a bad one":                            {lineOf(t, bad), []string{"signature_mismatch f:1"}},
		"two good ones":                        {lineOf(t, good) + lineOf(t, good), []string{"several"}},
		"a good one and a bad one":             {lineOf(t, good) + lineOf(t, bad), []string{"several", "signature_mismatch f:2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s story
			b := verify.NewBatch(newJudge(t, 0), s.options(false))
			addLines(t, b, "f", c.lines)
			must(t, b.End())
			checkStory(t, c.want, s.told)
		})
	}
}

// TestBatchSaysOnceThatThereAreSeveral has the second delivery come long after the
// first was told.
func TestBatchSaysOnceThatThereAreSeveral(t *testing.T) {
	t.Parallel()
	var s story
	b := verify.NewBatch(newJudge(t, 0), s.options(true))
	for n := range 3 {
		told := make(chan struct{})
		must(t, b.Record(t.Context(), fmt.Sprint(n), signed(t, body(n))))
		must(t, b.After(t.Context(), func(int64) error { close(told); return nil }))
		<-told
	}
	must(t, b.End())
	checkStory(t, []string{"valid 0", "several", "valid 1", "valid 2"}, s.told)
}

// TestBatchSaysSeveralBeforeTheFirstOfABlock has both come at once.
func TestBatchSaysSeveralBeforeTheFirstOfABlock(t *testing.T) {
	t.Parallel()
	var s story
	b := verify.NewBatch(newJudge(t, 0), s.options(true))
	addLines(t, b, "f", lineOf(t, signed(t, body(1)))+lineOf(t, signed(t, body(2))))
	must(t, b.End())
	checkStory(t, []string{"several", "valid f:1", "valid f:2"}, s.told)
}

func TestBatchDoesWhatComesAfterInItsPlace(t *testing.T) {
	t.Parallel()
	var s story
	b := verify.NewBatch(explaining(t), s.options(false))
	good := lineOf(t, signed(t, body(1)))
	// What stays unexplained waits, and all that comes after it.
	unexplained := lineOf(t, record(timestamp, zeros, body(2)))
	must(t, b.After(t.Context(), s.after))
	addLines(t, b, "a", strings.Repeat(good, 1000)+unexplained)
	must(t, b.After(t.Context(), s.after))
	must(t, b.Fault(t.Context(), "b", errors.New("line 1: it is none")))
	must(t, b.After(t.Context(), s.after))
	addLines(t, b, "c", unexplained+strings.Repeat(good, 1000))
	must(t, b.After(t.Context(), s.after))
	must(t, b.End())
	checkStory(t, []string{
		"after 0", "several", "signature_mismatch a:1001", "after 1001", "fault b: line 1", "after 1001",
		"signature_mismatch c:1", "after 2002",
	}, s.told)
	checkCount(t, b, 2002, 2)
}

// TestBatchTellsOfALongLineInItsPlace also ends the stream in a torn line.
func TestBatchTellsOfALongLineInItsPlace(t *testing.T) {
	t.Parallel()
	bad := lineOf(t, record(timestamp, zeros, body(1)))
	in := io.MultiReader(strings.NewReader(bad), io.LimitReader(letters{}, delivery.MaxLine), strings.NewReader("\n"+bad+`{"type":"deliv`))
	var torn *delivery.LineError
	var s story
	options := s.options(true)
	options.Fault = func(name string, err error) error {
		if !errors.As(err, &torn) {
			t.Errorf("got %v, want a LineError", err)
		}
		return s.tell("fault %s: %v", name, err)
	}
	b := verify.NewBatch(newJudge(t, 0), options)
	must(t, b.Lines(t.Context(), "f", delivery.NewBlocks(in)))
	must(t, b.End())
	want := []string{
		"signature_mismatch f:1", "fault f: line 2: longer than 32 MiB", "several", "signature_mismatch f:3", "fault f: line 4: cut off",
	}
	if diff := cmp.Diff(want, s.told); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if torn == nil || !torn.Torn || torn.Line != 4 {
		t.Errorf("got %+v, want line 4, torn", torn)
	}
}

// TestBatchTellsOfAStreamThatFails reads up to there.
func TestBatchTellsOfAStreamThatFails(t *testing.T) {
	t.Parallel()
	failing, writer := io.Pipe()
	go func() {
		_, _ = io.WriteString(writer, lineOf(t, record(timestamp, zeros, body(1)))+`{"type":"del`)
		_ = writer.CloseWithError(errors.New("the disk is gone"))
	}()
	var s story
	b := verify.NewBatch(newJudge(t, 0), s.options(true))
	must(t, b.Lines(t.Context(), "f", delivery.NewBlocks(failing)))
	must(t, b.End())
	if diff := cmp.Diff([]string{"signature_mismatch f:1", "fault f: the disk is gone"}, s.told); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBatchChecksSchemas(t *testing.T) {
	t.Parallel()
	judge := newJudge(t, 0)
	judge.Schema = func(payload []byte) []verify.SchemaError {
		if strings.Contains(string(payload), "link_2") {
			return []verify.SchemaError{{Path: "data.linkId", Message: "is 2"}}
		}
		return nil
	}
	var s story
	b := verify.NewBatch(judge, s.options(false))
	addLines(t, b, "f", lineOf(t, signed(t, body(1)))+lineOf(t, signed(t, body(2)))+lineOf(t, signed(t, body(3))))
	must(t, b.End())
	checkStory(t, []string{"several", "valid f:2"}, s.told)
	// A payload that does not fit has a valid signature all the same.
	checkCount(t, b, 3, 0)
	if got := s.results[0]; got.Good() || len(got.SchemaErrors) != 1 || got.SchemaErrors[0].Path != "data.linkId" {
		t.Errorf("got %+v", got)
	}
}
