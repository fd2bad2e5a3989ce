package cmd_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// backgroundKey finds a script's programs in the background.
type backgroundKey struct{}

// background is a program that runs beside the script.
type background struct {
	cmd      *exec.Cmd
	out, err output
	done     chan struct{}
	waited   error
}

// output is what a program has written so far.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs a program in the background, where testscript's own & would keep its
// exit code to itself.
func start(ts *testscript.TestScript, neg bool, args []string) {
	var stdin string
	if len(args) > 0 {
		if name, ok := strings.CutPrefix(args[0], "-stdin="); ok {
			stdin, args = name, args[1:]
		}
	}
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start [-stdin=FILE] NAME PROGRAM [ARG...]")
	}
	b := &background{done: make(chan struct{})}
	b.cmd = exec.Command(args[1], args[2:]...)
	b.cmd.Dir = ts.MkAbs(".")
	b.cmd.Env = environment(ts)
	b.cmd.Stdout, b.cmd.Stderr = &b.out, &b.err
	if stdin != "" {
		in, err := b.cmd.StdinPipe()
		ts.Check(err)
		text := ts.ReadFile(stdin)
		// It stays open: the program waits for more.
		go func() { _, _ = io.WriteString(in, text) }()
	}
	ts.Check(b.cmd.Start())
	go func() {
		b.waited = b.cmd.Wait()
		close(b.done)
	}()
	ts.Defer(func() {
		_ = b.cmd.Process.Kill() // it may have ended long since
		<-b.done
	})
	programs(ts)[args[0]] = b
}

func programs(ts *testscript.TestScript) map[string]*background {
	all, ok := ts.Value(backgroundKey{}).(map[string]*background)
	if !ok {
		ts.Fatalf("the script has no setup")
	}
	return all
}

// environment is the part of the script's environment that m2m looks at. A script
// cannot set a variable to nothing for a program in the background.
func environment(ts *testscript.TestScript) []string {
	var vars []string
	for _, name := range []string{
		"PATH", "HOME", "USERPROFILE", "AppData", "XDG_CONFIG_HOME", "TZ", "GORACE", "SYSTEMROOT", "TMPDIR", "TMP", "GOCOVERDIR",
		"NO_COLOR", "PORT", "M2M_API_KEY", "M2M_WEBHOOK_SECRET", "M2M_TOLERANCE", "M2M_PROFILE",
	} {
		if value := ts.Getenv(name); value != "" {
			vars = append(vars, name+"="+value)
		}
	}
	return vars
}

func program(ts *testscript.TestScript, name string) *background {
	b, ok := programs(ts)[name]
	if !ok {
		ts.Fatalf("nothing was started as %s", name)
	}
	return b
}

func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: interrupt NAME")
	}
	ts.Check(program(ts, args[0]).cmd.Process.Signal(os.Interrupt))
}

func ends(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ends CODE NAME")
	}
	b := program(ts, args[1])
	select {
	case <-b.done:
	case <-time.After(deadline):
		_ = b.cmd.Process.Kill()
		<-b.done
		ts.Fatalf("%s did not end\n%s%s", args[1], b.out.String(), b.err.String())
	}
	fmt.Fprint(ts.Stdout(), b.out.String())
	fmt.Fprint(ts.Stderr(), b.err.String())
	checkCode(ts, args[0], b.waited)
}

// waitOut waits for something on the standard output of a program that goes on.
func waitOut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: waitout NAME REGEXP [VAR]")
	}
	b, wanted, end := program(ts, args[0]), regexp.MustCompile("(?m)"+args[1]), time.Now().Add(deadline)
	for !wanted.MatchString(b.out.String()) {
		if time.Now().After(end) {
			ts.Fatalf("%s did not write it\n%s%s", args[0], b.out.String(), b.err.String())
		}
		time.Sleep(5 * time.Millisecond) // a poll with a deadline, not a guess
	}
	if len(args) == 3 {
		found := wanted.FindStringSubmatch(b.out.String())
		ts.Setenv(args[2], found[len(found)-1])
	}
}

// waitFile waits for a file with a whole line in it.
func waitFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: waitfile FILE [VAR]")
	}
	name, end := ts.MkAbs(args[0]), time.Now().Add(deadline)
	for {
		data, err := os.ReadFile(name)
		if line, ok := strings.CutSuffix(string(data), "\n"); err == nil && ok {
			if len(args) == 2 {
				ts.Setenv(args[1], line)
			}
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s did not come", args[0])
		}
		time.Sleep(5 * time.Millisecond) // a poll with a deadline, not a guess
	}
}
