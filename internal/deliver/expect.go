package deliver

import (
	"fmt"
	"strconv"
	"strings"
)

// Expectation is the set of HTTP statuses that count as delivered.
type Expectation struct {
	ranges []statusRange
	text   string
}

type statusRange struct{ first, last int }

// ParseExpectation reads a status ("401"), a class ("2xx") or several of them with
// commas between.
func ParseExpectation(text string) (Expectation, error) {
	e := Expectation{text: text}
	for item := range strings.SplitSeq(text, ",") {
		r, ok := parseStatus(strings.ToLower(strings.TrimSpace(item)))
		if !ok {
			return Expectation{}, fmt.Errorf("%q is not a status such as 401 or a class such as 2xx", item)
		}
		e.ranges = append(e.ranges, r)
	}
	return e, nil
}

func parseStatus(text string) (statusRange, bool) {
	if len(text) != 3 || text[0] < '1' || text[0] > '5' {
		return statusRange{}, false
	}
	if text[1:] == "xx" {
		first := int(text[0]-'0') * 100
		return statusRange{first, first + 99}, true
	}
	status, err := strconv.ParseUint(text, 10, 16)
	return statusRange{int(status), int(status)}, err == nil
}

// String returns the text that it was read from.
func (e Expectation) String() string { return e.text }

// Holds says whether the status is one of them.
func (e Expectation) Holds(status int) bool {
	for _, r := range e.ranges {
		if status >= r.first && status <= r.last {
			return true
		}
	}
	return false
}
