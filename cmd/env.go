package cmd

import (
	"crypto/rand"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/mattn/go-isatty"

	embedded "github.com/leapfinancial/m2m/fixtures"
)

// env is the only door to the world.
type env struct {
	In        io.Reader
	Out, Err  io.Writer
	Now       func() time.Time
	Rand      io.Reader
	Transport *http.Transport
	// Files holds the embedded samples, schemas and vectors.
	Files     fs.FS
	LookupEnv func(string) (string, bool)
	// ConfigDir is the user's configuration directory; empty where there is none.
	ConfigDir string
	// IsTerminal says whether a writer is one.
	IsTerminal func(io.Writer) bool
}

func systemEnv() *env {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	}
	return &env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Now: time.Now, Rand: rand.Reader, Transport: transport,
		Files: embedded.FS, LookupEnv: os.LookupEnv, ConfigDir: configDir(),
		IsTerminal: func(w io.Writer) bool {
			file, ok := w.(*os.File)
			return ok && isatty.IsTerminal(file.Fd())
		},
	}
}

// configDir is XDG_CONFIG_HOME, or its default; Windows has a place of its own.
func configDir() string {
	if dir := os.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	if runtime.GOOS == "windows" {
		dir, _ := os.UserConfigDir()
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".config")
}
