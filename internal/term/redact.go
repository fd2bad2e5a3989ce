package term

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/leapfinancial/m2m/internal/delivery"
)

const mask = `"•••"`

// Redact returns JSON in which personal data is masked: every value below userData
// and name, and the values of the documented names and id numbers wherever they
// stand. Bytes that are no JSON object come back as they are.
func Redact(body []byte) []byte {
	if !gjson.ValidBytes(body) {
		return body
	}
	var b strings.Builder
	redactInto(&b, gjson.ParseBytes(body), false)
	return []byte(b.String())
}

// RedactRecord returns a copy of the record whose bodies are masked. Its signature
// is then no longer that of its body.
func RedactRecord(record delivery.Record) delivery.Record {
	record.Request.Body = Redact(record.Request.Body)
	if record.Response != nil {
		response := *record.Response
		response.Body = Redact(response.Body)
		record.Response = &response
	}
	return record
}

func redactInto(b *strings.Builder, value gjson.Result, personal bool) {
	if !value.IsObject() && !value.IsArray() {
		if personal && value.Type != gjson.Null {
			b.WriteString(mask)
			return
		}
		b.WriteString(value.Raw)
		return
	}
	open, closing := "{", "}"
	if value.IsArray() {
		open, closing = "[", "]"
	}
	b.WriteString(open)
	first := true
	value.ForEach(func(key, member gjson.Result) bool {
		if !first {
			b.WriteByte(',')
		}
		first = false
		if value.IsObject() {
			b.WriteString(key.Raw + ":")
		}
		redactInto(b, member, personal || isPersonal(key.Str))
		return true
	})
	b.WriteString(closing)
}

func isPersonal(member string) bool {
	switch member {
	case "userData", "name", "firstName", "secondName", "lastName", "secondLastName", "idNumber", "dob", "idImage":
		return true
	}
	return false
}
