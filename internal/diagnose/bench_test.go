package diagnose

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/sign"
)

// payload returns a payload like M2M's of about that size, which no writer spells
// quite so.
func payload(size int) []byte {
	var body strings.Builder
	body.WriteString("{\n  \"event\": \"operation.created\",\n  \"timestamp\": \"2026-01-26T14:30:00.000Z\",\n  \"data\": {\n    \"operations\": [")
	for i := 0; body.Len() < size-230; i++ {
		if i > 0 {
			body.WriteString(",")
		}
		fmt.Fprintf(&body, "\n      {\"operationId\": \"op_a1b2c3d4%04x\", \"name\": \"José <Núñez> & Söhne\", \"url\": \"https:\\/\\/a.test/b/%d\","+
			" \"amount\": {\"send\": 100.00, \"receive\": %d.50, \"rate\": 18.505, \"fee\": 3.99, \"tiny\": 1e-7}, \"ok\": true}", i, i, 1000+i)
	}
	body.WriteString("\n    ]\n  }\n}\n")
	return []byte(body.String())
}

// keysNamed returns that many keys.
func keysNamed(tb testing.TB, name string, count int) []sign.Key {
	tb.Helper()
	var keys []sign.Key
	for i := range count {
		key, err := sign.NewKey(fmt.Sprintf("whsec_\"%s-%d\"\n", name, i))
		if err != nil {
			tb.Fatal(err)
		}
		keys = append(keys, key)
	}
	return keys
}

func othersNamed(tb testing.TB, count int) []Other {
	tb.Helper()
	var others []Other
	for i, key := range keysNamed(tb, "profile", count) {
		others = append(others, Other{key, fmt.Sprintf("the secret of profile %d", i)})
	}
	return others
}

// unexplained is a delivery with a signature that nothing gives, which takes longest.
func unexplained(body []byte) Delivery {
	return Delivery{ContentLength: -1, Message: sign.Message{
		Signature: sign.Prefix + strings.Repeat("5a", 32), HasSignature: true,
		Timestamp: "1769437800", HasTimestamp: true, Body: body,
	}}
}

// BenchmarkDiagnose measures the worst case, a search in vain. It may take 50 ms for 10 KiB
// and a second for 1 MiB; "share" is how much of that it takes.
func BenchmarkDiagnose(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
		// bound is what the contract allows.
		bound time.Duration
	}{
		{"1KiB", 1 << 10, 50 * time.Millisecond},
		{"10KiB", 10 << 10, 50 * time.Millisecond},
		{"1MiB", 1 << 20, time.Second},
	} {
		for _, keys := range []int{1, 2} {
			for _, others := range []int{0, 3, 50} {
				b.Run(fmt.Sprintf("%s/keys=%d/others=%d", size.name, keys, others), func(b *testing.B) {
					diagnoser := New(keysNamed(b, "key", keys), othersNamed(b, others))
					delivery := unexplained(payload(size.bytes))
					var got Diagnosis
					b.ReportAllocs()
					for b.Loop() {
						got = diagnoser.Diagnose(delivery, Thorough)
					}
					if got.Cause() != Unknown {
						b.Fatalf("got %s, want %s", got.Cause(), Unknown)
					}
					each := b.Elapsed() / time.Duration(b.N)
					b.ReportMetric(float64(each)/1e6, "ms")
					b.ReportMetric(float64(got.Tried), "combinations")
					b.ReportMetric(float64(got.Cost)/float64(len(delivery.Body)), "bodies")
					b.ReportMetric(float64(each)/float64(size.bound), "share")
				})
			}
		}
	}
}

func zipped(tb testing.TB, body []byte) []byte {
	tb.Helper()
	var text bytes.Buffer
	w := gzip.NewWriter(&text)
	if _, err := w.Write(body); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return text.Bytes()
}

