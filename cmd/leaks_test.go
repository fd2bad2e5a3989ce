package cmd

import (
	"runtime/debug"
	"strings"
	"testing"
)

// TestNothingRunsOn holds that commands that start servers of their own end them: the
// handlers and the API that they talk to stay, so that a connection that is left open is
// seen, too. What meets a fault is TestFaults'. It is not parallel: it counts goroutines.
func TestNothingRunsOn(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	servers := canaryServers(t)
	for _, line := range []string{
		"demo",
		"send user.data_request --await-reply 10s --to PARTNER",
		"send user.data_request --await-reply 1ms --to ECHO --expect 418",
		"send link.created --duplicates 5 --to ECHO",
		"test --to PARTNER --only accept.link.created --only data-request.answered",
		"load link.created --rate 20/s --duration 500ms --to PARTNER",
	} {
		t.Run(line, func(t *testing.T) {
			c := newCanary(t, servers)
			before := goroutines()
			code := run(t.Context(), c.env, strings.Fields(c.replace.Replace(line)))
			noGoroutineLeft(t, before)
			if t.Logf("exit code %d\n%s", code, c.seen); code > exitNo {
				t.Errorf("ended with %d", code)
			}
		})
	}
	t.Run("listen", func(t *testing.T) {
		c := newCanary(t, servers)
		before := goroutines()
		args := "listen --port 0 --save OUT/saved.ndjson --ready-file OUT/url --forward-to ECHO --answer IN/users.json --for 1m"
		c.listen(t, strings.Fields(c.replace.Replace(args)))
		noGoroutineLeft(t, before)
	})
}
