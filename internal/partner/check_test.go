package partner_test

import (
	"strings"
	"testing"
	"time"

	"github.com/leapfinancial/m2m/internal/partner"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	curp := func(number string) string { return `{"idType":"CURP","idNumber":"` + number + `"}` }
	const wrongDigit = "idNumber: the CURP's check digit is not the one that the official rule gives"
	cases := []struct {
		name, userData, problem, warning string // empty for none
	}{
		{"nothing at all", `{}`, "", ""},
		{"empty values, which are Missing's affair", `{"dob":"","idNumber":null,"idType":" ","name":{}}`, "", ""},
		{"fields that nobody documented", `{"dob2":1,"address":{"dob":1}}`, "", ""},

		{"a day in the past", `{"dob":"1990-05-15"}`, "", ""},
		{"yesterday", `{"dob":"2026-01-25"}`, "", ""},
		{"today", `{"dob":"2026-01-26"}`, "dob: the date is not in the past", ""},
		{"a day to come", `{"dob":"2090-05-15"}`, "dob: the date is not in the past", ""},
		{"29 February of a leap year", `{"dob":"2000-02-29"}`, "", ""},
		{"29 February of another year", `{"dob":"1900-02-29"}`, "dob: it is not a real date", ""},
		{"a month of 13", `{"dob":"1990-13-01"}`, "dob: it is not a real date", ""},
		{"another order", `{"dob":"15-05-1990"}`, "dob: it is not a real date", ""},
		{"slashes", `{"dob":"1990/05/15"}`, "dob: it is not a real date", ""},
		{"one digit for a month", `{"dob":"1990-5-15"}`, "dob: it is not a real date", ""},
		{"a time of day", `{"dob":"1990-05-15T00:00:00Z"}`, "dob: it is not a real date", ""},
		{"a space behind", `{"dob":"1990-05-15 "}`, "dob: it is not a real date", ""},
		{"a number for a date", `{"dob":19900515}`, "dob: it is a number, not a string", ""},

		{"the documented CURP, whose check digit is wrong", curp("GALO900515HDFRPN09"), "", wrongDigit},
		{"the same with the digit that the rule gives", curp("GALO900515HDFRPN05"), "", ""},
		{"a CURP with a right check digit", curp("BOXW310820HNERXN09"), "", ""},
		{"a check digit of 0", curp("GALO900515HDFRCA00"), "", ""},
		{"a letter as the 17th character", curp("GALO000515MDFRPNA1"), "", ""},
		{"X for the sex", curp("GALO900515XDFRPN09"), "", ""},
		{"Ñ, which the alphabet has", curp("ÑALO900515HDFRPN09"), "", "check digit"},
		{"17 characters", curp("GALO900515HDFRPN0"), "idNumber: it does not have the 18 characters of a CURP", ""},
		{"19 characters", curp("GALO900515HDFRPN099"), "idNumber: it does not have the 18 characters of a CURP", ""},
		{"lower case", curp("galo900515hdfrpn09"), "idNumber: character 1 has to be an upper-case letter", ""},
		{"a digit among the first letters", curp("GAL0900515HDFRPN09"), "idNumber: character 4 has to be an upper-case letter", ""},
		{"a letter among the digits", curp("GALO9O0515HDFRPN09"), "idNumber: character 6 has to be a digit", ""},
		{"another sex", curp("GALO900515ZDFRPN09"), "idNumber: character 11 has to be H, M or X", ""},
		{"a digit among the last letters", curp("GALO900515HDFRP009"), "idNumber: character 16 has to be an upper-case letter", ""},
		{"a hyphen as the 17th character", curp("GALO900515HDFRPN-9"), "idNumber: character 17 has to be an upper-case letter or a digit", ""},
		{"a letter for the check digit", curp("GALO900515HDFRPN0A"), "idNumber: character 18 has to be a digit", ""},
		{"a digit of another script", curp("GALO900515HDFRPN0٩"), "idNumber: character 18 has to be a digit", ""},
		{"a number for a CURP", `{"idType":"CURP","idNumber":1}`, "idNumber: it is a number, not a string", ""},
		{"another type of id, of which nothing is known", `{"idType":"PASSPORT","idNumber":"x"}`, "", ""},
		{"an id number without a type", `{"idNumber":"x"}`, "", ""},
		{"a type that is no text", `{"idType":["CURP"],"idNumber":"x"}`, "idType: it is an array, not a string", ""},

		{"a name that is an object of texts", `{"name":{"firstName":"A","lastName":"B"}}`, "", ""},
		{"a name that is a text", `{"name":"Carlos Lopez"}`, "name: it is a string, not an object", ""},
		{"a part of a name that is a boolean", `{"name":{"firstName":true}}`, "name.firstName: it is a boolean, not a string", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			problems, warnings := parseUserData(t, c.userData).Check(answeredAt)
			expectFinding(t, "problem", problems, c.problem)
			expectFinding(t, "warning", warnings, c.warning)
		})
	}
}

func expectFinding(t *testing.T, kind string, findings []partner.Finding, want string) {
	t.Helper()
	switch {
	case want == "" && len(findings) > 0:
		t.Errorf("got the %ss %v, want none", kind, findings)
	case want != "" && (len(findings) != 1 || !strings.Contains(findings[0].String(), want)):
		t.Errorf("got the %ss %v, want one with %q", kind, findings, want)
	}
}

func TestCheckJudgesTheDayInUTC(t *testing.T) {
	t.Parallel()
	mexico := time.FixedZone("CST", -6*60*60)
	late := time.Date(2026, 1, 25, 20, 0, 0, 0, mexico) // 26 January in UTC
	if problems, _ := parseUserData(t, `{"dob":"2026-01-25"}`).Check(late); len(problems) > 0 {
		t.Errorf("got %v, want no problem", problems)
	}
}

func TestFindingsQuoteNoValue(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"dob":"SECRET"}`, `{"idType":"CURP","idNumber":"SECRET"}`, `{"idType":"CURP","idNumber":"GALO900515HDFRPN09"}`,
	} {
		problems, warnings := parseUserData(t, text).Check(answeredAt)
		for _, finding := range append(problems, warnings...) {
			if s := finding.String(); strings.Contains(s, "SECRET") || strings.Contains(s, "GALO") {
				t.Errorf("the finding quotes a personal value: %s", s)
			}
		}
	}
}

// TestFindingsGiveNothingAway: of another check digit, and of another length, the same is
// said.
func TestFindingsGiveNothingAway(t *testing.T) {
	t.Parallel()
	said := func(number string) string {
		problems, warnings := parseUserData(t, `{"idType":"CURP","idNumber":"`+number+`"}`).Check(answeredAt)
		if len(problems)+len(warnings) != 1 {
			t.Fatalf("%s: got %v and %v, want one finding", number, problems, warnings)
		}
		return append(problems, warnings...)[0].String()
	}
	if nine, six := said("GALO900515HDFRPN09"), said("GALO900515HDFRPN06"); nine != six {
		t.Errorf("two check digits are told apart: %q and %q", nine, six)
	}
	if short, long := said("GALO"), said("GALO900515HDFRPN0999"); short != long {
		t.Errorf("two lengths are told apart: %q and %q", short, long)
	}
}