// hostile returns bodies of about that size that are made to be expensive.
func hostile(tb testing.TB, size int) map[string][]byte {
	tb.Helper()
	fill := func(text string) []byte { return bytes.Repeat([]byte(text), size/len(text)) }
	random := make([]byte, size)
	if _, err := rand.Read(random); err != nil {
		tb.Fatal(err)
	}
	list := func(element string) []byte {
		return append(append([]byte("["), bytes.Repeat([]byte(element+","), size/(len(element)+1))...), "0]"...)
	}
	keys := []byte("{")
	for i := range size / 16 {
		keys = fmt.Appendf(keys, "\"%08x\":[{}],", uint32(i*2654435761))
	}
	return map[string][]byte{
		"like M2M's":            payload(size),
		"nothing":               {},
		"open arrays":           fill("["),
		"open objects":          fill(`{"a":`),
		"nested as deep as may": []byte(strings.Repeat(`[{"a":`, 499) + "1" + strings.Repeat("}]", 499)),
		"an indented staircase": []byte(`{"a":` + strings.Repeat("[", 990) + strings.Repeat("[],", size/3) + "1" + strings.Repeat("]", 990) + "}"),
		"escapes":               list(`"\u00e9\/\u003c\ud83d\ude00"`),
		"one long string":       []byte(`["` + strings.Repeat(`é/<\u0001`, size/12) + `"]`),
		"numbers":               list("1e-300"),
		"digits":                list("1234567890.123456789e-5"),
		"one long number":       []byte("[" + strings.Repeat("9", size) + ".5e1]"),
		"random keys":           append(keys, `"z":1}`...),
		"one key for all":       []byte("{" + strings.Repeat(`"a":1,`, size/6) + `"a":1}`),
		"keys that are indexes": []byte("{" + strings.Repeat(`"1":{"0":1},`, size/12) + `"a":1}`),
		"line ends":             fill("\n"),
		"Windows line ends":     fill("\r\n"),
		"percent signs":         fill("%25"),
		"a gzip bomb":           zipped(tb, make([]byte, 32<<20)),
		"a small gzip bomb":     zipped(tb, make([]byte, 3<<20)),
		"compressed JSON":       zipped(tb, list(`"é/<"`)),
		"random bytes":          random,
	}
}

// TestNoInputIsWithoutBounds bounds the work in combinations and bytes, whatever comes.
func TestNoInputIsWithoutBounds(t *testing.T) {
	t.Parallel()
	long, err := sign.NewKey(strings.Repeat("_whsec \"", 8<<10))
	if err != nil {
		t.Fatal(err)
	}
	diagnosers := map[string]*Diagnoser{
		"one secret":         New(keysNamed(t, "key", 1), nil),
		"50 profiles":        New(keysNamed(t, "key", 2), othersNamed(t, 50)),
		"a secret of 64 KiB": New([]sign.Key{long}, nil),
	}
	for name, body := range hostile(t, 16<<10) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for who, diagnoser := range diagnosers {
				got := diagnoser.Diagnose(unexplained(body), Thorough)
				if got.Cause() != Unknown {
					t.Errorf("%s: got %s, want %s", who, got.Cause(), Unknown)
				}
				// A combination that bursts the bounds is not tried, but its body was made.
				if most := 640<<20 + maxVaried + spellingCost*len(body); got.Tried > 4000 || got.Cost > most {
					t.Errorf("%s: tried %d combinations for %d bytes, want no more than 4000 for %d", who, got.Tried, got.Cost, most)
				}
			}
		})
	}
}

// TestMemoryIsBounded looks at the heap while bodies of 1 MiB are diagnosed. Every
// spelling is written in the quick search, too. It has the machine to itself, because
// the tests that share it wait for those that do not.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("it collects garbage all the time")
	}
	// What is in use is half of that; the rest may be garbage.
	const most = 128 << 20
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	diagnoser := New(keysNamed(t, "key", 1), nil)
	bodies := hostile(t, 1<<20)
	for _, name := range []string{"like M2M's", "an indented staircase", "numbers", "one key for all", "a gzip bomb", "a small gzip bomb"} {
		delivery := unexplained(bodies[name])
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		done := make(chan Diagnosis)
		go func() { done <- diagnoser.Diagnose(delivery, Quick) }()
		var peak uint64
		for watching := true; watching; {
			select {
			case <-done:
				watching = false
			case <-time.After(10 * time.Millisecond):
				runtime.GC() // what is left is in use
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapAlloc)
			}
		}
		if used := int64(peak) - int64(before.HeapAlloc); used > most {
			t.Errorf("%s: used %d MiB, want no more than %d", name, used>>20, most>>20)
		}
	}
}
