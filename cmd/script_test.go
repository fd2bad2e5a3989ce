package cmd_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/leapfinancial/m2m/cmd"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"m2m": func() { os.Exit(cmd.Main()) }})
}

// deadline bounds whatever a script waits for. A run that works never comes near it.
const deadline = 20 * time.Second

// TestScripts runs the stories in testdata/script, each in a process and a
// directory of its own. Commands beside testscript's:
//
//	exits [-within=D] CODE PROGRAM [ARG...]   run it; the exit code has to be CODE, or one of 0|2
//	start [-stdin=FILE] NAME PROGRAM [ARG...] run it in the background; after FILE, its stdin stays open
//	waitout NAME REGEXP [VAR]                 wait until it has written that on stdout, and keep the last group
//	interrupt NAME                            send it what Ctrl-C sends
//	ends CODE NAME                            wait for its end; stdout and stderr are its own
//	waitfile FILE [VAR]                       wait until it has a line, and keep that in VAR
//	serve VAR KIND                            start a server that misbehaves; VAR is its URL
//	request STATUS METHOD URL                 make a plain request; the answer has to be STATUS
//	bytes FILE TEXT                           write TEXT, with Go's escapes
//	sparse FILE SIZE                          make a file of that many zero bytes
//	join FILE PART...                         put files end to end
//	chop FILE SOURCE                          the first line of SOURCE, without its end
//	long VAR N                                N letters
//	port VAR URL, origin VAR URL              a URL's port; its scheme, host and port
//	hostname VAR                              a name of this machine, localhost where it has none that resolves
//	unpack FILE                               split a raw request, or the last record of a file, into
//	                                          FILE.body, FILE.signed and the variables TIMESTAMP, SIGNATURE and HEX
//	[!] printable                             neither stream holds control characters
//	ndjson                                    every line of stdout is an object with a type
//	junit FILE                                it is a JUnit report, whose counts are right
//
// The condition [missing:PROGRAM] holds where a program is not installed, and fails
// the script instead when M2M_TEST_HANDLERS is "required". PROGRAM is also "express",
// the example handler with its modules, and "bash-completion".
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Condition:           missing,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"start":     start,
			"interrupt": interrupt,
			"ends":      ends,
			"waitfile":  waitFile,
			"waitout":   waitOut,
			"serve":     serve,
			"request":   request,
			"bytes":     writeBytes,
			"sparse":    sparse,
			"join":      join,
			"chop":      chop,
			"long":      long,
			"port":      port,
			"origin":    origin,
			"hostname":  hostname,
			"unpack":    unpack,
			"printable": printable,
			"ndjson":    ndjson,
			"junit":     junit,
		},
	})
}

// missing is the condition for scripts that need a program beside m2m.
func missing(condition string) (bool, error) {
	name, ok := strings.CutPrefix(condition, "missing:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", condition)
	}
	_, err := exec.LookPath(name)
	switch name {
	case "express":
		_, err = os.Stat("../examples/express/node_modules/express/package.json")
	case "bash-completion":
		_, err = os.Stat("/usr/share/bash-completion/bash_completion")
	}
	if err != nil && os.Getenv("M2M_TEST_HANDLERS") == "required" {
		return false, fmt.Errorf("%s is missing: %w", name, err)
	}
	return err != nil, nil
}

// setup gives a script an empty home, and none of what could change m2m's mind.
func setup(e *testscript.Env) error {
	home := e.WorkDir + "/.home"
	if err := os.MkdirAll(home+"/.config", 0o755); err != nil {
		return err
	}
	var kept []string
	for _, entry := range e.Vars {
		name, _, _ := strings.Cut(entry, "=")
		upper := strings.ToUpper(name)
		if strings.HasPrefix(upper, "M2M_") || strings.HasSuffix(upper, "_PROXY") || upper == "NO_COLOR" {
			continue
		}
		kept = append(kept, entry)
	}
	fixtures, err := filepath.Abs("../fixtures")
	if err != nil {
		return err
	}
	e.Vars = append(kept,
		"FIXTURES="+fixtures, "EXAMPLES="+filepath.Join(fixtures, "../examples"),
		"HOME="+home, "USERPROFILE="+home, "AppData="+home+"/.config", "XDG_CONFIG_HOME="+home+"/.config",
		"TZ=UTC",
		// Else the race detector keeps every process for a second after its end.
		"GORACE=atexit_sleep_ms=10",
	)
	e.Values[backgroundKey{}] = map[string]*background{}
	return nil
}

// exits runs a program to its end and judges its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	var within time.Duration
	if len(args) > 0 {
		if text, ok := strings.CutPrefix(args[0], "-within="); ok {
			var err error
			within, err = time.ParseDuration(text)
			ts.Check(err)
			args = args[1:]
		}
	}
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits [-within=D] CODE PROGRAM [ARG...]")
	}
	started := time.Now()
	err := ts.Exec(args[1], args[2:]...)
	took := time.Since(started)
	checkCode(ts, args[0], err)
	if within > 0 && took > within {
		ts.Fatalf("it took %s, want at most %s", took, within)
	}
}

func checkCode(ts *testscript.TestScript, want string, err error) {
	got := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if !slices.Contains(strings.Split(want, "|"), strconv.Itoa(got)) {
		ts.Fatalf("exit code %d, want %s", got, want)
	}
}
