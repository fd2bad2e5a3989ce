package examples_test

import (
	"bufio"
	"bytes"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// deadline is the longest that a test waits for anything.
const deadline = 30 * time.Second

// goCommand builds the Go handler and returns the command that starts it.
func goCommand(t *testing.T) []string {
	t.Helper()
	return build(t, "go", "go/*.go", "go/webhook/*.go")
}

// expressCommand returns the command that starts the Express handler.
func expressCommand(t *testing.T) []string {
	t.Helper()
	return nodeCommand(t, "express/server.js")
}

// build builds the program in a directory, which is made of the files that match the
// patterns, and returns the command that starts it.
func build(t *testing.T, dir string, patterns ...string) []string {
	t.Helper()
	dependsOn(t, patterns...)
	program := filepath.Join(t.TempDir(), "handler")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./"+dir)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build ./%s: %v\n%s", dir, err, output)
	}
	return []string{program}
}

// nodeCommand returns the command that runs a script with the Express handler's modules.
// Where they or node are missing the test is skipped.
func nodeCommand(t *testing.T, script string) []string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is missing: install Node.js 20 or later, then run npm ci in examples/express")
	}
	if _, err := os.Stat(filepath.Join("express", "node_modules", "express", "package.json")); err != nil {
		missing(t, "Express is missing: run npm ci in examples/express")
	}
	dependsOn(t, script, "express/package-lock.json")
	return []string{node, filepath.FromSlash(script)}
}

// missing skips a test, or ends it as failed where M2M_TEST_HANDLERS is "required".
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("M2M_TEST_HANDLERS") == "required" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// dependsOn looks at the files that a handler is made of. The go command remembers the
// files that a test has looked at, and runs it again when they change; of what the
// processes read it knows nothing, and would report a cached success.
func dependsOn(t *testing.T, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s matches no file: %v", pattern, err)
		}
		for _, file := range files {
			if _, err := os.Stat(file); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// environ is the test's own environment without the handlers' settings, then settings.
// No proxy of this machine comes between.
func environ(settings []string) []string {
	env := slices.DeleteFunc(os.Environ(), func(setting string) bool {
		return strings.HasPrefix(setting, "M2M_") || strings.HasPrefix(setting, "PORT=") || strings.HasPrefix(setting, "HOST=")
	})
	return append(append(env, "NO_PROXY=*"), settings...)
}

// run runs a command that is expected to end by itself and returns what it printed.
func run(t *testing.T, command, settings []string) (output string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Env = environ(settings)
	timer := time.AfterFunc(deadline, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// handler is a running process.
type handler struct {
	url    string
	cmd    *exec.Cmd
	lines  chan string   // its standard output, closed at the end of it
	ended  chan struct{} // closed when the process is gone
	err    error         // how it ended; read it after ended
	client *http.Client
}

// start starts a handler on a free port and returns when it says that it listens.
func start(t *testing.T, command []string, settings ...string) *handler {
	t.Helper()
	h := &handler{
		cmd:    exec.Command(command[0], command[1:]...),
		lines:  make(chan string, 1000),
		ended:  make(chan struct{}),
		client: &http.Client{Timeout: deadline, Transport: &http.Transport{}},
	}
	h.cmd.Env = environ(append(settings, "PORT=0", "M2M_WEBHOOK_SECRET="+secret))
	var stderr lockedBuffer
	h.cmd.Stderr = &stderr
	stdout, err := h.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			h.lines <- lines.Text()
		}
		close(h.lines)
		h.err = h.cmd.Wait()
		close(h.ended)
	}()
	t.Cleanup(func() {
		h.client.CloseIdleConnections()
		_ = h.cmd.Process.Kill()
		select {
		case <-h.ended:
		case <-time.After(deadline):
			t.Error("the handler outlived its kill")
		}
		if said := stderr.String(); said != "" {
			t.Errorf("the handler said on standard error:\n%s", said)
		}
	})

	ready := h.line(t)
	address, ok := strings.CutPrefix(ready, "listening on ")
	if !ok || !strings.HasPrefix(address, "http://127.0.0.1:") || !strings.HasSuffix(address, "/webhooks/m2m") {
		t.Fatalf("ready line %q, want listening on http://127.0.0.1:PORT/webhooks/m2m", ready)
	}
	h.url = address
	return h
}

// line returns the next line that the handler prints.
func (h *handler) line(t *testing.T) string {
	t.Helper()
	select {
	case line, ok := <-h.lines:
		if !ok {
			t.Fatal("the handler has ended")
		}
		return line
	case <-time.After(deadline):
		t.Fatal("the handler printed nothing more")
	}
	return ""
}

// wantLog reads as many lines as are wanted and reports those that differ.
func (h *handler) wantLog(t *testing.T, want ...string) {
	t.Helper()
	// Work that comes after the acknowledgement may print its line a little later
	// than the next delivery, so the order is not looked at.
	var got []string
	for range want {
		got = append(got, h.line(t))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("log:\ngot\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// stop asks the handler to end, and expects that it does so with 0 and no more to say.
func (h *handler) stop(t *testing.T) {
	t.Helper()
	h.client.CloseIdleConnections()
	if runtime.GOOS == "windows" { // has no such signal
		_ = h.cmd.Process.Kill()
		<-h.ended
		return
	}
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-h.ended:
	case <-time.After(deadline):
		t.Fatal("the handler does not end")
	}
	if h.err != nil {
		t.Errorf("the handler ended with %v, want success", h.err)
	}
	for line := range h.lines {
		t.Errorf("printed besides: %q", line)
	}
}

func (h *handler) address() string {
	address, _ := url.Parse(h.url)
	return address.Host
}

// lockedBuffer can be read while a process writes to it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
