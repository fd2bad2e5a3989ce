package term

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// Safe returns text with everything escaped that could move a terminal's cursor,
// change its state or reorder what it shows: C0, DEL, C1 and bidirectional control
// characters, line and paragraph separators, and bytes that are no UTF-8.
func Safe(text string) string {
	if !strings.ContainsFunc(text, isUnsafe) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case isUnsafe(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(text[i : i+size])
		}
		i += size
	}
	return b.String()
}

func isUnsafe(r rune) bool {
	// Line and paragraph separators, and what takes no room on the screen.
	invisible := r == 0xfeff || r >= 0x200b && r <= 0x200d || r >= 0x2028 && r <= 0x2029 || r >= 0x2060 && r <= 0x2064
	return r < ' ' || r == utf8.RuneError || invisible || delivery.IsHidden(r)
}
