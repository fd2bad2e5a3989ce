package cmd_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/sign"
)

// TestForgeriesDoNotKeepTheReceiverBusy floods it with what a diagnosis would take
// minutes for, one after the other, and then delivers.
func TestForgeriesDoNotKeepTheReceiverBusy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ senders, each, size int }{
		"many small ones":  {8, 250, 1000},
		"a few large ones": {4, 5, 1_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := startListen(t)
			defer func() { _ = l.cmd.Process.Kill() }()
			key, err := sign.NewKey("a secret of this test")
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			var wait sync.WaitGroup
			for sender := range c.senders {
				wait.Go(func() {
					client := &http.Client{Transport: &http.Transport{}, Timeout: deadline}
					defer client.CloseIdleConnections()
					for n := range c.each {
						forge(t, client, l.url, fmt.Sprintf(`{"event":"link.opened","n":"%d-%d","pad":%q}`, sender, n, strings.Repeat("é 1.50 ", c.size/8)))
					}
				})
			}
			wait.Wait()
			if !deliverTo(t, &http.Client{Timeout: deadline}, l.url, key, "{}") {
				t.Error("the delivery after the flood was not answered")
			}
			if took := time.Since(began); took > deadline {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func forge(t *testing.T, client *http.Client, url, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	request.Header.Set(delivery.TimestampHeader, sign.FormatTimestamp(time.Now()))
	request.Header.Set(delivery.SignatureHeader, "sha256="+strings.Repeat("0", 64))
	response, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("answered %d, want 401", response.StatusCode)
	}
}
