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

// TestTypos holds that a slip of the fingers is understood, and that a word of its own is
// not taken for one.
func TestTypos(t *testing.T) {
	t.Parallel()
	commands := []string{"completion", "config", "demo", "events", "listen", "load", "replay", "reply", "send", "test", "verify", "version"}
	scenarios := []string{"happy-path", "cancelled", "data-request", "out-of-order", "retry-after-failure"}
	keys := []string{"webhook_secret", "api_key", "to", "env", "tolerance", "timeout", "profiles"}
	forms := []string{"http", "curl", "json", "vegeta"}
	shells := []string{"bash", "zsh", "fish", "powershell"}
	flags := []string{"--to", "--all", "--set", "--seed", "--secret", "--timeout"}
	for _, c := range []struct {
		word  string
		known []string
		want  string
	}{
		{"sned", commands, "send"},
		{"snd", commands, "send"},
		{"sendd", commands, "send"},
		{"esnd", commands, "send"},
		{"lsiten", commands, "listen"},
		{"lisen", commands, "listen"},
		{"SEND", commands, "send"},
		{"ver", commands, "verify"},
		{"opertion.created", events(), "operation.created"},
		{"operation-created", events(), "operation.created"},
		{"opened", events(), "link.opened"},
		{"happy", scenarios, "happy-path"},
		{"canceled", scenarios, "cancelled"},
		{"webhook-secret", keys, "webhook_secret"},
		{"tiemout", keys, "timeout"},
		{"jsno", forms, "json"},
		{"zhs", shells, "zsh"},
		{"bsh", shells, "bash"},
		{"--tmieout", flags, "--timeout"},
		{"--sec", flags, "--secret"},

		{"env", commands, ""},
		{"ve", commands, ""},
		{"foo", commands, ""},
		{"foo", keys, ""},
		{"d", scenarios, ""},
		{"help", forms, ""},
		{"ksh", shells, ""},
		{"csh", shells, ""},
		{"--foo", flags, ""},
		{"-", flags, ""},
		{"x", []string{""}, ""},
		{"é", flags, ""},
	} {
		if got := suggest.Nearest(c.word, c.known); got != c.want {
			t.Errorf("%q: got %q, want %q", c.word, got, c.want)
		}
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
