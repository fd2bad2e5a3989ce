package delivery_test

import (
	"testing"

	"github.com/leapfinancial/m2m/internal/delivery"
)

func TestEncodeLineEscapesWhatATerminalWouldObey(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\x7fb":      `"a\u007fb"`,
		"a\u009b1m":   `"a\u009b1m"`,
		"a\u202eb":    `"a\u202eb"`,
		"a\u2066b":    `"a\u2066b"`,
		"\u200fé & <": `"\u200fé & <"`,
		"\x1b[31m":    `"\u001b[31m"`,
	} {
		line, err := delivery.EncodeLine(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(line); got != want+"\n" {
			t.Errorf("%q: got %q, want %q and a newline", text, got, want)
		}
	}
}
