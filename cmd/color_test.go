package cmd

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestColorOfATerminal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environment map[string]string
		color       string
		want        bool
	}{
		"a terminal":             {map[string]string{"TERM": "xterm"}, "auto", true},
		"no word of its kind":    {nil, "auto", true},
		"NO_COLOR":               {map[string]string{"NO_COLOR": "1"}, "auto", false},
		"NO_COLOR, but empty":    {map[string]string{"NO_COLOR": ""}, "auto", true},
		"a dumb one":             {map[string]string{"TERM": "dumb"}, "auto", false},
		"a dumb one, but always": {map[string]string{"TERM": "dumb"}, "always", true},
		"never":                  {nil, "never", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := testApp()
			a.Color = c.color
			a.IsTerminal = func(io.Writer) bool { return true }
			a.LookupEnv = func(name string) (string, bool) { text, ok := c.environment[name]; return text, ok }
			var out bytes.Buffer
			p := a.printer(&out)
			p.Line("%s", p.Bold("x"))
			if got := strings.Contains(out.String(), "\x1b["); got != c.want {
				t.Errorf("colour: %t, want %t: %q", got, c.want, &out)
			}
		})
	}
}
