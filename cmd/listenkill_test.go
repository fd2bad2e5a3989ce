package cmd_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/sign"
)

// TestNothingAcknowledgedIsLost kills the receiver under load, again and again, and
// finds every delivery that got its 200 in the file. Half of the runs find a torn line
// of the one before.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	t.Parallel()
	const rounds, senders = 10, 8
	file := filepath.Join(t.TempDir(), "saved.ndjson")
	key, err := sign.NewKey("a secret of this test")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	for round := range rounds {
		if round%2 == 1 {
			tear(t, file)
		}
		l := startListen(t, "--save", file)
		// A kill at another moment each time.
		var left atomic.Int64
		left.Store(int64(200 + 137*round))
		var wait sync.WaitGroup
		for sender := range senders {
			wait.Go(func() {
				client := &http.Client{Transport: &http.Transport{}, Timeout: deadline}
				defer client.CloseIdleConnections()
				for n := 0; ; n++ {
					body := fmt.Sprintf(`{"event":"link.opened","n":"%d-%d-%d","pad":%q}`, round, sender, n, strings.Repeat("x", n%5000))
					if !deliverTo(t, client, l.url, key, body) {
						return // it was killed
					}
					mu.Lock()
					acknowledged[body] = true
					mu.Unlock()
					if left.Add(-1) == 0 {
						_ = l.cmd.Process.Kill()
					}
				}
			})
		}
		wait.Wait()
		_ = l.cmd.Wait() // a killed one has no exit code
		if round%2 == 1 && !strings.Contains(l.err.String(), "torn line") {
			t.Errorf("round %d: stderr does not tell of the torn line: %s", round, l.err.String())
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(text, []byte("\n"))
	for i, line := range lines {
		record, err := delivery.Parse(line)
		if err != nil && i < len(lines)-1 {
			t.Errorf("line %d: %v", i+1, err)
		}
		delete(acknowledged, string(record.Request.Body))
	}
	if len(acknowledged) > 0 {
		t.Errorf("%d deliveries were acknowledged and are not in the file", len(acknowledged))
	}
	if len(lines) < rounds*200 {
		t.Errorf("got %d lines, want at least %d", len(lines), rounds*200)
	}
}

// tear leaves the beginning of a record at the end of the file, as a writer that is
// killed does.
func tear(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	end := bytes.LastIndexByte(text, '\n') + 1
	text = append(text[:end], text[:min(end, 100)]...)
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// deliverTo says whether a delivery got its 200, and fails the test for any other
// answer.
func deliverTo(t *testing.T, client *http.Client, url string, key sign.Key, body string) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return false
	}
	timestamp := sign.FormatTimestamp(time.Now())
	request.Header.Set(delivery.TimestampHeader, timestamp)
	request.Header.Set(delivery.SignatureHeader, key.Sign(timestamp, []byte(body)))
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Errorf("answered %d", response.StatusCode)
		return false
	}
	// The status is the word that counts, whether or not the rest arrived.
	_, _ = io.Copy(io.Discard, response.Body)
	return true
}

// listenRun is a receiver in a process of its own.
type listenRun struct {
	cmd *exec.Cmd
	url string
	out io.Closer
	err output
}

func startListen(t *testing.T, args ...string) *listenRun {
	t.Helper()
	home := t.TempDir()
	l := &listenRun{cmd: exec.CommandContext(t.Context(), "m2m", append([]string{"listen", "--json", "--port", "0"}, args...)...)}
	l.cmd.Dir = home
	l.cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "GORACE=atexit_sleep_ms=10",
		"M2M_WEBHOOK_SECRET=a secret of this test")
	l.cmd.Stderr = &l.err
	out, err := l.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	l.out = out
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadBytes('\n')
	if err != nil {
		t.Fatalf("listen is not ready: %v\n%s", err, l.err.String())
	}
	var ready struct{ URL string }
	if err := json.Unmarshal(line, &ready); err != nil || ready.URL == "" {
		t.Fatalf("got %s, want the ready record", line)
	}
	l.url = ready.URL
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return l
}
