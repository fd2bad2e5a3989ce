package diagnose

import (
	"bytes"
	"math"
	"slices"
	"strconv"
)

// append appends a number in the style. It is not ok when the writer would have
// refused it.
func (s numberStyle) append(dst []byte, n *number, rules *numberRules) (text []byte, ok bool) {
	switch s {
	case numbersAsGiven:
		return append(dst, n.token...), true
	case numbersTwoDecimals:
		return appendDecimals(dst, n.token, 2, true), true
	case numbersTwoDecimalsOfFractions:
		return appendDecimals(dst, n.token, 2, false), true
	case numbersOneDecimal:
		return appendDecimals(dst, n.token, 1, true), true
	case numbersBigDecimal, numbersBigDecimalStripped:
		if !n.integer {
			return appendBigDecimal(dst, n.token, s == numbersBigDecimalStripped)
		}
	}
	return rules.append(dst, n)
}

func (rules *numberRules) append(dst []byte, n *number) (text []byte, ok bool) {
	if n.integer {
		zero := len(n.digits) == 0 && !n.infinite
		switch rules.integers {
		case integersKept:
			if zero {
				return append(dst, '0'), true
			}
			return append(dst, n.token...), true
		case integersInt64:
			if zero {
				return append(dst, '0'), true
			}
			if len(n.token) < 19 {
				return append(dst, n.token...), true
			}
			if _, err := strconv.ParseInt(string(n.token), 10, 64); err == nil {
				return append(dst, n.token...), true
			}
		}
	}
	return rules.appendDouble(dst, n)
}

func (rules *numberRules) appendDouble(dst []byte, n *number) (text []byte, ok bool) {
	switch {
	case n.infinite && rules.infinity == "":
		return dst, false
	case len(n.digits) == 0 && !n.infinite && n.negative:
		return append(dst, rules.negativeZero...), true
	case n.infinite && rules.infinity == "null":
		return append(dst, "null"...), true
	}
	if n.negative {
		dst = append(dst, '-')
	}
	if n.infinite {
		return append(dst, rules.infinity...), true
	}
	digits, exp := n.digits, n.exp
	switch {
	case len(digits) == 0:
		dst = append(dst, '0')
	case exp < rules.from || exp >= rules.below && (!rules.pointAnyway || len(digits) <= exp+1):
		return rules.appendExponent(dst, digits, exp), true
	case exp < 0:
		dst = append(dst, "0."...)
		dst = append(dst, "00000000"[:-exp-1]...)
		return append(dst, digits...), true
	case len(digits) > exp+1:
		dst = append(dst, digits[:exp+1]...)
		dst = append(dst, '.')
		return append(dst, digits[exp+1:]...), true
	default:
		dst = append(dst, digits...)
		dst = append(dst, "0000000000000000000000"[:exp+1-len(digits)]...)
	}
	if rules.wholePoint {
		dst = append(dst, ".0"...)
	}
	return dst, true
}

func (rules *numberRules) appendExponent(dst, digits []byte, exp int) []byte {
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	} else if rules.mantissaPoint {
		dst = append(dst, ".0"...)
	}
	if exp < 0 {
		dst = append(dst, rules.exponent[0], '-')
		exp = -exp
	} else {
		dst = append(dst, rules.exponent...)
	}
	if rules.expDigits == 2 && exp < 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, int64(exp), 10)
}

// appendDecimals appends a number with at least so many decimals, unless it has an
// exponent, or, when not of all numbers, no fraction.
func appendDecimals(dst, token []byte, decimals int, all bool) []byte {
	dst = append(dst, token...)
	if bytes.ContainsAny(token, "eE") {
		return dst
	}
	point := bytes.IndexByte(token, '.')
	if point < 0 {
		if !all {
			return dst
		}
		point = len(token)
		dst = append(dst, '.')
	}
	for have := max(0, len(token)-point-1); have < decimals; have++ {
		dst = append(dst, '0')
	}
	return dst
}

// appendBigDecimal appends a number as Java's BigDecimal.toString spells it.
func appendBigDecimal(dst, token []byte, strip bool) (text []byte, ok bool) {
	negative := token[0] == '-'
	if negative {
		token = token[1:]
	}
	scale := 0
	if e := bytes.IndexAny(token, "eE"); e >= 0 {
		exp, err := strconv.ParseInt(string(token[e+1:]), 10, 32)
		if err != nil || exp == math.MinInt32 {
			return dst, false
		}
		token, scale = token[:e], -int(exp)
	}
	whole, fraction, _ := bytes.Cut(token, []byte{'.'})
	scale += len(fraction)
	digits := bytes.TrimLeft(slices.Concat(whole, fraction), "0")
	if len(digits) == 0 {
		digits, negative = []byte{'0'}, false
		if strip {
			return append(dst, '0'), true
		}
	}
	if strip {
		kept := bytes.TrimRight(digits, "0")
		scale -= len(digits) - len(kept)
		digits = kept
	}
	if scale > math.MaxInt32 || scale < math.MinInt32 {
		return dst, false
	}
	if negative {
		dst = append(dst, '-')
	}
	adjusted := len(digits) - 1 - scale
	if scale >= 0 && adjusted >= -6 {
		if adjusted < 0 {
			dst = append(dst, "0."...)
			dst = append(dst, "000000"[:-adjusted-1]...)
			return append(dst, digits...), true
		}
		dst = append(dst, digits[:adjusted+1]...)
		if scale > 0 {
			dst = append(dst, '.')
			dst = append(dst, digits[adjusted+1:]...)
		}
		return dst, true
	}
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	if adjusted != 0 {
		dst = append(dst, 'E')
		if adjusted > 0 {
			dst = append(dst, '+')
		}
		dst = strconv.AppendInt(dst, int64(adjusted), 10)
	}
	return dst, true
}
