package partner

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// Finding is something to say about one field of user data. The message gives away
// nothing of the value, which is personal: no character, and not how many there are.
type Finding struct {
	// Path is the field's dotted path in userData.
	Path    string
	Message string
}

func (f Finding) String() string { return f.Path + ": " + f.Message }

// The documented fields; all of them hold text in every sample.
const (
	idTypeField   = "idType"
	idNumberField = "idNumber"
	dobField      = "dob"
)

func textFields() []string {
	return []string{
		"name.firstName", "name.secondName", "name.lastName", "name.secondLastName",
		idNumberField, idTypeField, dobField,
	}
}

// Check judges the values of the documented fields that are there and not empty.
// Problems are what no documented sample looks like: another JSON type than a
// string, a dob that is not a date in the past, an idNumber that is no CURP where
// idType says so. Warnings need not be wrong: M2M's own sample CURP has a check
// digit that the official rule does not give. Now decides what is past, in UTC.
func (u UserData) Check(now time.Time) (problems, warnings []Finding) {
	root := u.root()
	texts := map[string]string{}
	for _, path := range textFields() {
		value, _, ok := lookup(root, path)
		switch {
		case !ok || isEmpty(value):
		case isString(value):
			texts[path] = value.Str
		default:
			problems = append(problems, Finding{path, "it is " + kindName(value) + ", not a string"})
		}
	}
	if name := root.Get("name"); name.Exists() && !name.IsObject() && name.Type != gjson.Null {
		problems = append(problems, Finding{"name", "it is " + kindName(name) + ", not an object"})
	}
	if dob, ok := texts[dobField]; ok {
		if message := checkDOB(dob, now); message != "" {
			problems = append(problems, Finding{dobField, message})
		}
	}
	number, ok := texts[idNumberField]
	if !ok || texts[idTypeField] != "CURP" {
		return problems, warnings
	}
	curp := []rune(number)
	if message := checkCURPForm(curp); message != "" {
		return append(problems, Finding{idNumberField, message}), warnings
	}
	if curpCheckDigit(curp) != int(curp[17]-'0') {
		warnings = append(warnings, Finding{idNumberField, "the CURP's check digit is not the one that the official rule gives"})
	}
	return problems, warnings
}

func checkDOB(dob string, now time.Time) string {
	date, err := time.Parse(time.DateOnly, dob)
	if err != nil {
		return "it is not a real date in the form YYYY-MM-DD"
	}
	if year, month, day := now.UTC().Date(); !date.Before(time.Date(year, month, day, 0, 0, 0, 0, time.UTC)) {
		return "the date is not in the past"
	}
	return ""
}

// curpForm has a letter for each character of a CURP: L a letter, D a digit, S the
// sex, A a letter or a digit.
const curpForm = "LLLLDDDDDDSLLLLLAD"

// curpAlphabet orders the characters of a CURP by the value that they have in its
// check digit.
const curpAlphabet = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"

func checkCURPForm(curp []rune) string {
	if len(curp) != len(curpForm) {
		return fmt.Sprintf("it does not have the %d characters of a CURP", len(curpForm))
	}
	for i, form := range curpForm {
		c := curp[i]
		digit := '0' <= c && c <= '9'
		letter := !digit && strings.ContainsRune(curpAlphabet, c)
		switch {
		case form == 'L' && !letter:
			return fmt.Sprintf("character %d has to be an upper-case letter in a CURP", i+1)
		case form == 'D' && !digit:
			return fmt.Sprintf("character %d has to be a digit in a CURP", i+1)
		case form == 'S' && !strings.ContainsRune("HMX", c):
			return fmt.Sprintf("character %d has to be H, M or X in a CURP", i+1)
		case form == 'A' && !letter && !digit:
			return fmt.Sprintf("character %d has to be an upper-case letter or a digit in a CURP", i+1)
		}
	}
	return ""
}

// curpCheckDigit returns the last digit that the official rule gives to a CURP of
// the right form: the values of the first 17 characters weigh 18 down to 2, and the
// digit completes their sum to a multiple of 10.
func curpCheckDigit(curp []rune) int {
	alphabet := []rune(curpAlphabet)
	sum := 0
	for i, c := range curp[:17] {
		sum += slices.Index(alphabet, c) * (18 - i)
	}
	return (10 - sum%10) % 10
}

// IsTextField says whether path is a documented field, all of which hold text.
func IsTextField(path string) bool { return slices.Contains(textFields(), path) }
