package cmd

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// screen is what a terminal was given, from both streams.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

// stream is one of them.
type stream struct{ *screen }

func (s stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// waitFor waits until something stands on the screen so many times.
func (s *screen) waitFor(t *testing.T, text string, times int) {
	t.Helper()
	const deadline = 20 * time.Second
	for started := time.Now(); strings.Count(s.String(), text) < times; time.Sleep(5 * time.Millisecond) { // a poll with a deadline, not a guess
		if time.Since(started) > deadline {
			t.Fatalf("%q did not come %d times:\n%q", text, times, s)
		}
	}
}

// recordBy returns the record of a delivery that was signed with a secret.
func recordBy(secret string) string {
	const body = `{}`
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("1769437800." + body))
	return fmt.Sprintf(`{"type":"delivery","request":{"headers":[{"name":"X-M2M-Timestamp","value":"1769437800"},`+
		`{"name":"X-M2M-Signature","value":"sha256=%x"}],"body":"%s"}}`+"\n", mac.Sum(nil), body)
}

// verifySlowly runs verify on a stream that the test writes, with a terminal for
// standard error.
func verifySlowly(t *testing.T, terminal bool, args ...string) (in *io.PipeWriter, seen *screen, ended <-chan exitCode) {
	t.Helper()
	seen = &screen{}
	reader, writer := io.Pipe()
	world := *testApp().env
	world.In, world.Out, world.Err = reader, stream{seen}, &stream{seen}
	world.IsTerminal = func(w io.Writer) bool { return terminal && w == world.Err }
	done := make(chan exitCode, 1)
	go func() {
		done <- run(t.Context(), &world, append([]string{"verify", "-", "--secret", "right"}, args...))
	}()
	return writer, seen, done
}

func write(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
}

func TestProgressShowsAfterASecondAndGoesAway(t *testing.T) {
	t.Parallel()
	in, seen, ended := verifySlowly(t, true)
	started := time.Now()
	right, wrong := recordBy("right"), recordBy("wrong")
	write(t, in, right+wrong+right)
	seen.waitFor(t, "INVALID  ", 1)
	if early := seen.String(); time.Since(started) < progressAfter && strings.Contains(early, clearLine) {
		t.Errorf("it shows at once:\n%q", early)
	}
	const line = clearLine + "3 checked, 1 INVALID …"
	seen.waitFor(t, line, 2)
	if took := time.Since(started); took < progressAfter {
		t.Errorf("it showed after %s, want %s", took, progressAfter)
	}
	write(t, in, wrong)
	seen.waitFor(t, "INVALID  ", 2)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if code := <-ended; code != exitNo {
		t.Errorf("exit code %d, want %d", code, exitNo)
	}
	got := seen.String()
	if !strings.Contains(got, " INVALID …"+clearLine+"INVALID  signature does not match") {
		t.Errorf("it was not taken away before the next result:\n%q", got)
	}
	last := got[strings.LastIndex(got, clearLine)+len(clearLine):]
	if strings.Contains(last, " checked, ") || !strings.HasSuffix(last, "4 checked: 2 valid, 2 INVALID\n") {
		t.Errorf("what is left at the end is %q", last)
	}
}

func TestProgressIsForTerminalsAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		terminal bool
		flag     string
	}{
		"standard error in a file": {false, "-v"},
		"a quiet run":              {true, "-q"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, seen, ended := verifySlowly(t, c.terminal, c.flag)
			write(t, in, recordBy("right")+recordBy("right"))
			select {
			case <-ended:
				t.Fatal("it ended too soon")
			case <-time.After(progressAfter + progressEvery):
			}
			if err := in.Close(); err != nil {
				t.Fatal(err)
			}
			if code := <-ended; code != exitDone {
				t.Errorf("exit code %d", code)
			}
			if got := seen.String(); strings.Contains(got, "\r") {
				t.Errorf("there is a progress line:\n%q", got)
			}
		})
	}
}
