package cmd

import (
	"context"
	"crypto/rand"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/sign"
)

const (
	// stallTimeout is for what only a timeout ends, patientTimeout for what must not
	// come near it.
	stallTimeout   = 200 * time.Millisecond
	patientTimeout = 20 * time.Second
)

// faultRun is one command that meets a fault.
type faultRun struct {
	command  string
	forwards bool
	// run returns how the command ended, or, for listen, what its sender was answered.
	run func(t *testing.T, s *faultServer, timeout time.Duration, seen *screen) int
}

func faultRuns() []faultRun {
	return []faultRun{
		{"send", false, commandRun("send -v link.created --to ORIGIN/hooks")},
		{"send --redact", false, commandRun("send -v --redact link.created --to ORIGIN/hooks")},
		{"reply", false, commandRun("reply --event DIR/request.json --set dob=1990-05-15 --endpoint ORIGIN/partner/data-requests/dr_acme_x9y8z7w6v5u4")},
		{"test", false, commandRun("test -v --to ORIGIN/hooks --only accept.link.created --report junit=DIR/report.xml --report html=DIR/report.html")},
		{"load", false, commandRun("load link.created --to ORIGIN/hooks --rate 1/20s --duration 20s --report html=DIR/report.html")},
		{"listen --forward-to", true, forwardRun},
	}
}

// met is what a fault comes to.
type met struct {
	// code is the exit code of send, reply, test and load.
	code int
	// forward is what the sender to listen --forward-to is answered.
	forward int
	// words are in what every command says.
	words string
}

// unanswered is what happens where there is no whole answer.
func unanswered(words string) met { return met{3, 502, words} }

// late is the same where the time ran out.
func late() met { return met{3, 504, "no whole answer from .* within 200ms"} }

// taken is what happens where there is an answer, if a strange one.
func taken(words string) met { return met{0, 200, words} }

const brokenOff = "closed the connection before its answer was whole"

func meetings() map[string]met {
	return map[string]met{
		"refuse":           unanswered("connection refused: nothing listens on"),
		"close":            unanswered(brokenOff),
		"reset":            unanswered(brokenOff),
		"reset-in-headers": unanswered(brokenOff),
		"reset-in-body":    unanswered(brokenOff),
		"half-close":       unanswered(brokenOff),
		"silence":          late(),
		"drip-headers":     late(),
		"drip-body":        late(),
		"interim-storm":    unanswered("does not answer in HTTP"),
		"header-flood":     unanswered("does not answer in HTTP"),
		"length-too-long":  unanswered(brokenOff),
		"length-too-short": taken(""),
		"length-negative":  unanswered("does not answer in HTTP"),
		"broken-chunk":     unanswered("does not answer in HTTP"),
		"gzip-bomb":        taken(""),
		"huge":             taken("longer than"),
		"endless":          taken("longer than"),
		"deep":             taken(""),
		"http-0.9":         unanswered("does not answer in HTTP"),
		"not-http":         unanswered("does not answer in HTTP"),
		"tls-wrong-name":   unanswered("no TLS with .*: .*elsewhere.test"),
		"tls-expired":      unanswered("no TLS with .*: .*expired"),
		"tls-silence":      late(),
		"plain-on-tls":     unanswered("speaks plain HTTP, not TLS"),
		"tls-on-plain":     unanswered("speaks TLS, not plain HTTP"),
	}
}

// TestFaults has every command that talks to another side meet everything that this may
// do to it. It is not parallel: it counts goroutines in the end, and puts back what
// listen sets for its whole process.
func TestFaults(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	defer log.SetOutput(log.Writer())
	log.SetOutput(io.Discard) // as Main does
	expected, all := meetings(), faults()
	if len(expected) != len(all) {
		t.Errorf("%d faults, and %d are expected to come to something", len(all), len(expected))
	}
	var servers []*faultServer
	for _, f := range all {
		servers = append(servers, f.start(t))
	}
	// The servers stay: a connection that is left open is seen.
	before := goroutines()
	t.Run("matrix", func(t *testing.T) {
		for _, s := range servers {
			for _, r := range faultRuns() {
				t.Run(s.name+"/"+r.command, func(t *testing.T) {
					t.Parallel()
					meet(t, s, r, expected[s.name])
				})
			}
		}
	})
	noGoroutineLeft(t, before)
	// One after the other, so that what they allocate can be told apart.
	for _, s := range servers {
		for _, r := range faultRuns() {
			if s.large {
				t.Run("memory/"+s.name+"/"+r.command, func(t *testing.T) { takeLittle(t, s, r) })
			}
		}
	}
}

// takeLittle holds that an answer of 100 MB and more takes little memory: no more is
// allocated in all than a few times the MiB that is kept of it.
func takeLittle(t *testing.T, server *faultServer, r faultRun) {
	t.Helper()
	const most = 32 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r.run(t, server, patientTimeout, &screen{})
	runtime.ReadMemStats(&after)
	got := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d KiB", got>>10)
	if got > most {
		t.Errorf("it allocated %d MiB", got>>20)
	}
}

