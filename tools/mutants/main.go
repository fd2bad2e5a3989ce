// Command mutants breaks the product on purpose and sees a test fail for each break:
//
//	go run ./tools/mutants [PATTERN]
//
// It works on a copy of the tree. Each mutant of mutants.txt whose description or file
// the pattern matches is told in a line: whether a test saw it, and which. A mutant that
// no test sees makes the exit code 1.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	log.SetFlags(0)
	pattern := "."
	if len(os.Args) > 1 {
		pattern = os.Args[1]
	}
	if err := run(os.Stderr, pattern); err != nil {
		log.Fatal("mutants: ", err)
	}
}

func run(out io.Writer, pattern string) error {
	wanted, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	root, err := output("", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	root = strings.TrimSpace(root)
	mutants, err := readMutants(filepath.Join(root, "tools", "mutants", "mutants.txt"))
	if err != nil {
		return err
	}
	dir, err := copyTree(root)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	survived := 0
	for _, m := range mutants {
		if !wanted.MatchString(m.file + " " + m.what) {
			continue
		}
		saw, err := m.try(dir)
		switch {
		case err != nil:
			survived++
			saw = err.Error()
		case saw == "":
			survived++
			saw = "NOBODY"
		}
		fmt.Fprintf(out, "%-32s %s: %s\n", m.file, m.what, saw)
	}
	if survived > 0 {
		return fmt.Errorf("%d were seen by no test", survived)
	}
	return nil
}

// copyTree copies what git knows of, and the Express example's packages, which its
// tests need.
func copyTree(root string) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "mutants-"); err != nil {
		return "", err
	}
	files, err := output(root, "git", "ls-files", "-z")
	if err != nil {
		return "", err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(files, "\x00"), "\x00") {
		if err := copyFile(filepath.Join(root, name), filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	packages := filepath.Join("examples", "express", "node_modules")
	if _, err := os.Stat(filepath.Join(root, packages)); err == nil {
		return dir, os.Symlink(filepath.Join(root, packages), filepath.Join(dir, packages))
	}
	return dir, nil
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, data, info.Mode().Perm()))
}

// try breaks the tree, runs the tests that have to fail, and mends it. It returns
// those that did; nothing when all passed.
func (m mutant) try(dir string) (saw string, err error) {
	name := filepath.Join(dir, filepath.FromSlash(m.file))
	whole, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(whole), m.before); n != 1 {
		return "", fmt.Errorf("the text stands there %d times", n)
	}
	broken := strings.Replace(string(whole), m.before, m.after, 1)
	if err := os.WriteFile(name, []byte(broken), 0o600); err != nil {
		return "", err
	}
	told, err := output(dir, "go", "test", "-count=1", "-timeout=3m", "-run="+m.pattern(), m.pkg)
	if err := os.WriteFile(name, whole, 0o600); err != nil {
		return "", err
	}
	if strings.Contains(told, "no tests to run") {
		return "", fmt.Errorf("there is no %s in %s", m.test, m.pkg)
	}
	if err == nil {
		return "", nil
	}
	var failed []string
	for _, match := range regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`).FindAllStringSubmatch(told, -1) {
		failed = append(failed, match[1])
	}
	if len(failed) == 0 && strings.Contains(told, "panic: ") {
		failed = []string{"a panic"}
	}
	if len(failed) > 0 {
		return strings.Join(failed, " "), nil
	}
	return "", fmt.Errorf("the tests cannot be run:\n%s", told)
}

// pattern is go test's for just the tests that have to fail.
func (m mutant) pattern() string {
	names := strings.Split(m.test, "/")
	for i, name := range names {
		names[i] = "^(" + name + ")$"
	}
	return strings.Join(names, "/")
}

func output(dir, name string, args ...string) (string, error) {
	command := exec.Command(name, args...)
	command.Dir = dir
	data, err := command.CombinedOutput()
	return string(data), err
}
