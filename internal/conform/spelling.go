package conform

import (
	"encoding/json"
	"strconv"

	"github.com/tidwall/pretty"
)

// asJavaScript returns a JSON document spelled as JSON.stringify spells it: without
// white space, members in their order, and each number as short as it can be. A
// handler that parses and spells again before it checks the signature then gets the
// same bytes, so that its habit shows where other spellings are sent, and nowhere else.
//
// Strings stay as they are: those of the documented samples need no escapes.
func asJavaScript(document []byte) []byte {
	compact := pretty.Ugly(document)
	spelled := make([]byte, 0, len(compact))
	inString := false
	for i := 0; i < len(compact); i++ {
		c := compact[i]
		switch {
		case inString && c == '\\':
			spelled = append(spelled, c, compact[i+1])
			i++
			continue
		case c == '"':
			inString = !inString
		case !inString && (c == '-' || c >= '0' && c <= '9'):
			end := i
			for end < len(compact) && isNumeric(compact[end]) {
				end++
			}
			spelled = append(spelled, shortest(string(compact[i:end]))...)
			i = end - 1
			continue
		}
		spelled = append(spelled, c)
	}
	return spelled
}

func isNumeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E'
}

// shortest spells a number as ECMAScript does, which encoding/json does, too, but for
// the sign of a zero.
func shortest(number string) string {
	value, err := strconv.ParseFloat(number, 64)
	switch {
	case err != nil:
		return number
	case value == 0:
		return "0"
	}
	text, _ := json.Marshal(value) // it is finite
	return string(text)
}
