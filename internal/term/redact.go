package term

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/leapfinancial/m2m/internal/delivery"
)

const mask = `"•••"`

// maxRedacted is how deep JSON may nest in which personal data is looked for. M2M's own
// nests three deep.
const maxRedacted = 100

// Redact returns JSON in which personal data is masked: every value below userData
// and name, the values of the documented names and id numbers wherever they stand, and
// every text that holds one of the known values. Where personal data stands in what is
// no JSON, or nests too deep, nobody can tell: it is masked as a whole, unless it is one
// of the phrases that handlers answer with.
func Redact(body []byte, known ...string) []byte {
	if len(body) == 0 || isPhrase(string(body)) {
		return body
	}
	if delivery.Nesting(body) > maxRedacted || !gjson.ValidBytes(body) {
		return fmt.Appendf(nil, "(%d bytes that are not JSON, masked)", len(body))
	}
	r := redaction{known: known}
	r.add(gjson.ParseBytes(body), false)
	if !r.masked {
		return body // to the byte: the signature stays its own
	}
	return []byte(r.String())
}

// isPhrase says whether an answer's text is a status's own, or that of M2M's documented
// handler.
func isPhrase(text string) bool {
	text = strings.TrimSpace(text)
	if text == "Invalid signature" {
		return true
	}
	for status := 200; status < 600; status++ {
		if phrase := (delivery.Response{Status: status}).Phrase(); text == phrase && phrase != "" {
			return true
		}
	}
	return false
}

// RedactText returns the text, or a mask where it quotes personal data that stands in the
// body.
func RedactText(text string, body []byte) string {
	if holdsAny(text, personal(body)) {
		return strings.Trim(mask, `"`)
	}
	return text
}

// personal returns the personal data in a body, as far as it is worth looking for.
func personal(body []byte) []string {
	if delivery.Nesting(body) > maxRedacted || !gjson.ValidBytes(body) {
		return nil
	}
	var r redaction
	r.add(gjson.ParseBytes(body), false)
	return r.found
}

func holdsAny(text string, values []string) bool {
	return slices.ContainsFunc(values, func(value string) bool { return strings.Contains(text, value) })
}

// RedactRecord returns a copy of the record whose bodies are masked. Where something was,
// its signature is no longer that of its body.
func RedactRecord(record delivery.Record) delivery.Record {
	known := personal(record.Request.Body)
	record.Request.Body = Redact(record.Request.Body)
	if record.Response != nil {
		response := *record.Response
		response.Body = Redact(response.Body, known...)
		record.Response = &response
	}
	return record
}

// redaction writes JSON anew, with masks.
type redaction struct {
	strings.Builder
	// known are values to mask wherever they stand, found those that were masked.
	known, found []string
	// masked says that a mask was written.
	masked bool
}

func (r *redaction) add(value gjson.Result, personal bool) {
	if !value.IsObject() && !value.IsArray() {
		r.leaf(value, personal)
		return
	}
	open, closing := "{", "}"
	if value.IsArray() {
		open, closing = "[", "]"
	}
	r.WriteString(open)
	first := true
	value.ForEach(func(key, member gjson.Result) bool {
		if !first {
			r.WriteByte(',')
		}
		first = false
		if value.IsObject() {
			r.WriteString(key.Raw + ":")
		}
		r.add(member, personal || isPersonal(key.Str))
		return true
	})
	r.WriteString(closing)
}

func (r *redaction) leaf(value gjson.Result, personal bool) {
	// Shorter ones stand in too many words.
	const shortest = 3
	text := value.String()
	if personal && len(text) >= shortest {
		r.found = append(r.found, text)
	}
	if personal && value.Type != gjson.Null || holdsAny(text, r.known) {
		r.WriteString(mask)
		r.masked = true
		return
	}
	r.WriteString(value.Raw)
}

func isPersonal(member string) bool {
	switch member {
	case "userData", "name", "firstName", "secondName", "lastName", "secondLastName", "idNumber", "dob", "idImage":
		return true
	}
	return false
}
