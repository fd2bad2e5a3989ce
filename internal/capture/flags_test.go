package capture

import (
	"os/exec"
	"strings"
	"testing"
)

// TestFlagsAreCurls holds the table of flags against the list that curl prints.
func TestFlagsAreCurls(t *testing.T) {
	t.Parallel()
	list, err := exec.Command("curl", "--help", "all").Output()
	if err != nil {
		t.Skip("curl is missing: ", err)
	}
	known := 0
	for line := range strings.Lines(string(list)) {
		fields := strings.Fields(line)
		letter := byte(0)
		if len(fields) > 0 && strings.HasSuffix(fields[0], ",") {
			letter = fields[0][1]
			fields = fields[1:]
		}
		if len(fields) < 2 || !strings.HasPrefix(fields[0], "--") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "--")
		kind := kindOf(name)
		if plain, negated := strings.CutPrefix(name, "no-"); negated && kind == flagUnknown {
			name, kind = plain, kindOf(plain)
		}
		if kind == flagUnknown {
			if letter != 0 && longName(letter) != "" {
				t.Errorf("-%c is %s here and --%s in curl", letter, longName(letter), name)
			}
			continue
		}
		known++
		if got, want := kind.takesValue(), strings.IndexByte("<[", fields[1][0]) >= 0; got != want {
			t.Errorf("--%s takes a value: got %t, want %t", name, got, want)
		}
		if letter != 0 && longName(letter) != name {
			t.Errorf("-%c: got %q, want %q", letter, longName(letter), name)
		}
	}
	if known < 100 {
		t.Errorf("curl lists %d of the flags that are known here, want 100 at least", known)
	}
}
