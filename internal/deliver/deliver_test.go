package deliver_test

import (
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/sign"
)

const (
	opened    = `{"event":"link.opened","data":{"linkId":"link_acme_1"}}`
	timestamp = "1769437800"
)

func newSpec(tb testing.TB, target string, headers ...string) deliver.Spec {
	tb.Helper()
	to, err := endpoint.ParseTarget(target)
	if err != nil {
		tb.Fatal(err)
	}
	key, err := sign.NewKey("a secret of this test")
	if err != nil {
		tb.Fatal(err)
	}
	spec := deliver.Spec{Target: to, Key: key, UserAgent: "m2m/test"}
	for _, header := range headers {
		edit, err := deliver.ParseHeader(header)
		if err != nil {
			tb.Fatal(err)
		}
		spec.Edits = append(spec.Edits, edit)
	}
	return spec
}

func documented(spec deliver.Spec, body string) delivery.Headers {
	return delivery.Headers{
		{Name: "Content-Type", Value: "application/json"},
		{Name: "User-Agent", Value: "m2m/test"},
		{Name: "X-M2M-Event", Value: "link.opened"},
		{Name: "X-M2M-Timestamp", Value: timestamp},
		{Name: "X-M2M-Signature", Value: spec.Key.Sign(timestamp, []byte(body))},
	}
}

func present() time.Time { return time.Date(2026, 1, 26, 14, 30, 0, 0, time.UTC) }
