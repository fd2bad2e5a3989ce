package term

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// Safe returns text with everything escaped that could move a terminal's cursor,
// change its state or reorder what it shows: C0, DEL, C1 and bidirectional control
// characters, line and paragraph separators, and bytes that are no UTF-8. So is the
// beginning of whatever a CI runner would take for a command in its log.
func Safe(text string) string {
	if text = inert(text); !strings.ContainsFunc(text, isUnsafe) {
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

// inert escapes the beginnings of commands to a CI runner: GitHub's "::error" where a line
// begins, and after any space, because lines are put together from what is safe; and what
// delivery.Inert names, wherever it stands.
func inert(text string) string {
	if strings.Contains(text, "##") {
		text = string(delivery.Inert([]byte(text)))
	}
	if !strings.Contains(text, "::") {
		return text
	}
	return regexp.MustCompile(`(^|[\s\p{Z}]):(:[A-Za-z])`).ReplaceAllString(text, `$1\u003a$2`)
}

func isUnsafe(r rune) bool {
	// Line and paragraph separators, and what takes no room on the screen.
	invisible := r == 0xfeff || r >= 0x200b && r <= 0x200d || r >= 0x2028 && r <= 0x2029 || r >= 0x2060 && r <= 0x2064
	return r < ' ' || r == utf8.RuneError || invisible || delivery.IsHidden(r)
}
