package cmd_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestNoExpressionInAScript reads the action, the workflows and the examples of both in
// the documentation: what GitHub puts into the text of a script is run.
func TestNoExpressionInAScript(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, name := range append(names, "../action.yml") {
		texts[name] = readText(t, name)
	}
	for _, name := range []string{"../README.md", "../docs/ci.md"} {
		for i, part := range strings.Split(readText(t, name), "\n```") {
			if text, ok := strings.CutPrefix(part, "yaml\n"); ok {
				texts[fmt.Sprintf("%s, block %d", name, i)] = text
			}
		}
	}
	scripts := 0
	for name, text := range texts {
		var document yaml.Node
		if err := yaml.Unmarshal([]byte(text), &document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, script := range scriptsIn(&document) {
			scripts++
			if strings.Contains(script, "${{") {
				t.Errorf("%s: an expression in a script, want it in env:\n%s", name, script)
			}
		}
	}
	if scripts < 10 {
		t.Errorf("got %d scripts, want at least 10", scripts)
	}
}

// scriptsIn returns the values of all keys run below a node.
func scriptsIn(node *yaml.Node) []string {
	var found []string
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 1 {
			if key := node.Content[i-1].Value; key == "run" && child.Kind == yaml.ScalarNode {
				found = append(found, child.Value)
			}
		}
		found = append(found, scriptsIn(child)...)
	}
	return found
}

func readText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(data), "\r\n", "\n")
}

// runner is a job on a GitHub runner, as far as the action sees it.
type runner struct {
	t   *testing.T
	dir string
	env []string
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the action's scripts are run on Windows by GitHub's own bash alone")
	}
	for _, program := range []string{"bash", "curl", "tar", "unzip"} {
		if absent, err := missing("missing:" + program); err != nil {
			t.Fatal(err)
		} else if absent {
			t.Skipf("%s is not installed", program)
		}
	}
	r := &runner{t: t, dir: t.TempDir()}
	r.env = append(os.Environ(), "RUNNER_OS=Linux", "RUNNER_ARCH=X64", "RUNNER_TEMP="+r.dir,
		"GITHUB_PATH="+r.path("path"), "GITHUB_OUTPUT="+r.path("output"))
	return r
}

func (r *runner) path(name string) string { return filepath.Join(r.dir, name) }

func (r *runner) wrote(name string) string {
	data, err := os.ReadFile(r.path(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		r.t.Fatal(err)
	}
	return string(data)
}

// run runs one of the action's scripts, and returns its exit code and what it printed.
func (r *runner) run(script string, env ...string) (int, string) {
	r.t.Helper()
	path, err := filepath.Abs("../.github/action/" + script)
	if err != nil {
		r.t.Fatal(err)
	}
	command := exec.Command("bash", path)
	command.Dir, command.Env = r.dir, append(r.env, env...)
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), string(output)
}

