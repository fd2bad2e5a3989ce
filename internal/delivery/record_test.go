package delivery_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leapfinancial/m2m/internal/delivery"
)

func TestHeadersGet(t *testing.T) {
	t.Parallel()
	headers := delivery.Headers{
		{Name: "X-M2M-Signature", Value: "sha256=1"},
		{Name: "x-m2m-timestamp", Value: "1769437800"},
		{Name: "X-M2M-SIGNATURE", Value: "sha256=2"},
		{Name: "Empty", Value: ""},
		{Name: "Twice", Value: ""},
		{Name: "Twice", Value: ""},
	}
	cases := map[string]struct {
		name, want string
		ok         bool
	}{
		"as it is written":            {"x-m2m-timestamp", "1769437800", true},
		"in another case":             {"X-M2M-Timestamp", "1769437800", true},
		"a repeated one is joined":    {"X-M2M-Signature", "sha256=1, sha256=2", true},
		"an empty one is there":       {"Empty", "", true},
		"two empty ones are joined":   {"twice", ", ", true},
		"one that is not there":       {"X-M2M-Event", "", false},
		"the beginning of one is not": {"X-M2M", "", false},
	}
	for name, c := range cases {
		if got, ok := headers.Get(c.name); got != c.want || ok != c.ok {
			t.Errorf("%s: got %q (there: %t), want %q (%t)", name, got, ok, c.want, c.ok)
		}
	}
	if got, ok := delivery.Headers(nil).Get("Any"); got != "" || ok {
		t.Errorf("no headers: got %q (there: %t)", got, ok)
	}
}

func TestHeadersSetAndDel(t *testing.T) {
	t.Parallel()
	original := delivery.Headers{{Name: "a", Value: "1"}, {Name: "B", Value: "2"}, {Name: "A", Value: "3"}}
	headers := original
	headers.Set("A", "4")
	want := delivery.Headers{{Name: "B", Value: "2"}, {Name: "A", Value: "4"}}
	if diff := cmp.Diff(want, headers); diff != "" {
		t.Errorf("after Set (-want +got):\n%s", diff)
	}
	headers.Set("C", "5")
	headers.Del("b")
	want = delivery.Headers{{Name: "A", Value: "4"}, {Name: "C", Value: "5"}}
	if diff := cmp.Diff(want, headers); diff != "" {
		t.Errorf("after Del (-want +got):\n%s", diff)
	}
	headers.Del("a")
	headers.Del("c")
	headers.Del("c")
	if diff := cmp.Diff(delivery.Headers{}, headers, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("at the end (-want +got):\n%s", diff)
	}
	if original[0].Name != "a" || original[2].Value != "3" {
		t.Errorf("the list it was made from is now %v", original)
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"x-m2m-event":     "X-M2M-Event",
		"X-M2m-Timestamp": "X-M2M-Timestamp",
		"X-M2M-SIGNATURE": "X-M2M-Signature",
		"X-M2M-Signature": "X-M2M-Signature",
		"content-type":    "content-type",
		"x-m2m-other":     "x-m2m-other",
		"":                "",
	} {
		if got := delivery.Canonical(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestLineSpellsHeadersAsDocumented(t *testing.T) {
	t.Parallel()
	headers := delivery.Headers{{Name: "x-m2m-signature", Value: "a"}, {Name: "x-other", Value: "b"}}
	text := line(t, delivery.Record{Request: delivery.Request{Headers: headers}})
	const want = `"headers":[{"name":"X-M2M-Signature","value":"a"},{"name":"x-other","value":"b"}]`
	if !strings.Contains(text, want) {
		t.Errorf("got %s, want %s in it", text, want)
	}
	if headers[0].Name != "x-m2m-signature" {
		t.Errorf("the record itself now has %q", headers[0].Name)
	}
}
