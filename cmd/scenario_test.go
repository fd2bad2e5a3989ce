package cmd

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/deliver"
)

func TestScenarioOptions(t *testing.T) {
	t.Parallel()
	args := "--scenario story.yaml --to 8080 --seed 7 --now 1769437800 --time-scale 0.5 -H A:b --dry-run --env live --timeout 1s -k --cacert ca.pem --secret s --secret-file f"
	var got sendOptions
	command := newSendCmd(testApp(), func(_ context.Context, o *sendOptions) error { got = *o; return nil })
	if err := parse(t, command, strings.Fields(args)); err != nil {
		t.Fatal(err)
	}
	compare(t, sendOptions{
		Scenario: "story.yaml", Target: target(t, "http://localhost:8080/webhooks/m2m"), Seed: "7",
		Now: moment{text: "1769437800", fixed: time.Unix(1769437800, 0)}, TimeScale: 0.5,
		Headers: []deliver.HeaderEdit{{Name: "A", Value: "b"}}, Print: "http", DryRun: true, Env: "live",
		Connection: connectionFlags{Timeout: time.Second, Insecure: true, CACert: "ca.pem"}, Count: 1, Expect: expectation(t, "2xx"),
		Secrets: secretFlags{Secrets: []string{"s"}, SecretFiles: []string{"f"}},
	}, got)
}

// TestScenarioTakesNoOtherFlag tries every flag of send beside --scenario, so that a
// new one has to be decided on.
func TestScenarioTakesNoOtherFlag(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		"to": "localhost", "all": "true", "sample": "true", "add": "true", "now": "1", "timestamp": "1", "count": "2",
		"retry": "true", "schedule": "0s", "time-scale": "2", "duplicates": "1", "header": "A: b", "print": "curl", "dry-run": "true",
		"expect": "401", "timeout": "1s", "insecure": "true", "env": "live", "await-reply": "1s", "reply-addr": "localhost:9000", "reply-url": "http://a.test:9000",
	}
	for _, flag := range flagNames(t) {
		if flag == "scenario" {
			continue
		}
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			value, ok := values[flag]
			if !ok {
				value = "x"
			}
			command := newSendCmd(testApp(), func(context.Context, *sendOptions) error { return nil })
			if flag == "seed" {
				value = "1"
			}
			err := parse(t, command, []string{"--scenario", "cancelled", "--" + flag + "=" + value})
			want := ""
			if !strings.Contains(" to seed now time-scale header print dry-run env timeout insecure cacert secret secret-file ", " "+flag+" ") {
				want = "--" + flag + " and --scenario exclude each other"
			}
			if got := errorText(err); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func flagNames(t *testing.T) []string {
	t.Helper()
	var names []string
	newSendCmd(testApp(), nil).Flags().VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
	if len(names) < 20 {
		t.Fatalf("got the flags %q", names)
	}
	return names
}

// TestScenarioCountsDown waits for a step on a terminal, until the user has enough.
func TestScenarioCountsDown(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	seen := &screen{}
	world := *testApp().env
	world.In = strings.NewReader("steps: [{event: link.created}, {event: link.opened, wait: 1h}]")
	world.Out, world.Err = stream{seen}, &stream{seen}
	world.IsTerminal = func(w io.Writer) bool { return w == world.Err }
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan exitCode, 1)
	go func() { done <- run(ctx, &world, []string{"send", "--scenario", "-", "--to", server.URL}) }()
	const line = clearLine + "step 2 of 2, opened, in 1 h 0 min"
	seen.waitFor(t, line, 2)
	cancel(errInterrupted)
	if code := <-done; code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	got := seen.String()
	if rest := got[strings.LastIndex(got, clearLine)+len(clearLine):]; !strings.HasPrefix(rest, "m2m: interrupted before step 2 of 2, opened; not sent: opened\n") {
		t.Errorf("what is left at the end is %q", rest)
	}
}
