package suggest_test

import (
	"slices"
	"testing"

	"github.com/leapfinancial/m2m/internal/suggest"
)

func events() []string {
	return []string{"link.created", "link.opened", "user.data_request", "operation.created", "operation.cancelled"}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"link.opend":         "link.opened",
		"LINK.OPENED":        "link.opened",
		"operation.canceled": "operation.cancelled",
		"operation":          "operation.created",
		"opened":             "link.opened",
		"data-request":       "",
		"zzz":                "",
		"":                   "",
	} {
		if got := suggest.Nearest(word, events()); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
	if got := suggest.Nearest("word", nil); got != "" {
		t.Errorf("got %q out of nothing", got)
	}
}

func TestNear(t *testing.T) {
	t.Parallel()
	known := []string{"data.amount.send", "data.amount.currency.send", "data.amount.rate"}
	for _, c := range []struct {
		word string
		n    int
		want []string
	}{
		{"send", 3, []string{"data.amount.send", "data.amount.currency.send"}},
		{"send", 1, []string{"data.amount.send"}},
		{"send", 0, nil},
		{"data.amount.rat", 1, []string{"data.amount.rate"}},
		{"amount.rate", 3, []string{"data.amount.rate"}},
	} {
		if got := suggest.Near(c.word, known, c.n); !slices.Equal(got, c.want) {
			t.Errorf("%q, %d: got %q, want %q", c.word, c.n, got, c.want)
		}
	}
}
