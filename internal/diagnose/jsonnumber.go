package diagnose

import (
	"bytes"
	"math"
	"slices"
	"strconv"
)

// numberStyle is how a writer spells numbers.
type numberStyle uint8

const (
	numbersAsGiven numberStyle = iota
	numbersJS
	numbersGo
	numbersPython
	numbersPHP
	numbersPHPFraction // with JSON_PRESERVE_ZERO_FRACTION
	numbersRuby
	numbersJava
	numbersGson // every number is a double
	numbersDotNet
	numbersBigDecimal
	numbersBigDecimalStripped // as Jackson strips the zeros at the end
	numbersTwoDecimals        // at least two
	numbersTwoDecimalsOfFractions
	numbersOneDecimal
	numberCount
)

type integers uint8

const (
	integersKept    integers = iota // of any length, as they are
	integersInt64                   // kept as far as 64 bits go
	integersDoubles                 // as any other number
)

// numberRules say how a writer spells integers and doubles. Doubles have the
// fewest digits that read back as the same number, everywhere.
type numberRules struct {
	integers integers
	// Without an exponent are doubles of at least 1e<from> and less than 1e<below>.
	from, below   int
	pointAnyway   bool // no exponent either as long as there are digits after the point
	wholePoint    bool // 100.0 without an exponent
	mantissaPoint bool // 1.0e+25
	exponent      string
	expDigits     int
	negativeZero  string
	infinity      string // what becomes of a number too large; refused when empty
}

func (s numberStyle) rules() numberRules {
	switch s {
	case numbersJS:
		return numberRules{integers: integersDoubles, from: -6, below: 21, exponent: "e+", expDigits: 1,
			negativeZero: "0", infinity: "null"}
	case numbersGo:
		return numberRules{integers: integersDoubles, from: -6, below: 21, exponent: "e+", expDigits: 1,
			negativeZero: "-0"}
	case numbersPython:
		return numberRules{from: -4, below: 16, wholePoint: true, exponent: "e+", expDigits: 2,
			negativeZero: "-0.0", infinity: "Infinity"}
	case numbersPHP:
		return numberRules{integers: integersInt64, from: -4, below: 17, mantissaPoint: true, exponent: "e+", expDigits: 1,
			negativeZero: "-0"}
	case numbersPHPFraction:
		return numberRules{integers: integersInt64, from: -4, below: 17, wholePoint: true, mantissaPoint: true,
			exponent: "e+", expDigits: 1, negativeZero: "-0.0"}
	case numbersRuby:
		return numberRules{from: -4, below: 15, pointAnyway: true, wholePoint: true, mantissaPoint: true,
			exponent: "e+", expDigits: 2, negativeZero: "-0.0"}
	case numbersJava:
		return numberRules{from: -3, below: 7, wholePoint: true, mantissaPoint: true, exponent: "E", expDigits: 1,
			negativeZero: "-0.0"}
	case numbersGson:
		return numberRules{integers: integersDoubles, from: -3, below: 7, wholePoint: true, mantissaPoint: true,
			exponent: "E", expDigits: 1, negativeZero: "-0.0"}
	case numbersDotNet:
		return numberRules{integers: integersDoubles, from: -5, below: 15, exponent: "E+", expDigits: 2,
			negativeZero: "-0"}
	}
	return numberRules{}
}

// number is one number of the document.
type number struct {
	token   []byte
	integer bool // spelled without fraction and exponent
	// The double nearest to it is digits with a point after the first, times
	// ten to the power exp; no digits are zero.
	negative bool
	infinite bool
	digits   []byte
	exp      int
}

// read fills n from a token, in whose place it may keep no more than the next call.
func (n *number) read(token []byte) {
	digits := bytes.TrimPrefix(token, []byte{'-'})
	*n = number{token: token, negative: len(digits) < len(token), digits: n.digits[:0]}
	n.integer = !bytes.ContainsAny(token, ".eE")
	if n.integer && len(digits) <= 15 {
		if digits[0] != '0' {
			n.exp = len(digits) - 1
			n.digits = append(n.digits, bytes.TrimRight(digits, "0")...)
		}
		return
	}
	value, err := strconv.ParseFloat(string(digits), 64)
	if err != nil || math.IsInf(value, 0) {
		n.infinite = true
		return
	}
	if value == 0 {
		return
	}
	var scratch [32]byte
	text := strconv.AppendFloat(scratch[:0], value, 'e', -1, 64)
	mantissa, exponent, _ := bytes.Cut(text, []byte{'e'})
	for _, c := range mantissa {
		if c != '.' {
			n.digits = append(n.digits, c)
		}
	}
	n.exp, _ = strconv.Atoi(string(exponent))
}

// rendering is all numbers of a document in one style, one after another.
type rendering struct {
	text    []byte
	ends    []int32
	refused bool // some number is too large for the writer
}

func (r *rendering) number(place int32) []byte {
	if place == 0 {
		return r.text[:r.ends[0]]
	}
	return r.text[r.ends[place-1]:r.ends[place]]
}

// renderNumbers spells all numbers in all styles.
func (d *document) renderNumbers() {
	var rules [numberCount]numberRules
	for s := range numberCount {
		rules[s] = s.rules()
		d.rendered[s].ends = make([]int32, 0, d.numbers)
	}
	var n number
	for _, at := range d.nodes {
		if at.kind != kindNumber {
			continue
		}
		n.read(d.body[at.start:at.end])
		for s := range numberCount {
			r := &d.rendered[s]
			if r.refused {
				continue
			}
			text, ok := s.append(r.text, &n, &rules[s])
			r.text, r.refused = text, !ok
			r.ends = append(r.ends, int32(len(text)))
		}
	}
}

// foldNumbers returns for each style the first that spells this document's numbers
// alike.
func (d *document) foldNumbers() (same [numberCount]numberStyle) {
	for s := range numberCount {
		same[s] = s
		for earlier := range s {
			a, b := &d.rendered[earlier], &d.rendered[s]
			if !a.refused && !b.refused && bytes.Equal(a.text, b.text) && slices.Equal(a.ends, b.ends) {
				same[s] = earlier
				break
			}
		}
	}
	return same
}
