package diagnose

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// stringStyle is how a writer spells strings.
type stringStyle uint8

const (
	stringsAsGiven     stringStyle = iota
	stringsAsGivenHTML             // a json.RawMessage that Go's json.Marshal passes through
	stringsJS
	stringsPythonASCII
	stringsPlain // Python without ensure_ascii, Ruby
	stringsGoHTML
	stringsGo
	stringsPHP
	stringsPHPPlainSlashes
	stringsPHPPlainUnicode
	stringsPHPPlain
	stringsRails
	stringsJackson      // as a String
	stringsJacksonBytes // as bytes, up to version 2 of Jackson
	stringsJacksonASCII
	stringsGsonHTML
	stringsGson
	stringsDotNet
	stringCount
)

type surrogates uint8

const (
	surrogatesRefused surrogates = iota
	surrogatesEscaped
	surrogatesReplaced // by U+FFFD
)

// stringRules say what a writer escapes besides what JSON itself demands.
type stringRules struct {
	escaped    class
	surrogates surrogates
	upper      bool // \u00E9, not \u00e9
	longQuote  bool // \u0022, not \"
}

func stringStyles() [stringCount]stringRules {
	const html = classHTML | classSeparator
	return [stringCount]stringRules{
		stringsAsGiven:         {},
		stringsAsGivenHTML:     {escaped: html},
		stringsJS:              {surrogates: surrogatesEscaped},
		stringsPythonASCII:     {escaped: classNonASCII | classDelete, surrogates: surrogatesEscaped},
		stringsPlain:           {},
		stringsGoHTML:          {escaped: html, surrogates: surrogatesReplaced},
		stringsGo:              {escaped: classSeparator, surrogates: surrogatesReplaced},
		stringsPHP:             {escaped: classSlash | classNonASCII},
		stringsPHPPlainSlashes: {escaped: classNonASCII},
		stringsPHPPlainUnicode: {escaped: classSlash | classSeparator},
		stringsPHPPlain:        {escaped: classSeparator},
		stringsRails:           {escaped: html},
		stringsJackson:         {upper: true},
		stringsJacksonBytes:    {escaped: classAstral, surrogates: surrogatesEscaped, upper: true},
		stringsJacksonASCII:    {escaped: classNonASCII, surrogates: surrogatesEscaped, upper: true},
		stringsGsonHTML:        {escaped: html | classApostrophe | classEquals},
		stringsGson:            {escaped: classSeparator},
		stringsDotNet: {escaped: classHTML | classApostrophe | classPlus | classDelete | classNonASCII,
			upper: true, longQuote: true},
	}
}

// touches returns the classes of strings that the style may spell otherwise than
// they were given.
func (s stringStyle) touches(rules stringRules) class {
	switch s {
	case stringsAsGiven:
		return 0
	case stringsAsGivenHTML:
		return rules.escaped
	}
	return rules.escaped | classEscape
}

// appendString appends a string, given with its quotes, in the style.
func (s stringStyle) appendString(dst, quoted []byte, rules stringRules) []byte {
	text := quoted[1 : len(quoted)-1]
	dst = append(dst, '"')
	for len(text) > 0 {
		if run := plainRun(text); run > 0 {
			dst, text = append(dst, text[:run]...), text[run:]
			continue
		}
		r, size := decodeRune(text)
		if s == stringsAsGivenHTML && (text[0] == '\\' || classOf(r)&rules.escaped == 0) {
			dst = append(dst, text[:size]...)
		} else {
			dst = rules.appendRune(dst, r)
		}
		text = text[size:]
	}
	return append(dst, '"')
}

// plainRun returns how many letters, digits and the like stand at the start of text:
// what no writer escapes.
func plainRun(text []byte) int {
	for i, c := range text {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= ':':
		case c == ' ' || c == '-' || c == '.' || c == ',' || c == '_':
		default:
			return i
		}
	}
	return len(text)
}