func meet(t *testing.T, server *faultServer, r faultRun, want met) {
	t.Helper()
	seen, timeout := &screen{}, patientTimeout
	if server.stalls {
		timeout = stallTimeout
	}
	began := time.Now()
	got := r.run(t, server, timeout, seen)
	took := time.Since(began)
	code := want.code
	if r.forwards {
		code = want.forward
	}
	said := seen.String()
	t.Logf("%d after %s:\n%s", got, took.Round(time.Millisecond), said)
	if got != code {
		t.Errorf("ended with %d, want %d", got, code)
	}
	if !regexp.MustCompile(want.words).MatchString(said) {
		t.Errorf("it does not say %q", want.words)
	}
	if took > patientTimeout {
		t.Errorf("it took %s", took)
	}
	checkNothingRaw(t, said)
}

// checkNothingRaw holds that a terminal may be shown the text.
func checkNothingRaw(t *testing.T, said string) {
	t.Helper()
	for _, r := range said {
		if r != '\n' && (unicode.IsControl(r) || delivery.IsHidden(r) || r == unicode.ReplacementChar) {
			t.Errorf("%q stands raw in %q", r, said)
			return
		}
	}
}

// goroutines returns how many there are, the one included that the system's signals
// once start and nothing ends.
func goroutines() int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	signal.Stop(signals)
	return runtime.NumGoroutine()
}

// noGoroutineLeft fails where there are more goroutines than before, also after a
// moment.
func noGoroutineLeft(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) { // a poll with a deadline
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, and %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// world is an environment with files of its own and the real clock.
func world(seen *screen) *env {
	w := *testApp().env
	w.Out, w.Err, w.Now, w.Rand = stream{seen}, stream{seen}, time.Now, rand.Reader
	w.Transport = &http.Transport{ForceAttemptHTTP2: true}
	w.LookupEnv = func(name string) (string, bool) { return "m2m_test_of_this_test", name == "M2M_API_KEY" }
	return &w
}

// arguments are a command line's, with what stands for a server's origin and for a
// directory of one's own put in. The reports that it writes there have nothing raw.
func arguments(t *testing.T, line string, s *faultServer, timeout time.Duration) []string {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() {
		reports, _ := filepath.Glob(filepath.Join(dir, "report.*"))
		if len(reports) != strings.Count(line, "--report") {
			t.Errorf("%d reports were written", len(reports))
		}
		for _, name := range reports {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Error(err)
			}
			checkNothingRaw(t, strings.ReplaceAll(string(text), "\t", " "))
		}
	})
	if err := os.WriteFile(filepath.Join(dir, "request.json"), []byte(aDataRequest("2099")), 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("ORIGIN", s.origin, "DIR", dir).Replace(line) + " --timeout " + timeout.String()
	if s.authority != "" {
		text += " --cacert " + s.authority
	}
	return strings.Fields(text)
}

// commandRun runs a command to its end.
func commandRun(line string) func(*testing.T, *faultServer, time.Duration, *screen) int {
	return func(t *testing.T, s *faultServer, timeout time.Duration, seen *screen) int {
		t.Helper()
		return int(run(t.Context(), world(seen), arguments(t, line, s, timeout)))
	}
}

// forwardRun has a receiver pass a delivery on, and returns what its sender is answered.
func forwardRun(t *testing.T, s *faultServer, timeout time.Duration, seen *screen) int {
	t.Helper()
	args := arguments(t, "listen -v --port 0 --count 1 --forward-to ORIGIN/hooks --ready-file DIR/url", s, timeout)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan exitCode, 1)
	go func() { ended <- run(ctx, world(seen), args) }()
	seen.waitFor(t, "Ctrl-C to stop", 1)
	url := regexp.MustCompile(`listening on (\S+)`).FindStringSubmatch(seen.String())[1]
	status := deliverTo(t, url)
	if code := <-ended; code != exitDone {
		t.Errorf("listen ended with %d", code)
	}
	return status
}

// deliverTo makes a valid delivery, and returns what it is answered.
func deliverTo(t *testing.T, url string) int {
	t.Helper()
	key, err := sign.NewKey(devSecret)
	if err != nil {
		t.Fatal(err)
	}
	const body, most = `{"event":"link.created"}`, 150 << 20
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	timestamp := sign.FormatTimestamp(time.Now())
	request.Header.Set(delivery.TimestampHeader, timestamp)
	request.Header.Set(delivery.SignatureHeader, key.Sign(timestamp, []byte(body)))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}, Timeout: 2 * patientTimeout}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	// All of an answer comes, and of one without an end as much as is wanted.
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, most)); err != nil {
		t.Error(err)
	}
	return response.StatusCode
}
