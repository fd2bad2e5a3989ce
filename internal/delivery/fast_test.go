package delivery

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// written returns a record's line as a file's reader hands it on: without its
// newline.
func written(tb testing.TB, record Record) []byte {
	tb.Helper()
	line, err := record.Line()
	if err != nil {
		tb.Fatal(err)
	}
	return line[:len(line)-1]
}

// TestRecordsOfOursAreReadFast holds the fast reader to the form that Line writes:
// it does not notice by itself that it has fallen behind.
func TestRecordsOfOursAreReadFast(t *testing.T) {
	t.Parallel()
	for name, record := range shapes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Every length of the id moves the rest against the words that the reader
			// takes at once.
			for length := range 9 {
				record.ID = strings.Repeat("a", length)
				line := written(t, record)
				var scanner Scanner
				if !scanner.fast(line) {
					t.Fatalf("left to Parse: %s", line)
				}
				compare(t, &scanner, line)
			}
		})
	}
}

// TestShapesShowEveryMember fails for a member that was added to the record and not
// to the shapes.
func TestShapesShowEveryMember(t *testing.T) {
	t.Parallel()
	var all []byte
	for _, record := range shapes() {
		all = append(all, written(t, record)...)
	}
	for _, member := range members(reflect.TypeFor[wireRecord]()) {
		if !bytes.Contains(all, []byte(`"`+member+`":`)) {
			t.Errorf("no shape shows %q", member)
		}
	}
}

// members returns the names of a wire struct's members and of theirs.
func members(of reflect.Type) (names []string) {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct {
		return nil
	}
	for i := range of.NumField() {
		field := of.Field(i)
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "-" {
			names = append(append(names, name), members(field.Type)...)
		}
	}
	return names
}

// compare scans a line and holds the result against Parse's.
func compare(tb testing.TB, scanner *Scanner, line []byte) {
	tb.Helper()
	record, wantErr := Parse(line)
	got, err := scanner.Scan(line)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		tb.Fatalf("got error %v, and Parse says %v: %q", err, wantErr, line)
	}
	if err != nil {
		return
	}
	type texts struct {
		Signature, Timestamp, Event, Body    string
		HasSignature, HasTimestamp, HasEvent bool
	}
	want := texts{Body: string(record.Request.Body)}
	want.Signature, want.HasSignature = record.Request.Headers.Get(SignatureHeader)
	want.Timestamp, want.HasTimestamp = record.Request.Headers.Get(TimestampHeader)
	want.Event, want.HasEvent = record.Request.Headers.Get(EventHeader)
	scanned := texts{
		string(got.Signature), string(got.Timestamp), string(got.Event), string(got.Body),
		got.HasSignature, got.HasTimestamp, got.HasEvent,
	}
	if diff := cmp.Diff(want, scanned); diff != "" {
		tb.Fatalf("%q (-Parse +Scan):\n%s", line, diff)
	}
}

// TestScanAgreesWithParse changes, cuts and doubles every byte of a line of each
// shape: most of that is another line, and some is none.
func TestScanAgreesWithParse(t *testing.T) {
	t.Parallel()
	for name, record := range shapes() {
		if len(record.Request.Body) > 1000 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			line := written(t, record)
			var scanner Scanner
			for at := range line {
				before, after := string(line[:at]), string(line[at+1:])
				for _, other := range []string{"", "\"", "\\", "\x00", "\xff", "é", "0", "x", "}", ",", string(line[at:at+1]) + string(line[at:at+1])} {
					compare(t, &scanner, []byte(before+other+after))
				}
				compare(t, &scanner, line[:at])
			}
		})
	}
}

func TestScanOfLinesThatAreNotOurs(t *testing.T) {
	t.Parallel()
	for name, text := range foreign() {
		var scanner Scanner
		if scanner.fast([]byte(text)) {
			t.Errorf("%s: read fast, want it left to Parse", name)
		}
		compare(t, &scanner, []byte(text))
	}
}

func TestScanTakesNoMemory(t *testing.T) {
	line := written(t, shapes()["received"])
	var scanner Scanner
	if got := testing.AllocsPerRun(100, func() {
		if _, err := scanner.Scan(line); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("got %v allocations, want none", got)
	}
}

func TestScannerKeepsNoLongLinesMemory(t *testing.T) {
	t.Parallel()
	long := shapes()["received"]
	long.Request.Body = []byte(strings.Repeat("x", 8<<20))
	var scanner Scanner
	for _, record := range []Record{long, shapes()["received"]} {
		if !scanner.fast(written(t, record)) {
			t.Fatal("left to Parse")
		}
	}
	if got := cap(scanner.body); got > 1<<20 {
		t.Errorf("got %d KiB kept, want no more than 1024", got>>10)
	}
}

// FuzzScan: Scan and Parse always agree, whatever was scanned before.
func FuzzScan(f *testing.F) {
	for _, record := range shapes() {
		line := written(f, record)
		f.Add(line)
		f.Add(line[:len(line)/2])
	}
	for _, text := range foreign() {
		f.Add([]byte(text))
	}
	before := written(f, shapes()["received"])
	f.Fuzz(func(t *testing.T, line []byte) {
		var scanner Scanner
		if _, err := scanner.Scan(before); err != nil {
			t.Fatal(err)
		}
		compare(t, &scanner, line)
	})
}
