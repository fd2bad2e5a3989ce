package conform_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/conform"
)

// contract is the list of cases, each with its worst outcome, in their order.
const contract = `
accept.link.created fail
accept.link.opened fail
accept.user.data_request fail
accept.operation.created fail
accept.operation.cancelled fail
accept.exact-bytes fail
accept.charset fail
accept.lowercase-headers fail
accept.unicode fail
accept.unknown-fields fail
accept.unknown-event warn
accept.large warn
reject.missing-signature fail
reject.empty-signature fail
reject.truncated-signature fail
reject.wrong-secret fail
reject.empty-key fail
reject.missing-timestamp fail
reject.tampered-body fail
reject.tampered-timestamp fail
reject.stale warn
reject.future warn
reject.not-json warn
reject.get warn
survive.garbage fail
deliver.fast fail
deliver.duplicate fail
deliver.concurrent-duplicates fail
deliver.out-of-order fail
deliver.burst fail
data-request.answered warn
data-request.forged fail
`

func TestCasesAreTheContracts(t *testing.T) {
	t.Parallel()
	var got []string
	for _, c := range conform.Cases() {
		got = append(got, c.ID+" "+string(c.Worst))
	}
	want := strings.Split(strings.TrimSpace(contract), "\n")
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCasesSayWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	var groups []string
	for _, c := range conform.Cases() {
		if group := c.Group(); len(groups) == 0 || groups[len(groups)-1] != group {
			groups = append(groups, group)
		}
		for name, text := range map[string]string{"title": c.Title, "why": c.Why, "sends": c.Sends, "fix": c.Fix} {
			isSentence := name == "why" || name == "fix"
			switch {
			case text == "" || strings.TrimSpace(text) != text || strings.ContainsAny(text, "\n\t"):
				t.Errorf("%s: the %s is %q", c.ID, name, text)
			case isSentence && !strings.HasSuffix(text, "."):
				t.Errorf("%s: the %s is no sentence: %s", c.ID, name, text)
			case !isSentence && strings.HasSuffix(text, "."):
				t.Errorf("%s: the %s is a sentence: %s", c.ID, name, text)
			}
		}
	}
	if want := []string{"accept", "reject", "survive", "deliver", "data-request"}; !slices.Equal(groups, want) {
		t.Errorf("the groups come as %q, want %q", groups, want)
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		only, skip []string
		want       int
		first      string
		stranger   string
	}{
		{"everything", nil, nil, 32, "accept.link.created", ""},
		{"a group", []string{"reject.*"}, nil, 12, "reject.missing-signature", ""},
		{"one case", []string{"reject.stale"}, nil, 1, "reject.stale", ""},
		{"several patterns keep the order of the cases", []string{"data-request.forged", "reject.*"}, nil, 13, "reject.missing-signature", ""},
		{"a pattern twice", []string{"deliver.*", "deliver.fast"}, nil, 5, "deliver.fast", ""},
		{"all but a group", nil, []string{"deliver.*"}, 27, "accept.link.created", ""},
		{"a group without one", []string{"reject.*"}, []string{"reject.missing-*"}, 10, "reject.empty-signature", ""},
		{"a class of letters", []string{"deliver.[bf]*"}, nil, 2, "deliver.fast", ""},
		{"a star goes over full stops", []string{"*created"}, nil, 2, "accept.link.created", ""},
		{"nothing is left", []string{"reject.stale"}, []string{"reject.*"}, 0, "", ""},
		{"a pattern that matches nothing", []string{"reject.*", "rejects.*"}, nil, 0, "", "rejects.*"},
		{"one to skip", nil, []string{"reject.stall"}, 0, "", "reject.stall"},
		{"no glob", []string{"reject.["}, nil, 0, "", "reject.["},
		{"an empty pattern", []string{""}, nil, 0, "", ""},
		{"a group's name alone", []string{"reject"}, nil, 0, "", "reject"},
		{"capitals", []string{"REJECT.*"}, nil, 0, "", "REJECT.*"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			selected, stranger := conform.Select(conform.Cases(), c.only, c.skip)
			first := ""
			if len(selected) > 0 {
				first = selected[0].ID
			}
			if len(selected) != c.want || first != c.first || stranger != c.stranger {
				t.Errorf("got %d cases from %q and the stranger %q, want %d from %q and %q", len(selected), first, stranger, c.want, c.first, c.stranger)
			}
		})
	}
}
