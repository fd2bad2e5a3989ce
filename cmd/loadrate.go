package cmd

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leapfinancial/m2m/internal/deliver"
)

// loadRate is a rate as the user gave it.
type loadRate struct {
	text string
	deliver.Rate
}

// maxRate is more than any machine sends, in deliveries a second.
const maxRate = 1_000_000

// rateValue is so many deliveries in each span of time, a second where none is named.
type rateValue struct{ value *loadRate }

func (v rateValue) String() string {
	if v.value == nil {
		return ""
	}
	return v.value.text
}

func (v rateValue) Type() string { return "rate" }

func (v rateValue) Set(text string) error {
	number, span, found := strings.Cut(text, "/")
	if number == "infinity" { // vegeta's word for 0
		number = "0"
	}
	if !found {
		span = "s"
	}
	count, err := strconv.ParseUint(number, 10, 31)
	var per time.Duration
	if err == nil {
		per, err = parsePer(span)
	}
	rate := deliver.Rate{Count: int(count), Per: per}
	switch {
	case err != nil:
		return withHint(fmt.Errorf("%q is not a rate such as 200/s, 30/m or 5/100ms", text), "a whole number, in a second or in any span of time: 1/2s is one every two seconds")
	case count == 0:
		return withHint(fmt.Errorf("%q delivers nothing", text), "there is no rate without a limit: ask for more than can be, and bound it with --connections")
	case rate.PerSecond() > maxRate:
		return fmt.Errorf("%q is more than %d/s", text, maxRate)
	}
	if !found {
		text += "/s"
	}
	*v.value = loadRate{text, rate}
	return nil
}

// parsePer reads a unit of time, or a number of them.
func parsePer(text string) (time.Duration, error) {
	switch text {
	case "sec", "second":
		text = "s"
	case "min", "minute":
		text = "m"
	case "hour":
		text = "h"
	}
	per, err := time.ParseDuration(text)
	if err != nil {
		per, err = time.ParseDuration("1" + text)
	}
	if err == nil && per <= 0 {
		err = errors.New("no time at all")
	}
	return per, err
}
