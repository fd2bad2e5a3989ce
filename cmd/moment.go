package cmd

import (
	"fmt"
	"time"

	"github.com/leapfinancial/m2m/internal/sign"
)

// momentValue is a moment: Unix seconds, RFC 3339, or relative to the present.
type momentValue struct{ value *moment }

// moment is a point in time as the user gave it.
type moment struct {
	text     string
	fixed    time.Time
	relative time.Duration
}

func (v momentValue) String() string {
	if v.value == nil {
		return ""
	}
	return v.value.text
}

func (v momentValue) Type() string { return "time" }

func (v momentValue) Set(text string) error {
	*v.value = moment{text: text}
	if seconds, ok := sign.ParseTimestamp(text); ok {
		v.value.fixed = time.Unix(seconds, 0)
		return nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil && t.Unix() >= 0 {
		v.value.fixed = t
		return nil
	}
	if d, err := time.ParseDuration(text); err == nil && text != "0" {
		v.value.relative = d
		return nil
	}
	return fmt.Errorf("%q is not Unix seconds, RFC 3339 or relative such as -10m", text)
}

// at returns the moment, seen from now; a moment that was not given is now.
func (m moment) at(now time.Time) time.Time {
	if m.fixed.IsZero() {
		return now.Add(m.relative)
	}
	return m.fixed
}

// header returns the timestamp header for the moment: Unix seconds stay as they
// were typed.
func (m moment) header(now time.Time) string {
	if _, ok := sign.ParseTimestamp(m.text); ok {
		return m.text
	}
	return sign.FormatTimestamp(m.at(now))
}
