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
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leapfinancial/m2m/internal/capture"
	"github.com/leapfinancial/m2m/internal/delivery"
)

func formatted(url, body string, headers ...delivery.Header) delivery.Request {
	return delivery.Request{Method: "POST", URL: url, Headers: headers, Body: []byte(body)}
}

func TestFormatHTTP(t *testing.T) {
	t.Parallel()
	signature := delivery.Header{Name: "X-M2M-Signature", Value: "sha256=ab"}
	for name, c := range map[string]struct {
		request delivery.Request
		want    string
	}{
		"a delivery": {
			formatted("http://localhost:3000/hooks?a=b%20c", "{}\n", signature),
			"POST /hooks?a=b%20c HTTP/1.1\r\nHost: localhost:3000\r\nX-M2M-Signature: sha256=ab\r\nContent-Length: 3\r\n\r\n{}\n",
		},
		"a body of nothing": {
			formatted("https://hooks.test", ""), "POST / HTTP/1.1\r\nHost: hooks.test\r\nContent-Length: 0\r\n\r\n",
		},
		"any bytes": {
			formatted("http://[::1]:1/", "\xff\x00\r\n\r\n"),
			"POST / HTTP/1.1\r\nHost: [::1]:1\r\nContent-Length: 6\r\n\r\n\xff\x00\r\n\r\n",
		},
		"a host and a length of its own": {
			formatted("http://localhost/", "{}", delivery.Header{Name: "hOST", Value: "hooks.test"}, delivery.Header{Name: "content-length", Value: "2"}),
			"POST / HTTP/1.1\r\nHost: hooks.test\r\ncontent-length: 2\r\n\r\n{}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := capture.FormatHTTP(c.request)
			if err != nil || string(got) != c.want {
				t.Fatalf("got %q and %v, want %q", got, err, c.want)
			}
			if back := readOne(t, string(got)).Request; string(back.Body) != string(c.request.Body) {
				t.Errorf("read back body %q, want %q", back.Body, c.request.Body)
			}
		})
	}
	if got, err := capture.FormatHTTP(formatted("http://a b/", "")); err == nil {
		t.Errorf("got %q of a URL that is none", got)
	}
}

func bodies() []string {
	return []string{
		`{"event":"link.opened"}`, "", "'", `it's "quoted" \'twice\'`, "$HOME ${HOME} $(id) `id` !! \\", "\n\nlines\r\n\n",
		"@/etc/passwd", "é\u202e\U0001f600\x1b[31m", "a;b&c|d>e<f*g?[h]{i,j}#~", "-", "%41 + &a=b", strings.Repeat("'\n", 1000),
	}
}

func TestFormatCurlReadsBack(t *testing.T) {
	t.Parallel()
	for _, body := range bodies() {
		for _, headers := range []delivery.Headers{
			{{Name: "Content-Type", Value: "application/json"}, {Name: "X-M2M-Signature", Value: "it's $HOME `id` \\"}},
			{{Name: "Content-Type", Value: "application/json"}, {Name: "X-Empty", Value: ""}},
			{{Name: "X-M2M-Event", Value: "no content type"}},
		} {
			request := formatted("http://localhost:3000/a'b?c=[1]{2}", body, headers...)
			command, err := capture.FormatCurl(request, []string{"--insecure"}, "")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(request, readOne(t, command).Request, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s(-want +got):\n%s", command, diff)
			}
		}
	}
}

func TestFormatCurlRuns(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is missing: %v", program, err)
		}
	}
	type received struct {
		uri, body string
		header    http.Header
	}
	requests := make(chan received, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		requests <- received{r.Method + " " + r.RequestURI, string(body), r.Header}
	}))
	t.Cleanup(server.Close)
	run := func(command string) received {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		shell := exec.CommandContext(ctx, "sh", "-c", command)
		shell.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NO_PROXY=*", "LC_ALL=C.UTF-8", "KEY=m2m_test_$x'\"y"}
		if out, err := shell.CombinedOutput(); err != nil {
			t.Fatalf("%s%v: %s", command, err, out)
		}
		return <-requests
	}
	for _, body := range bodies() {
		command, err := capture.FormatCurl(formatted(server.URL+"/hooks?a='b'&c=[1-3]", body,
			delivery.Header{Name: "Content-Type", Value: "application/json"},
			delivery.Header{Name: "X-M2M-Signature", Value: "it's $HOME"},
			delivery.Header{Name: "X-Empty", Value: ""},
		), []string{"--silent"}, "")
		if err != nil {
			t.Fatal(err)
		}
		got := run(command)
		empty, isThere := got.header["X-Empty"]
		if got.body != body || got.uri != "POST /hooks?a='b'&c=[1-3]" || got.header.Get("X-M2M-Signature") != "it's $HOME" ||
			!isThere || !slices.Equal(empty, []string{""}) || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%scurl sent %q", command, got)
		}
	}
	command, err := capture.FormatCurl(delivery.Request{
		Method: "PUT", URL: server.URL + "/", Headers: delivery.Headers{{Name: "X-API-Key", Value: "$KEY"}}, Body: []byte("$KEY"),
	}, []string{"--silent"}, "x-api-key")
	if err != nil {
		t.Fatal(err)
	}
	got := run(command)
	if got.uri != "PUT /" || got.header.Get("X-API-Key") != `m2m_test_$x'"y` || got.body != "$KEY" {
		t.Errorf("%scurl sent %q", command, got)
	}
	if _, ok := got.header["Content-Type"]; ok {
		t.Errorf("%scurl sent a content type of its own: %q", command, got.header.Get("Content-Type"))
	}
}

func TestFormatCurlSpelling(t *testing.T) {
	t.Parallel()
	flags := []string{"--cacert", "a file"}
	got, err := capture.FormatCurl(formatted("http://localhost/[", "it's", delivery.Header{Name: "Content-Type", Value: "a"}), flags, "")
	if err != nil {
		t.Fatal(err)
	}
	want := "curl -X 'POST' 'http://localhost/[' \\\n  --globoff --cacert 'a file' \\\n  -H 'Content-Type: a' \\\n  --data-raw 'it'\\''s'\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if !slices.Equal(flags, []string{"--cacert", "a file"}) {
		t.Errorf("the caller's flags were changed to %q", flags)
	}
}

func TestFormatCurlRefuses(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"a NUL": "a\x00b", "no UTF-8": "a\xffb"} {
		if got, err := capture.FormatCurl(formatted("http://localhost/", body), nil, ""); err == nil {
			t.Errorf("%s: got %q, want an error", name, got)
		}
	}
}
