package partner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// NotObjectError is bytes that are not a JSON object.
type NotObjectError struct {
	// Message says what they are instead, or where JSON ends being JSON.
	Message string
}

func (e *NotObjectError) Error() string { return e.Message }

// parseObject returns a JSON object, whose values keep the spelling they have in
// data. gjson itself takes anything, so data is validated first.
func parseObject(data []byte) (gjson.Result, error) {
	if !utf8.Valid(data) {
		return gjson.Result{}, &NotObjectError{Message: "it is not valid UTF-8"}
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return gjson.Result{}, &NotObjectError{Message: "it is empty"}
	}
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return gjson.Result{}, &NotObjectError{Message: "it is not JSON: " + place(data, err)}
	}
	root := gjson.ParseBytes(data)
	if !root.IsObject() {
		return gjson.Result{}, &NotObjectError{Message: "it is " + kindName(root) + ", not a JSON object"}
	}
	return root, nil
}

// place says where a syntax error is.
func place(data []byte, err error) string {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err.Error()
	}
	before := data[:max(0, min(int(syntax.Offset)-1, len(data)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - (bytes.LastIndexByte(before, '\n') + 1) + 1
	return fmt.Sprintf("line %d, column %d: %v", line, column, err)
}

func isString(value gjson.Result) bool { return value.Type == gjson.String }

// kindName names a value's JSON type in a sentence.
func kindName(value gjson.Result) string {
	switch {
	case value.IsObject():
		return "an object"
	case value.IsArray():
		return "an array"
	case value.IsBool():
		return "a boolean"
	case value.Type == gjson.Number:
		return "a number"
	case value.Type == gjson.String:
		return "a string"
	}
	return "null"
}

// encode returns v as compact JSON, with <, > and & left as they are.
func encode(v any) []byte {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("partner: " + err.Error()) // v is always one of this package's structs
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}
