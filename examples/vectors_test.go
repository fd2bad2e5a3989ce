package examples_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const vectorsFile = "../fixtures/vectors/signatures.json"

// checkers returns what makes the command of each vector checker.
func checkers() map[string]func(*testing.T) []string {
	return map[string]func(*testing.T) []string{
		"go": func(t *testing.T) []string {
			t.Helper()
			program := filepath.Join(t.TempDir(), "check")
			if runtime.GOOS == "windows" {
				program += ".exe"
			}
			if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "vectors/check.go").CombinedOutput(); err != nil {
				t.Fatalf("go build vectors/check.go: %v\n%s", err, output)
			}
			return []string{program}
		},
		"node": func(t *testing.T) []string { t.Helper(); return []string{interpreter(t, "node"), "vectors/check.mjs"} },
		"python": func(t *testing.T) []string {
			t.Helper()
			return []string{interpreter(t, "python3"), "vectors/check.py"}
		},
	}
}

// interpreter finds a program. Where it is missing the test is skipped, unless
// M2M_TEST_HANDLERS is "required".
func interpreter(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("M2M_TEST_HANDLERS") == "required" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	return path
}

// check runs a checker on vectors and returns its exit code and what it printed.
func check(t *testing.T, command []string, vectors []byte) (int, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Stdin = bytes.NewReader(vectors)
	output, _ := cmd.CombinedOutput() // its exit code says it
	if cmd.ProcessState == nil {
		t.Fatalf("%v did not start", command)
	}
	return cmd.ProcessState.ExitCode(), strings.ReplaceAll(string(output), "\r\n", "\n")
}

// TestVectorCheckers runs each checker on the vectors, and on vectors in which one thing
// is not so.
func TestVectorCheckers(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	dependsOn(t, "vectors/check.*")
	for name, command := range checkers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := command(t)
			want := fmt.Sprintf("%d vectors, 0 wrong", len(parseVectors(t, data)))
			if code, output := check(t, command, data); code != 0 || strings.TrimSpace(output) != want {
				t.Errorf("from stdin: got exit code %d, want 0, and %q:\n%s", code, want, output)
			}
			if code, output := check(t, append(command, vectorsFile), nil); code != 0 || strings.TrimSpace(output) != want {
				t.Errorf("from a file: got exit code %d, want 0, and %q:\n%s", code, want, output)
			}
			if code, output := check(t, command, []byte("[]")); code != 1 {
				t.Errorf("no vectors: got exit code %d, want 1:\n%s", code, output)
			}
			if code, output := check(t, append(command, "missing.json"), nil); code != 1 {
				t.Errorf("no file: got exit code %d, want 1:\n%s", code, output)
			}
			for what, changed := range changes(t, data) {
				code, output := check(t, command, changed.vectors)
				if code != 1 || !strings.Contains(output, "wrong: "+changed.name+"\n") || !strings.Contains(output, "1 wrong\n") {
					t.Errorf("%s: got exit code %d, want 1 and %q named:\n%s", what, code, changed.name, output)
				}
			}
		})
	}
}

func parseVectors(t *testing.T, data []byte) []map[string]any {
	t.Helper()
	var vectors []map[string]any
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}

type changedVectors struct {
	name    string
	vectors []byte
}

// changes returns the vectors with one changed: the first with a body of text, the first
// with one of bytes, and the first of each reason told to be valid.
func changes(t *testing.T, data []byte) map[string]changedVectors {
	t.Helper()
	list := map[string]changedVectors{}
	change := func(what string, wanted func(map[string]any) bool, change func(map[string]any)) {
		vectors := parseVectors(t, data)
		for _, vector := range vectors {
			if list[what].name == "" && wanted(vector) {
				change(vector)
				text, err := json.Marshal(vectors)
				if err != nil {
					t.Fatal(err)
				}
				list[what] = changedVectors{fmt.Sprint(vector["name"]), text}
				return
			}
		}
		t.Fatalf("no vector for %s", what)
	}
	has := func(key string) func(map[string]any) bool {
		return func(v map[string]any) bool { return v["valid"] == true && v[key] != nil }
	}
	change("another body", has("body"), func(v map[string]any) { v["body"] = fmt.Sprint(v["body"], " ") })
	change("other bytes", has("bodyBase64"), func(v map[string]any) { v["bodyBase64"] = "AAAA" })
	change("another secret", has("secret"), func(v map[string]any) { v["secret"] = "another" })
	change("another timestamp", has("timestamp"), func(v map[string]any) { v["timestamp"] = "1769437801" })
	change("told not to be valid", has("signature"), func(v map[string]any) { v["valid"] = false })
	for _, reason := range []string{"missing_signature", "malformed_signature", "missing_timestamp", "malformed_timestamp", "signature_mismatch"} {
		wanted := func(v map[string]any) bool { return v["reason"] == reason }
		change(reason+" told to be valid", wanted, func(v map[string]any) { v["valid"] = true })
	}
	return list
}