// release serves version 0.1.2 as GitHub does; tampered, with another archive than the
// checksums say.
func release(t *testing.T, tampered bool) string {
	t.Helper()
	const script = "#!/bin/sh\necho m2m 0.1.2\n"
	files := map[string][]byte{
		"m2m_0.1.2_linux_amd64.tar.gz":  tarOf(t, script),
		"m2m_0.1.2_darwin_arm64.tar.gz": tarOf(t, script+"# on macOS\n"),
		"m2m_0.1.2_windows_amd64.zip":   zipOf(t, script),
	}
	var sums strings.Builder
	for name, data := range files {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), name)
		if tampered {
			files[name] = append(data, 0)
		}
	}
	files["m2m_0.1.2_windows_arm64.zip"] = zipOf(t, script) // the checksums do not name it
	files["checksums.txt"] = []byte(sums.String())
	mux := http.NewServeMux()
	mux.HandleFunc("/latest", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/tag/v0.1.2", http.StatusFound) })
	mux.HandleFunc("/tag/v0.1.2", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/download/v0.1.2/{name}", func(w http.ResponseWriter, r *http.Request) {
		data, ok := files[r.PathValue("name")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return "M2M_ACTION_RELEASES=" + server.URL
}

func tarOf(t *testing.T, script string) []byte {
	t.Helper()
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	archive := tar.NewWriter(compressed)
	err := archive.WriteHeader(&tar.Header{Name: "m2m", Mode: 0o755, Size: int64(len(script))})
	if err == nil {
		_, err = io.WriteString(archive, script)
	}
	if err := errors.Join(err, archive.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func zipOf(t *testing.T, script string) []byte {
	t.Helper()
	var packed bytes.Buffer
	archive := zip.NewWriter(&packed)
	header := &zip.FileHeader{Name: "m2m.exe"}
	header.SetMode(0o755)
	file, err := archive.CreateHeader(header)
	if err == nil {
		_, err = io.WriteString(file, script)
	}
	if err := errors.Join(err, archive.Close()); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func TestActionInstalls(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		env      []string
		tampered bool
		code     int
		output   string
	}{
		"the newest": {output: "m2m 0.1.2"},
		"a version":  {env: []string{"M2M_ACTION_VERSION=0.1.2"}, output: "m2m 0.1.2"},
		"a tag":      {env: []string{"M2M_ACTION_VERSION=v0.1.2"}, output: "m2m 0.1.2"},
		"on macOS":   {env: []string{"RUNNER_OS=macOS", "RUNNER_ARCH=ARM64"}, output: "m2m 0.1.2"},
		// There is an m2m.exe then, which no other system takes for m2m.
		"on Windows":                     {env: []string{"RUNNER_OS=Windows"}, code: 127},
		"another archive than published": {tampered: true, code: 2, output: "is not what the release's checksums say"},
		"an archive without a checksum":  {env: []string{"RUNNER_OS=Windows", "RUNNER_ARCH=ARM64"}, code: 2, output: "checksums.txt does not name m2m_0.1.2_windows_arm64.zip"},
		"a version that is not there":    {env: []string{"M2M_ACTION_VERSION=9.9.9"}, code: 2, output: "cannot be downloaded"},
		"a version that is a script":     {env: []string{"M2M_ACTION_VERSION=$(touch ran)"}, code: 2, output: "has to look like 0.1.0"},
		"a version that is a path":       {env: []string{"M2M_ACTION_VERSION=../0.1.2"}, code: 2, output: "has to look like 0.1.0"},
		"a strange processor":            {env: []string{"RUNNER_ARCH=S390X"}, code: 2, output: "no release for S390X"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			code, output := r.run("install.sh", append(test.env, release(t, test.tampered))...)
			if code != test.code || !strings.Contains(output, test.output) {
				t.Errorf("got exit code %d, want %d; want %q in:\n%s", code, test.code, test.output, output)
			}
			installed := strings.HasSuffix(r.wrote("path"), "/m2m-0.1.2\n") && r.wrote("output") == "version=0.1.2\n"
			if want := code != 2; installed != want {
				t.Errorf("installed: got %t, want %t: %q %q", installed, want, r.wrote("path"), r.wrote("output"))
			}
			if _, err := os.Stat(r.path("ran")); err == nil {
				t.Error("an input was run")
			}
		})
	}
}

func TestActionRuns(t *testing.T) {
	t.Parallel()
	const secret = "M2M_ACTION_SECRET=action-secret"
	tests := map[string]struct {
		env    []string
		code   int
		output string
		// early says that it ends before there is anything to report.
		early bool
	}{
		"verify":                      {env: []string{"M2M_ACTION_RUN=verify", "M2M_ACTION_FILES=good *.http\n", secret}, output: "2 checked: 2 valid"},
		"one that is not valid":       {env: []string{"M2M_ACTION_RUN=verify", "M2M_ACTION_FILES=good 1.http\nbad.http", secret}, code: 1, output: "2 checked: 1 valid, 1 INVALID"},
		"more arguments":              {env: []string{"M2M_ACTION_RUN=verify", "M2M_ACTION_FILES=good 1.http", "M2M_ACTION_ARGS=--tolerance\n1s\n--now\n2020-01-01T00:00:00Z", secret}, code: 1, output: "in the future"},
		"a handler that is not there": {env: []string{"M2M_ACTION_RUN=test", "M2M_ACTION_TO=http://127.0.0.1:1/", "M2M_ACTION_ARGS=--only\naccept.link.created"}, code: 3, output: "nothing listens on 127.0.0.1:1"},
		"no secret":                   {env: []string{"M2M_ACTION_RUN=verify", "M2M_ACTION_FILES=good 1.http"}, code: 2, output: "no webhook secret", early: true},
		"a pattern without a file":    {env: []string{"M2M_ACTION_RUN=verify", "M2M_ACTION_FILES=nothing*", secret}, code: 2, output: "nothing*"},
		"an input that is a script":   {env: []string{"M2M_ACTION_RUN=verify", "M2M_ACTION_FILES=$(touch ran); touch ran", "M2M_ACTION_ARGS=`touch ran`", secret}, code: 2},
		"neither test nor verify":     {env: []string{"M2M_ACTION_RUN=rm"}, code: 2, output: "run has to be test or verify", early: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			for file, secret := range map[string]string{"good 1.http": "action-secret", "good 2.http": "action-secret", "bad.http": "other"} {
				capture, err := exec.Command("m2m", "send", "link.created", "--print", "http", "--secret", secret).Output()
				if err == nil {
					err = os.WriteFile(r.path(file), capture, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			defaults := []string{"M2M_ACTION_TO=", "M2M_ACTION_FILES=", "M2M_ACTION_ARGS=", "M2M_ACTION_SECRET=", "M2M_ACTION_REPORT=report.xml"}
			code, output := r.run("run.sh", append(defaults, test.env...)...)
			if code != test.code || !strings.Contains(output, test.output) {
				t.Errorf("got exit code %d, want %d; want %q in:\n%s", code, test.code, test.output, output)
			}
			if want := fmt.Sprintf("exit-code=%d\n", code); name != "neither test nor verify" && r.wrote("output") != want {
				t.Errorf("got the output %q, want %q", r.wrote("output"), want)
			}
			if reported := r.wrote("report.xml") != ""; reported == test.early {
				t.Errorf("a report: got %t, want %t", reported, !test.early)
			}
			if strings.Contains(output, "action-secret") {
				t.Errorf("the secret is told:\n%s", output)
			}
			if _, err := os.Stat(r.path("ran")); err == nil {
				t.Error("an input was run")
			}
		})
	}
}
