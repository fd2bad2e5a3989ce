package cmd

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/cobra"

	embedded "github.com/leapfinancial/m2m/fixtures"
	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/endpoint"
)

// testApp is an app without a world: no files, no environment, a fixed clock.
func testApp() *app {
	return newApp(&env{
		In: strings.NewReader(""), Out: io.Discard, Err: io.Discard,
		Now: func() time.Time { return time.Unix(1769437800, 0) }, Rand: rand.Reader,
		Transport: &http.Transport{}, Files: embedded.FS,
		LookupEnv:  func(string) (string, bool) { return "", false },
		IsTerminal: func(io.Writer) bool { return false },
	}, nil)
}

// parse runs a command whose runF only takes the options down.
func parse(t *testing.T, command *cobra.Command, args []string) error {
	t.Helper()
	command.SilenceErrors, command.SilenceUsage = true, true
	command.SetArgs(args)
	var out bytes.Buffer
	command.SetOut(&out)
	command.SetErr(&out)
	return command.ExecuteContext(t.Context())
}

func target(t *testing.T, text string) endpoint.Target {
	t.Helper()
	got, err := endpoint.ParseTarget(text)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func expectation(t *testing.T, text string) deliver.Expectation {
	t.Helper()
	got, err := deliver.ParseExpectation(text)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func compare[T any](t *testing.T, want, got T) {
	t.Helper()
	options := cmp.Options{
		cmpopts.IgnoreTypes(&app{}), cmpopts.EquateEmpty(),
		cmp.Exporter(func(reflect.Type) bool { return true }),
		cmp.Comparer(time.Time.Equal),
		cmp.Comparer(func(a, b endpoint.Target) bool {
			return (a.URL == nil) == (b.URL == nil) && (a.URL == nil || a.String() == b.String())
		}),
	}
	if diff := cmp.Diff(want, got, options); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestSendOptions(t *testing.T) {
	t.Parallel()
	defaults := sendOptions{Count: 1, TimeScale: 1, Connection: connectionFlags{Timeout: 30 * time.Second}, Env: "sandbox", Expect: expectation(t, "2xx")}
	tests := []struct {
		name string
		args string
		want func(*sendOptions)
	}{
		{"events by name", "link.created link.opened", func(o *sendOptions) { o.Events = []string{"link.created", "link.opened"} }},
		{"the five, twice", "--all --count 2", func(o *sendOptions) { o.All, o.Count = true, 2 }},
		{"a target that is completed", "link.created --to 8080", func(o *sendOptions) {
			o.Events, o.Target = []string{"link.created"}, target(t, "http://localhost:8080/webhooks/m2m")
		}},
		{"values keep their order and their commas", "x --set a=1,2 --set b=2 --set-string c=3 --add", func(o *sendOptions) {
			o.Events, o.Sets, o.SetStrings, o.Add = []string{"x"}, []string{"a=1,2", "b=2"}, []string{"c=3"}, true
		}},
		{"moments", "x --seed 7 --now 1769437800 --timestamp -10m", func(o *sendOptions) {
			o.Events, o.Seed = []string{"x"}, "7"
			o.Now = moment{text: "1769437800", fixed: time.Unix(1769437800, 0)}
			o.Timestamp = moment{text: "-10m", relative: -10 * time.Minute}
		}},
		{"a header is split at the first colon", "x -H X-Url:http://a.test:80/", func(o *sendOptions) {
			o.Events, o.Headers = []string{"x"}, []deliver.HeaderEdit{{Name: "X-Url", Value: "http://a.test:80/"}}
		}},
		{"a dry run prints", "x --dry-run", func(o *sendOptions) { o.Events, o.DryRun, o.Print = []string{"x"}, true, "http" }},
		{"--print goes before --dry-run", "x --dry-run --print CURL", func(o *sendOptions) {
			o.Events, o.DryRun, o.Print = []string{"x"}, true, "curl"
		}},
		{"how to deliver", "--payload - --expect 4xx --timeout 0s -k --cacert ca.pem --env live", func(o *sendOptions) {
			o.Payload, o.Expect, o.Connection, o.Env = "-", expectation(t, "4xx"), connectionFlags{Timeout: 0, Insecure: true, CACert: "ca.pem"}, "live"
		}},
		{"what to break", "x --fault stale --duplicates 2", func(o *sendOptions) {
			o.Events, o.Fault, o.Duplicates = []string{"x"}, "stale", 2
		}},
		{"when to try again", "x --schedule 0s,1s,5m --time-scale 0.5", func(o *sendOptions) {
			o.Events, o.Schedule, o.TimeScale = []string{"x"}, []time.Duration{0, time.Second, 5 * time.Minute}, 0.5
		}},
		{"when M2M tries again", "x --retry", func(o *sendOptions) {
			o.Events, o.Schedule = []string{"x"}, deliver.Schedule()
		}},
		{"secrets are not split", "x --secret a,b --secret c --secret-file f", func(o *sendOptions) {
			o.Events, o.Secrets = []string{"x"}, secretFlags{Secrets: []string{"a,b", "c"}, SecretFiles: []string{"f"}}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := defaults
			test.want(&want)
			var got sendOptions
			command := newSendCmd(testApp(), func(_ context.Context, o *sendOptions) error { got = *o; return nil })
			if err := parse(t, command, strings.Fields(test.args)); err != nil {
				t.Fatal(err)
			}
			compare(t, want, got)
		})
	}
}

func TestListenOptions(t *testing.T) {
	t.Parallel()
	defaults := listenOptions{Host: "localhost", Port: 3000, Format: "pretty", MaxBody: 1 << 20, Tolerance: 5 * time.Minute, Connection: connectionFlags{Timeout: 30 * time.Second}}
	tests := []struct {
		name string
		args string
		want func(*listenOptions)
	}{
		{"nothing", "", func(*listenOptions) {}},
		{"where", "--host ::1 -p 0 --tls-cert c --tls-key k --ready-file r", func(o *listenOptions) {
			o.Host, o.Port, o.HasPort, o.TLSCert, o.TLSKey, o.ReadyFile = "::1", 0, true, "c", "k", "r"
		}},
		{"which events, with commas and repeated", "--events link.created,link.opened -e user.data_request --expect operation.created", func(o *listenOptions) {
			o.Events, o.Expect = []string{"link.created", "link.opened", "user.data_request"}, []string{"operation.created"}
		}},
		{"how long", "--count 3 --for 1m30s", func(o *listenOptions) { o.Count, o.For = 3, 90*time.Second }},
		{"how strict", "--tolerance 0 --max-body 512KiB --no-verify", func(o *listenOptions) {
			o.Tolerance, o.MaxBody, o.NoVerify = 0, 512<<10, true
		}},
		{"how it looks", "--format LINE --save f", func(o *listenOptions) { o.Format, o.Save = "line", "f" }},
		{"where to pass on", "-f :8080 -k --cacert c --timeout 0", func(o *listenOptions) {
			o.ForwardTo, o.Connection = target(t, "http://localhost:8080/webhooks/m2m"), connectionFlags{Timeout: 0, Insecure: true, CACert: "c"}
		}},
		{"what to rehearse", "--respond 503 --fail-first 2 --delay 1s", func(o *listenOptions) {
			o.Respond, o.FailFirst, o.Delay = 503, 2, time.Second
		}},
		{"what else to do", "--exec true --answer u.json --api-key-file k --allow-host a --allow-host b", func(o *listenOptions) {
			o.Exec, o.Answer = "true", answerFlags{Users: "u.json", APIKeyFile: "k", AllowHosts: []string{"a", "b"}}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := defaults
			test.want(&want)
			var got listenOptions
			command := newListenCmd(testApp(), func(_ context.Context, o *listenOptions) error { got = *o; return nil })
			if err := parse(t, command, strings.Fields(test.args)); err != nil {
				t.Fatal(err)
			}
			compare(t, want, got)
		})
	}
}

func TestReplayOptions(t *testing.T) {
	t.Parallel()
	var got replayOptions
	command := newReplayCmd(testApp(), func(_ context.Context, o *replayOptions) error { got = *o; return nil })
	args := []string{"a", "-", "--to", "9090", "--as-captured", "-e", "x,y", "--only-invalid", "--only-failed", "-H", "A: b", "--expect", "401", "-y", "-k"}
	if err := parse(t, command, args); err != nil {
		t.Fatal(err)
	}
	compare(t, replayOptions{
		Files: []string{"a", "-"}, Target: target(t, "http://localhost:9090/webhooks/m2m"), AsCaptured: true,
		Events: []string{"x", "y"}, OnlyInvalid: true, OnlyFailed: true, Headers: []deliver.HeaderEdit{{Name: "A", Value: "b"}},
		Expect: expectation(t, "401"), Yes: true, Connection: connectionFlags{Timeout: 30 * time.Second, Insecure: true},
	}, got)
}

func TestVerifyOptions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		want verifyOptions
	}{
		{"captures", []string{"a", "-"}, verifyOptions{Files: []string{"a", "-"}, Format: "auto"}},
		{"a body and its two headers, one of them empty",
			[]string{"--payload", "p", "--signature", "", "--timestamp", "1"},
			verifyOptions{Payload: "p", Timestamp: "1", HasSignature: true, HasTimestamp: true, Format: "auto"}},
		{"a body and a file of headers", []string{"--payload", "-", "--headers", "h"}, verifyOptions{Payload: "-", Headers: "h", Format: "auto"}},
		{"freshness", []string{"a", "--tolerance", "5m", "--now", "2026-01-26T14:30:00Z", "--format", "http"}, verifyOptions{
			Files: []string{"a"}, Tolerance: 5 * time.Minute, Format: "http",
			Now: moment{text: "2026-01-26T14:30:00Z", fixed: time.Unix(1769437800, 0)},
		}},
		{"schemas and reports", []string{"a", "--schema", "--report", "junit=a=b,c.xml", "--report", "junit=m2m.xml"}, verifyOptions{
			Files: []string{"a"}, Format: "auto", Schema: true,
			Reports: []reportFile{{"junit", "a=b,c.xml"}, {"junit", "m2m.xml"}},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got verifyOptions
			command := newVerifyCmd(testApp(), func(_ context.Context, o *verifyOptions) error { got = *o; return nil })
			if err := parse(t, command, test.args); err != nil {
				t.Fatal(err)
			}
			compare(t, test.want, got)
		})
	}
}

func TestVerifyRefusesOptions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ args, want string }{
		"a report without a file":         {"a --report junit", "names no file"},
		"a report of no kind":             {"a --report =x", `unknown kind of report ""`},
		"a report that test alone writes": {"a --report html=x", `unknown kind of report "html"`},
		"two reports in one file":         {"a --report junit=x --report junit=x", "two reports in the same file"},
		"nothing":                         {"--schema", "nothing to verify"},
		"a body and a capture":            {"a --payload b", "exclude each other"},
		"a body without its timestamp":    {"--payload b --signature s", "needs its headers"},
		"headers without a body":          {"a --headers h", "belong to --payload"},
		"headers twice":                   {"--payload b --headers h --timestamp 1", "exclude each other"},
		"a form that there is not":        {"a --format har", "auto, http, ndjson, curl"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := newVerifyCmd(testApp(), func(context.Context, *verifyOptions) error { return nil })
			err := parse(t, command, strings.Fields(c.args))
			if err == nil || !strings.Contains(err.Error()+" "+hintOf(err), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}

func TestReplyOptions(t *testing.T) {
	t.Parallel()
	defaults := replyOptions{Env: "sandbox", Timeout: 30 * time.Second}
	tests := []struct {
		name string
		args string
		want func(*replyOptions)
	}{
		{"a captured event", "--event e --data d", func(o *replyOptions) { o.Event, o.Data = "e", "d" }},
		{"an id and values", "dr_x --reference-id u --set a=1,2 --set-string b=2 --partial --extra", func(o *replyOptions) {
			o.ID, o.Reference, o.Sets, o.SetStrings, o.Partial, o.Extra = "dr_x", "u", []string{"a=1,2"}, []string{"b=2"}, true, true
		}},
		{"the environment named is known to be named", "--event e --users u --env SANDBOX", func(o *replyOptions) {
			o.Event, o.Users, o.HasEnv = "e", "u", true
		}},
		{"where to, and with which key", "--event e --data d --endpoint u --allow-host a --allow-host b --api-key-file k --timeout 5s --cacert c",
			func(o *replyOptions) {
				o.Event, o.Data, o.Endpoint, o.AllowHosts, o.APIKeyFile = "e", "d", "u", []string{"a", "b"}, "k"
				o.Timeout, o.CACert = 5*time.Second, "c"
			}},
		{"a dry run prints", "--event e --data d --dry-run", func(o *replyOptions) {
			o.Event, o.Data, o.DryRun, o.Print = "e", "d", true, "http"
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := defaults
			test.want(&want)
			var got replyOptions
			command := newReplyCmd(testApp(), func(_ context.Context, o *replyOptions) error { got = *o; return nil })
			if err := parse(t, command, strings.Fields(test.args)); err != nil {
				t.Fatal(err)
			}
			compare(t, want, got)
		})
	}
}
