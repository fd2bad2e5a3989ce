package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/deliver"
	"github.com/leapfinancial/m2m/internal/endpoint"
)

// The types below are flags whose parsers also read the environment and the
// configuration files, so that a bad value is a bad value wherever it stands.

// enumValue is one of a few words, in any case.
type enumValue struct {
	name    string
	value   *string
	allowed []string
}

func (v *enumValue) String() string {
	if v.value == nil {
		return ""
	}
	return *v.value
}

func (v *enumValue) Type() string { return "string" }

func (v *enumValue) Set(text string) error {
	word := strings.ToLower(text)
	if !slices.Contains(v.allowed, word) {
		return unknown("value", text, v.allowed)
	}
	*v.value = word
	return nil
}

// listValue collects what a repeatable flag is given, byte for byte. pflag's own asks
// for 4 KiB for each such flag, in every run.
type listValue struct{ list *[]string }

func (v listValue) String() string { return "" }

func (v listValue) Type() string { return "string" }

func (v listValue) Set(text string) error {
	*v.list = append(*v.list, text)
	return nil
}

// spanValue is a duration that is not negative.
type spanValue struct{ value *time.Duration }

func (v spanValue) String() string {
	if v.value == nil || *v.value == 0 {
		return ""
	}
	return shortDuration(*v.value)
}

func (v spanValue) Type() string { return "duration" }

func (v spanValue) Set(text string) error {
	d, err := time.ParseDuration(text)
	if _, unitless := strconv.ParseUint(text, 10, 64); err != nil && unitless == nil {
		return fmt.Errorf("%q is not a duration, did you mean %ss?", text, text)
	}
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 30s or 5m", text)
	}
	if d < 0 {
		return fmt.Errorf("the duration %s is negative", text)
	}
	*v.value = d
	return nil
}

// shortDuration drops the zero parts that time.Duration prints: 5m, not 5m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// scheduleValue is a list of pauses with commas between, one before each attempt.
type scheduleValue struct{ value *[]time.Duration }

func (v scheduleValue) String() string { return "" }

func (v scheduleValue) Type() string { return "pauses" }

func (v scheduleValue) Set(text string) error {
	var pauses []time.Duration
	for item := range strings.SplitSeq(text, ",") {
		var pause time.Duration
		if err := (spanValue{&pause}).Set(strings.TrimSpace(item)); err != nil {
			return err
		}
		pauses = append(pauses, pause)
	}
	*v.value = pauses
	return nil
}

// scaleValue is a factor that is more than zero.
type scaleValue struct{ value *float64 }

func (v scaleValue) String() string { return "" }

func (v scaleValue) Type() string { return "factor" }

func (v scaleValue) Set(text string) error {
	factor, err := strconv.ParseFloat(text, 64)
	if err != nil || !(factor > 0) || factor > 1000 {
		return fmt.Errorf("%q is not a factor such as 0.001: more than 0, and no more than 1000", text)
	}
	*v.value = factor
	return nil
}

// targetValue is where deliveries go.
type targetValue struct{ value *endpoint.Target }

func (v targetValue) String() string {
	if v.value == nil || v.value.URL == nil {
		return ""
	}
	return v.value.String()
}

func (v targetValue) Type() string { return "target" }

func (v targetValue) Set(text string) error {
	target, err := endpoint.ParseTarget(text)
	if errors.Is(err, endpoint.ErrFragment) {
		return withHint(err, "leave out the # and what comes after it; %%23 is a # in a path")
	}
	if err != nil {
		return err
	}
	*v.value = target
	return nil
}

// sizeValue is a number of bytes that is not zero.
type sizeValue struct{ value *int64 }

func (v sizeValue) String() string {
	if v.value == nil {
		return ""
	}
	for _, unit := range sizeUnits() {
		if *v.value%unit.bytes == 0 && *v.value >= unit.bytes {
			return strconv.FormatInt(*v.value/unit.bytes, 10) + unit.name
		}
	}
	return strconv.FormatInt(*v.value, 10)
}

func (v sizeValue) Type() string { return "size" }

func (v sizeValue) Set(text string) error {
	number, scale := text, int64(1)
	for _, unit := range sizeUnits() {
		if cut, found := strings.CutSuffix(strings.ToLower(text), strings.ToLower(unit.name)); found {
			number, scale = cut, unit.bytes
			break
		}
	}
	const most = 1 << 30
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || n > most/scale {
		return fmt.Errorf("%q is not a size from 1 byte to 1GiB, such as 512KiB", text)
	}
	*v.value = n * scale
	return nil
}

type sizeUnit struct {
	name  string
	bytes int64
}

func sizeUnits() []sizeUnit {
	return []sizeUnit{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}
}

// expectValue is what status counts as delivered.
type expectValue struct{ value *deliver.Expectation }

// addExpect adds the flag, with its default.
func addExpect(flags *pflag.FlagSet, value *deliver.Expectation) {
	v := expectValue{value}
	// Every parser accepts it.
	if err := v.Set(defaultExpect); err != nil {
		panic(err)
	}
	flags.Var(v, "expect", "the `STATUS` that counts as delivered: 401, 4xx")
}

func (v expectValue) String() string {
	if v.value == nil {
		return ""
	}
	return v.value.String()
}

func (v expectValue) Type() string { return "status" }

func (v expectValue) Set(text string) error {
	expected, err := deliver.ParseExpectation(text)
	if err == nil {
		*v.value = expected
	}
	return err
}

// headerValue is a repeatable "Name: value".
type headerValue struct{ value *[]deliver.HeaderEdit }

func (v headerValue) String() string { return "" }

func (v headerValue) Type() string { return "header" }

func (v headerValue) Set(text string) error {
	edit, err := deliver.ParseHeader(text)
	if err != nil {
		return err
	}
	*v.value = append(*v.value, edit)
	return nil
}

// eventsValue is a list of documented events, with commas or repeated.
type eventsValue struct {
	value *[]string
	check func(string) error
}

func (v eventsValue) String() string { return "" }

func (v eventsValue) Type() string { return "events" }

func (v eventsValue) Set(text string) error {
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			return fmt.Errorf("%q has an empty name in it", text)
		}
		if err := v.check(name); err != nil {
			return err
		}
		*v.value = append(*v.value, name)
	}
	return nil
}
