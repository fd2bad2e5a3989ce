package cmd

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/deliver"
)

func TestLoadOptions(t *testing.T) {
	t.Parallel()
	rate := func(text string, count int, per time.Duration) loadRate {
		return loadRate{text, deliver.Rate{Count: count, Per: per}}
	}
	defaults := loadOptions{
		Rate: rate("50/s", 50, time.Second), Duration: 10 * time.Second, Connections: 1000,
		Connection: connectionFlags{Timeout: 30 * time.Second}, Expect: expectation(t, "2xx"),
	}
	for _, test := range []struct {
		name string
		args string
		want func(*loadOptions)
	}{
		{"an event", "link.created", func(o *loadOptions) { o.Events = []string{"link.created"} }},
		{"a rate and a duration", "link.created link.opened --rate 200/s --duration 30s --connections 16", func(o *loadOptions) {
			o.Events, o.Rate, o.Duration, o.Connections = []string{"link.created", "link.opened"}, rate("200/s", 200, time.Second), 30*time.Second, 16
		}},
		{"a rate without a unit", "--all --rate 200", func(o *loadOptions) { o.All, o.Rate = true, rate("200/s", 200, time.Second) }},
		{"a rate by the minute", "--all --rate 30/m", func(o *loadOptions) { o.All, o.Rate = true, rate("30/m", 30, time.Minute) }},
		{"the same in another word", "--all --rate 30/min", func(o *loadOptions) { o.All, o.Rate = true, rate("30/min", 30, time.Minute) }},
		{"a rate as vegeta takes it", "--all --rate 50/1s", func(o *loadOptions) { o.All, o.Rate = true, rate("50/1s", 50, time.Second) }},
		{"a rate of bursts", "--all --rate 5/100ms", func(o *loadOptions) { o.All, o.Rate = true, rate("5/100ms", 5, 100*time.Millisecond) }},
		{"values, ids, headers", "--all --set a=1 --set-string b=2 --add --seed 7 --expect 4xx -y", func(o *loadOptions) {
			o.All, o.Sets, o.SetStrings, o.Add, o.Seed, o.Yes = true, []string{"a=1"}, []string{"b=2"}, true, "7", true
			o.Expect = expectation(t, "4xx")
		}},
		{"reports", "--all --report html=a --report html=b", func(o *loadOptions) {
			o.All, o.Reports = true, []reportFile{{"html", "a"}, {"html", "b"}}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := defaults
			test.want(&want)
			var got loadOptions
			command := newLoadCmd(testApp(), func(_ context.Context, o *loadOptions) error { got = *o; return nil })
			if err := parse(t, command, strings.Fields(test.args)); err != nil {
				t.Fatal(err)
			}
			compare(t, want, got)
		})
	}
}

func TestLoadRefusesOptions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ args, want string }{
		"no event":                      {"--rate 5/s", "name one or more of link.created"},
		"an event and all":              {"link.created --all", "exclude each other"},
		"a rate of nothing":             {"--all --rate 0", "bound it with --connections"},
		"a rate without a limit":        {"--all --rate infinity", "there is no rate without a limit"},
		"a negative rate":               {"--all --rate=-5/s", "not a rate such as 200/s"},
		"half a rate":                   {"--all --rate 200/", "not a rate such as 200/s"},
		"a rate with a fraction":        {"--all --rate 0.5/s", "not a rate such as 200/s"},
		"a rate in no time":             {"--all --rate 5/0s", "not a rate such as 200/s"},
		"a rate in an unknown unit":     {"--all --rate 5/fortnight", "not a rate such as 200/s"},
		"a rate that no machine has":    {"--all --rate 5/ns", "more than 1000000/s"},
		"a rate beyond all numbers":     {"--all --rate 99999999999/s", "not a rate such as 200/s"},
		"no duration":                   {"--all --duration 0s", "--duration 0: it has to be more than 0"},
		"a negative duration":           {"--all --duration=-1s", "is negative"},
		"no connection":                 {"--all --connections 0", "in 1 to 10000"},
		"more connections than ports":   {"--all --connections 70000", "in 1 to 10000"},
		"a seed that is no number":      {"--all --seed x", "it has to be a whole number"},
		"a report for CI servers":       {"--all --report junit=x", `unknown kind of report "junit"`},
		"a status that is none":         {"--all --expect 999", "not a status such as 401"},
		"a payload, which stays as old": {"--payload x", `unknown flag "--payload"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := newLoadCmd(testApp(), func(context.Context, *loadOptions) error { return nil })
			command.SetFlagErrorFunc(flagError)
			err := parse(t, command, strings.Fields(c.args))
			if err == nil || !strings.Contains(err.Error()+" "+hintOf(err), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}
