package partner

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// UserData is the userData object of a reply: compact JSON with every value as it
// was spelled. The zero UserData is the empty object.
type UserData struct {
	compact []byte
}

// ParseUserData reads a JSON object. The error is a *NotObjectError. A byte order
// mark, which some editors write, is passed over.
func ParseUserData(data []byte) (UserData, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if _, err := parseObject(data); err != nil {
		return UserData{}, err
	}
	return compactObject(data), nil
}

// compactObject returns the UserData of a valid JSON object.
func compactObject(data []byte) UserData {
	var buf bytes.Buffer
	if err := json.Compact(&buf, data); err != nil {
		panic("partner: " + err.Error()) // data was validated
	}
	return UserData{compact: buf.Bytes()}
}

// JSON returns the object as compact JSON.
func (u UserData) JSON() []byte {
	if u.compact == nil {
		return []byte("{}")
	}
	return u.compact
}

func (u UserData) root() gjson.Result { return gjson.ParseBytes(u.JSON()) }

// Select returns what stands at the required paths and nothing else, in the order
// of required. Paths that are absent are left out. Elements of an array that come
// before a required one and were not asked for become null.
func (u UserData) Select(required []string) UserData {
	root := u.root()
	selected := []byte("{}")
	for _, path := range required {
		value, spelled, ok := lookup(root, path)
		if !ok {
			continue
		}
		var err error
		if selected, err = sjson.SetRawBytes(selected, spelled, []byte(value.Raw)); err != nil {
			panic("partner: " + err.Error()) // lookup made the path
		}
	}
	return UserData{compact: selected}
}

// Missing returns the required paths that are absent or empty: null, a string of
// white space alone, {} or [].
func (u UserData) Missing(required []string) []string {
	root := u.root()
	var missing []string
	for _, path := range required {
		if value, _, ok := lookup(root, path); !ok || isEmpty(value) {
			missing = append(missing, path)
		}
	}
	return missing
}

// ReplyBody returns the body of a reply, as compact JSON.
func ReplyBody(referenceID string, userData UserData) []byte {
	return encode(struct {
		ReferenceID string          `json:"referenceId"`
		UserData    json.RawMessage `json:"userData"`
	}{referenceID, userData.JSON()})
}

// lookup returns the value at a dotted path, and the path as sjson has to be told
// it. A step is the name of a member or the index of an element; whatever
// characters a name has, they stand for themselves.
func lookup(root gjson.Result, path string) (value gjson.Result, spelled string, ok bool) {
	value = root
	var steps []string
	for step := range strings.SplitSeq(path, ".") {
		switch {
		case step == "":
			return gjson.Result{}, "", false
		case value.IsObject():
			// Without the colon, sjson makes an array for a name of digits.
			steps = append(steps, ":"+gjson.Escape(step))
		case value.IsArray() && isIndex(step):
			steps = append(steps, step)
		default:
			return gjson.Result{}, "", false
		}
		if value = value.Get(gjson.Escape(step)); !value.Exists() {
			return gjson.Result{}, "", false
		}
	}
	return value, strings.Join(steps, "."), true
}

func isIndex(step string) bool {
	n, err := strconv.Atoi(step)
	return err == nil && n >= 0 && strconv.Itoa(n) == step
}

func isEmpty(value gjson.Result) bool {
	switch {
	case value.Type == gjson.Null:
		return true
	case value.Type == gjson.String:
		return strings.TrimSpace(value.Str) == ""
	case value.IsObject() || value.IsArray():
		empty := true
		value.ForEach(func(_, _ gjson.Result) bool { empty = false; return false })
		return empty
	}
	return false
}
