package verify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/diagnose"
	"github.com/leapfinancial/m2m/internal/verify"
)

// swapped returns a delivery with the signature of another one's body.
func swapped(tb testing.TB, own, other string) delivery.Record {
	tb.Helper()
	return record(timestamp, newKey(tb, "new").Sign(timestamp, []byte(other)), own)
}

// filler is that many good deliveries, a line each.
func filler(tb testing.TB, count int) string {
	tb.Helper()
	return strings.Repeat(lineOf(tb, signed(tb, "{}")), count)
}

// causes returns what a batch said of those that are not valid.
func causes(s story) []string {
	var got []string
	for _, r := range s.results {
		if !r.Verdict.Valid() {
			got = append(got, fmt.Sprintf("%s %s %s", r.Source, r.Diagnosis.Cause(), r.Diagnosis.Message()))
		}
	}
	return got
}

// TestBatchFindsTheOwnerOfASignature puts it before and behind, near and far.
func TestBatchFindsTheOwnerOfASignature(t *testing.T) {
	t.Parallel()
	owner, thief := lineOf(t, signed(t, body(1))), lineOf(t, swapped(t, body(2), body(1)))
	old := newKey(t, "old").Sign(timestamp, []byte(body(1)))
	const of = "other-delivery the signature is that of another delivery, "
	for name, c := range map[string]struct {
		lines string
		all   bool
		want  []string
	}{
		"an earlier one":                {owner + thief, false, []string{"f:2 " + of + "f:1"}},
		"a later one":                   {thief + owner, false, []string{"f:1 " + of + "f:2"}},
		"a later one, when all is told": {thief + owner, true, []string{"f:1 " + of + "f:2"}},
		"two of the same":               {thief + owner + thief, false, []string{"f:1 " + of + "f:2", "f:3 " + of + "f:2"}},
		"two that wait for the same":    {thief + thief + owner, true, []string{"f:1 " + of + "f:3", "f:2 " + of + "f:3"}},
		"an earlier one, blocks away":   {owner + filler(t, 5000) + thief, false, []string{"f:5002 " + of + "f:1"}},
		"a later one, blocks away":      {thief + filler(t, 5000) + owner, true, []string{"f:1 " + of + "f:5002"}},
		"the last that is within reach": {owner + filler(t, reach-2) + thief, false, []string{"f:8192 " + of + "f:1"}},
		"that of an old secret":         {lineOf(t, record(timestamp, old, body(1))) + lineOf(t, record(timestamp, old, body(2))), false, []string{"f:2 " + of + "f:1"}},
		"two that were swapped":         {lineOf(t, swapped(t, body(2), body(1))) + lineOf(t, swapped(t, body(1), body(2))), false, []string{"f:1 " + of + "f:2", "f:2 " + of + "f:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s story
			b := verify.NewBatch(explaining(t), s.options(c.all))
			addLines(t, b, "f", c.lines)
			must(t, b.End())
			if diff := cmp.Diff(c.want, causes(s)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBatchFindsTheOwnerInAnotherFile(t *testing.T) {
	t.Parallel()
	var s story
	b := verify.NewBatch(explaining(t), s.options(false))
	must(t, b.Record(t.Context(), "a.http", swapped(t, body(1), body(2))))
	must(t, b.Record(t.Context(), "b.http", signed(t, body(2))))
	must(t, b.Record(t.Context(), "c.http", swapped(t, body(3), body(2))))
	addLines(t, b, "d", lineOf(t, swapped(t, body(4), body(2))))
	must(t, b.End())
	const of = " other-delivery the signature is that of another delivery, b.http"
	if diff := cmp.Diff([]string{"a.http" + of, "c.http" + of, "d:1" + of}, causes(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestBatchLooksNoFartherThanItsReach has the owner of a signature beyond it.
func TestBatchLooksNoFartherThanItsReach(t *testing.T) {
	t.Parallel()
	owner, thief := lineOf(t, signed(t, body(1))), lineOf(t, swapped(t, body(2), body(1)))
	for name, lines := range map[string]string{
		"before": owner + filler(t, reach) + thief,
		"behind": thief + filler(t, 3*reach) + owner,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s story
			b := verify.NewBatch(explaining(t), s.options(true))
			addLines(t, b, "f", lines)
			must(t, b.End())
			if got := causes(s); len(got) != 1 || !strings.Contains(got[0], " unknown ") {
				t.Errorf("got %q, want one that is unknown", got)
			}
		})
	}
}

// TestBatchPrefersAnotherDeliveryToNothingElse gives a true cause, which stays.
func TestBatchPrefersAnotherDeliveryToNothingElse(t *testing.T) {
	t.Parallel()
	var s story
	b := verify.NewBatch(explaining(t), s.options(false))
	addLines(t, b, "f", lineOf(t, signed(t, body(1)))+lineOf(t, swapped(t, body(3)+"\n", body(3))))
	must(t, b.End())
	if got := s.results[0].Diagnosis.Cause(); got != diagnose.TrailingNewline {
		t.Errorf("got %q, want %q", got, diagnose.TrailingNewline)
	}
}

// TestBatchSearchesTheFirstThoroughly keeps a million forgeries from taking hours,
// and says where it searched less.
func TestBatchSearchesTheFirstThoroughly(t *testing.T) {
	t.Parallel()
	const count = 400
	forged := lineOf(t, record(timestamp, zeros, `{"event":"x","note":"`+strings.Repeat("x", 1000)+`"}`))
	two := lineOf(t, record(timestamp, newKey(t, "new").Sign(timestamp+"000", []byte(body(1))), body(1)+"\n"))
	var s story
	b := verify.NewBatch(explaining(t), s.options(false))
	addLines(t, b, "f", two+strings.Repeat(forged, count)+two)
	must(t, b.End())
	if got := s.results[0].Diagnosis.Findings; len(got) != 2 {
		t.Errorf("the first: got %v, want the two causes", got)
	}
	briefly := 0
	for _, r := range s.results {
		if strings.Contains(r.Diagnosis.Message(), "only what goes wrong alone") {
			briefly++
		}
	}
	if briefly == 0 || briefly > count-12 {
		t.Errorf("%d of %d were searched briefly; want all but some dozens", briefly, count)
	}
}

// TestBatchFindsEachOfManyOwners has so many that their MACs begin alike.
func TestBatchFindsEachOfManyOwners(t *testing.T) {
	t.Parallel()
	const owners, thieves = 5000, 40
	var lines strings.Builder
	var want []string
	for n := range owners {
		lines.WriteString(lineOf(t, signed(t, body(n))))
	}
	for n := range thieves {
		lines.WriteString(lineOf(t, swapped(t, "{}", body(n))))
		want = append(want, fmt.Sprintf("f:%d other-delivery the signature is that of another delivery, f:%d", owners+n+1, n+1))
	}
	var s story
	b := verify.NewBatch(explaining(t), s.options(false))
	addLines(t, b, "f", lines.String())
	must(t, b.End())
	if diff := cmp.Diff(want, causes(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestBatchTellsMixedHeaders exchanges all headers of two deliveries, so that no
// signature is that of a record of the batch.
func TestBatchTellsMixedHeaders(t *testing.T) {
	t.Parallel()
	one, two := signed(t, body(1)), signed(t, body(2))
	key := newKey(t, "new")
	later := "1769437999"
	two.Request.Headers.Set(delivery.TimestampHeader, later)
	two.Request.Headers.Set(delivery.SignatureHeader, key.Sign(later, two.Request.Body))
	one.Request.Headers, two.Request.Headers = two.Request.Headers, one.Request.Headers
	var s story
	b := verify.NewBatch(explaining(t), s.options(false))
	addLines(t, b, "f", lineOf(t, one)+lineOf(t, signed(t, body(3)))+lineOf(t, two))
	must(t, b.End())
	want := []string{
		"f:1 other-delivery timestamp and signature are those of another delivery, f:3",
		"f:3 other-delivery timestamp and signature are those of another delivery, f:1",
	}
	if diff := cmp.Diff(want, causes(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