func (rules stringRules) appendRune(dst []byte, r rune) []byte {
	switch {
	case r == '"' && !rules.longQuote, r == '\\':
		return append(dst, '\\', byte(r))
	case r == '/' && rules.escaped&classSlash != 0:
		return append(dst, '\\', '/')
	case shortEscape(r) != 0:
		return append(dst, '\\', shortEscape(r))
	case isSurrogate(r) && rules.surrogates == surrogatesReplaced:
		return utf8.AppendRune(dst, utf8.RuneError)
	case r >= ' ' && r != '"' && !isSurrogate(r) && classOf(r)&rules.escaped == 0:
		return utf8.AppendRune(dst, r)
	case r > 0xFFFF:
		r -= 0x10000
		dst = rules.appendUnit(dst, 0xD800+r>>10)
		return rules.appendUnit(dst, 0xDC00+r&0x3FF)
	}
	return rules.appendUnit(dst, r)
}

func (rules stringRules) appendUnit(dst []byte, unit rune) []byte {
	digits := "0123456789abcdef"
	if rules.upper {
		digits = "0123456789ABCDEF"
	}
	return append(dst, '\\', 'u', digits[unit>>12&0xF], digits[unit>>8&0xF], digits[unit>>4&0xF], digits[unit&0xF])
}

// foldStrings returns for each style the first that spells this document's strings
// alike, and whether a writer of that style would have refused them.
func (d *document) foldStrings() (same [stringCount]stringStyle, refused [stringCount]bool) {
	styles := stringStyles()
	odd := d.oddRunes()
	var probes [stringCount][]byte
	for s := range stringCount {
		same[s] = s
		refused[s] = s >= stringsJS && (d.plain|d.escaped)&classSurrogate != 0 && styles[s].surrogates == surrogatesRefused
		switch {
		case s == stringsAsGiven || refused[s]:
			continue
		case d.alike(stringsAsGiven, s):
			same[s] = stringsAsGiven
			continue
		case s == stringsAsGivenHTML:
			if d.alike(s, stringsGoHTML) {
				same[s] = stringsGoHTML
			}
			continue
		}
		for _, r := range odd {
			probes[s] = styles[s].appendRune(append(probes[s], ' '), r)
		}
		for earlier := stringsJS; earlier < s; earlier++ {
			if !refused[earlier] && same[earlier] == earlier && bytes.Equal(probes[earlier], probes[s]) {
				same[s] = earlier
				break
			}
		}
	}
	// What Go's json.Marshal would write may have been found among the earlier.
	same[stringsAsGivenHTML] = same[same[stringsAsGivenHTML]]
	return same, refused
}

// alike reports whether two styles spell all strings of the document alike.
func (d *document) alike(a, b stringStyle) bool {
	styles := stringStyles()
	touched := a.touches(styles[a]) | b.touches(styles[b])
	if touched&(d.plain|d.escaped) == 0 {
		return true
	}
	var one, other []byte
	for _, n := range d.nodes {
		if n.kind != kindString || n.class&touched == 0 {
			continue
		}
		given := d.body[n.start:n.end]
		one, other = given, b.appendString(other[:0], given, styles[b])
		if a != stringsAsGiven {
			one = a.appendString(nil, given, styles[a])
		}
		if !bytes.Equal(one, other) {
			return false
		}
	}
	return true
}

// oddRunes returns the characters of the document that some writer escapes: some
// dozens of them, and where there are more, one of each class.
func (d *document) oddRunes() []rune {
	const enough = 64
	var odd []rune
	for _, n := range d.nodes {
		if n.kind != kindString || n.class == 0 {
			continue
		}
		for text := d.body[n.start+1 : n.end-1]; len(text) > 0; {
			if run := plainRun(text); run > 0 {
				text = text[run:]
				continue
			}
			r, size := decodeRune(text)
			text = text[size:]
			if classOf(r) == 0 || slices.Contains(odd, r) {
				continue
			}
			if odd = append(odd, r); len(odd) == enough {
				return append(odd, d.oneOfEachClass()...)
			}
		}
	}
	return odd
}

func (d *document) oneOfEachClass() []rune {
	var odd []rune
	for _, r := range "/<&'=+\x7F\u2019\u00E9\U0001F600\u2028\x01\x1F\"" {
		if is := classOf(r); is&(d.plain|d.escaped) == is {
			odd = append(odd, r)
		}
	}
	if (d.plain|d.escaped)&classSurrogate != 0 {
		odd = append(odd, 0xD800)
	}
	return odd
}
