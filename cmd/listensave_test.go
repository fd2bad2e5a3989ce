package cmd_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/sign"
)

func TestAFullDiskIsSaidOnceAndAnswered500(t *testing.T) {
	t.Parallel()
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip("no device here is always full")
	}
	l := startListen(t, "--save", full, "--count", "3")
	for range 3 {
		if got := deliverOnce(t, l.url); got != http.StatusInternalServerError {
			t.Errorf("answered %d, want 500", got)
		}
	}
	_ = l.cmd.Wait() // its exit code is not what this is about
	if got := strings.Count(l.err.String(), "error: --save:"); got != 1 {
		t.Errorf("said %d times, want once:\n%s", got, l.err.String())
	}
}

// deliverOnce returns the status that a valid delivery is answered with, and 0 without
// an answer.
func deliverOnce(t *testing.T, url string) int {
	t.Helper()
	key, err := sign.NewKey("a secret of this test")
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	timestamp := sign.FormatTimestamp(time.Now())
	request.Header.Set(delivery.TimestampHeader, timestamp)
	request.Header.Set(delivery.SignatureHeader, key.Sign(timestamp, []byte("{}")))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: deadline}
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// TestARemovedFileIsMadeAnew removes the file under the receiver: what is acknowledged
// afterwards is in a file of that name again.
func TestARemovedFileIsMadeAnew(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "saved.ndjson")
	l := startListen(t, "--save", file)
	defer func() { _ = l.cmd.Process.Kill() }()
	for range 2 {
		if got := deliverOnce(t, l.url); got != http.StatusOK {
			t.Errorf("answered %d, want 200", got)
		}
		text, err := os.ReadFile(file)
		if err != nil || bytes.Count(text, []byte("\n")) != 1 {
			t.Errorf("got %q and %v, want one record", text, err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAClosedStdoutEndsTheRun reads the first line alone, as head does: what is
// answered is on file all the same, and the end is told.
func TestAClosedStdoutEndsTheRun(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "saved.ndjson")
	l := startListen(t, "--save", file)
	if err := l.out.Close(); err != nil {
		t.Fatal(err)
	}
	if got := deliverOnce(t, l.url); got != http.StatusOK {
		t.Errorf("answered %d, want 200", got)
	}
	err := l.cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Errorf("ended with %v, want exit code 2", err)
	}
	if text, err := os.ReadFile(file); err != nil || bytes.Count(text, []byte("\n")) != 1 {
		t.Errorf("got %q and %v, want one record", text, err)
	}
	if got := strings.Count(l.err.String(), "m2m: error:"); got != 1 {
		t.Errorf("said %d times, want once:\n%s", got, l.err.String())
	}
}
