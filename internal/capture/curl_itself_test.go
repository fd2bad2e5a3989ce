package capture_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCurlItself runs the commands of the table with the real curl and compares what
// a server got with what the package reads.
func TestCurlItself(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is missing: ", err)
	}
	for _, test := range curlCommands() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			shell := "sh"
			if test.bash {
				shell = "bash"
			}
			if _, err := exec.LookPath(shell); err != nil {
				t.Skip("the shell is missing: ", err)
			}
			received := make(chan *http.Request, 10)
			bodies := make(chan []byte, 10)
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				received <- r
				bodies <- body
			}))
			defer server.Close()
			text := strings.Replace(strings.Replace(test.text, "UR'L'", server.URL, 1), "URL", server.URL, 1)

			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			run := exec.CommandContext(ctx, shell, "-c", strings.TrimPrefix(text, "$ "))
			run.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NO_PROXY=*", "LC_ALL=C.UTF-8"}
			if out, err := run.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if len(received) != 1 {
				t.Fatalf("the server got %d requests, want 1", len(received))
			}
			sent, body := <-received, <-bodies

			got := readOne(t, text).Request
			if got.Method != sent.Method || got.URL != server.URL {
				t.Errorf("got %s %s, curl sent %s", got.Method, got.URL, sent.Method)
			}
			if string(got.Body) != string(body) {
				t.Errorf("body\n got %q\ncurl %q", got.Body, body)
			}
			read := http.Header{}
			for _, header := range got.Headers {
				read.Add(header.Name, header.Value)
			}
			// What is curl's own is not the delivery's, but for the type of its data.
			for _, name := range []string{"Accept", "Authorization", "Content-Length", "Cookie", "Referer", "User-Agent", "Accept-Encoding"} {
				if !slices.Contains(test.headers, strings.ToLower(name)+": "+read.Get(name)) {
					sent.Header.Del(name)
				}
			}
			if diff := cmp.Diff(sent.Header, read); diff != "" {
				t.Errorf("headers, curl's and ours:\n%s", diff)
			}
		})
	}
}
