package verify_test

import (
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/delivery"
)

func TestForeign(t *testing.T) {
	t.Parallel()
	const none = "it has none of M2M's headers: this is not one of its deliveries"
	headers := func(names ...string) delivery.Headers {
		var list delivery.Headers
		for _, name := range names {
			list = append(list, delivery.Header{Name: name, Value: "x"})
		}
		return list
	}
	for name, c := range map[string]struct {
		headers delivery.Headers
		want    string
	}{
		"no headers at all":                 {nil, none},
		"none that signs":                   {headers("Host", "Content-Type"), none},
		"Stripe's":                          {headers("Host", "Stripe-Signature"), none + ", but somebody else's, with Stripe-Signature"},
		"GitHub's two":                      {headers("X-Hub-Signature", "X-Hub-Signature-256"), none + ", but somebody else's, with X-Hub-Signature and X-Hub-Signature-256"},
		"Shopify's, in another case":        {headers("x-shopify-HMAC-sha256"), none + ", but somebody else's, with x-shopify-HMAC-sha256"},
		"more than anybody wants to read":   {headers("a-signature", "b-signature", "c-signature", "d-signature", "e-signature"), none + ", but somebody else's, with a-signature and b-signature and c-signature and more"},
		"a name that is longer than a name": {headers(strings.Repeat("signature", 1000)), none},
		"M2M's timestamp, without the rest": {headers("Stripe-Signature", "x-m2m-TIMESTAMP"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := newJudge(t, 0).Record("f:1", delivery.Record{Request: delivery.Request{Headers: c.headers}})
			if got.Foreign != c.want {
				t.Errorf("got  %q\nwant %q", got.Foreign, c.want)
			}
			if !strings.HasSuffix(got.Text(), c.want) || !strings.HasPrefix(got.Text(), "there is no X-M2M-Signature header") {
				t.Errorf("text: got %q", got.Text())
			}
		})
	}
}
