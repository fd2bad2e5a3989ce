package delivery

import (
	"fmt"
	"testing"
	"time"
)

// TestUsualTimeIsATime: what the short way takes, time.Parse takes, and the times
// that records have go the short way.
func TestUsualTimeIsATime(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"2026-01-26T14:30:00.123Z", "2026-01-26T14:30:00Z", "0000-01-01T00:00:00Z", "9999-12-28T23:59:59.999Z",
	} {
		if !isUsualTime([]byte(text)) {
			t.Errorf("%s: not taken", text)
		}
	}
	valid := "2026-01-26T14:30:00.123Z"
	taken := 0
	for _, base := range []string{valid, "2026-01-26T14:30:00Z", "2028-02-28T19:59:59.000Z", "1000-10-20T20:00:00Z"} {
		for at := range base {
			for c := range 256 {
				text := []byte(base)
				text[at] = byte(c)
				if !isUsualTime(text) {
					continue
				}
				taken++
				if _, err := time.Parse(time.RFC3339Nano, string(text)); err != nil {
					t.Errorf("%q: %v", text, err)
				}
			}
		}
	}
	if taken < 400 {
		t.Errorf("only %d taken", taken)
	}
	for month := range 20 {
		for day := range 40 {
			text := fmt.Sprintf("2025-%02d-%02dT24:30:00Z", month, day)
			if isUsualTime([]byte(text)) {
				t.Errorf("%s: taken, and there is no such hour", text)
			}
			text = fmt.Sprintf("2025-%02d-%02dT23:30:00Z", month, day)
			if _, err := time.Parse(time.RFC3339Nano, text); err != nil && isUsualTime([]byte(text)) {
				t.Errorf("%s: taken: %v", text, err)
			}
		}
	}
}
