package examples_test

import (
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// pythonWithFlask returns the first Python that can import Flask. The one that comes
// first in PATH need not be the system's, and so not the one that has the system's Flask.
var pythonWithFlask = sync.OnceValue(func() string {
	for _, name := range []string{"python3", "/usr/bin/python3", "python"} {
		if exec.Command(name, "-c", "import flask").Run() == nil {
			return name
		}
	}
	return ""
})

// flaskCommand returns the command that starts the Flask handler.
func flaskCommand(t *testing.T) []string {
	t.Helper()
	return pythonCommand(t, "flask/app.py")
}

// pythonCommand returns the command that runs a script with a Python that has Flask. Where
// there is none the test is skipped.
func pythonCommand(t *testing.T, script string) []string {
	t.Helper()
	python := pythonWithFlask()
	if python == "" {
		missing(t, "Flask is missing: install Debian's python3-flask, or examples/flask/requirements.txt with pip")
	}
	dependsOn(t, script)
	return []string{python, filepath.FromSlash(script)}
}
