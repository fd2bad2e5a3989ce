package partner_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/partner"
)

func TestReplyBodyIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	request, err := partner.ParseDataRequest(readFile(t, sampleRequest))
	if err != nil {
		t.Fatal(err)
	}
	userData := parseUserData(t, `{
		"dob": "1990-05-15", "idType": "CURP", "idNumber": "GALO900515HDFRPN09", "paymentMethod": {"x": 1},
		"name": {"firstName": "Oscar", "secondLastName": "Lopez", "secondName": "Carlos"}
	}`)
	got := string(partner.ReplyBody(request.ReferenceID, userData.Select(request.RequiredFields)))
	if want := compact(t, readFile(t, "testdata/reply.json")); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestReplyBodySpellsTextAsItIs(t *testing.T) {
	t.Parallel()
	got := string(partner.ReplyBody(`u<&>"é`, partner.UserData{}))
	if want := `{"referenceId":"u<&>\"é","userData":{}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, userData, required, want string
	}{
		{"nothing required", `{"a":1}`, "", `{}`},
		{"nothing there", `{}`, "a b.c", `{}`},
		{"the order of required", `{"a":1,"b":2}`, "b a", `{"b":2,"a":1}`},
		{"numbers as spelled", `{"a":100.00,"b":1e400,"c":12345678901234567890}`, "a b c", `{"a":100.00,"b":1e400,"c":12345678901234567890}`},
		{"texts as spelled", `{"a":"\u00e9\/é<"}`, "a", `{"a":"\u00e9\/é<"}`},
		{"members of one object", `{"n":{"a":1,"x":0,"b":2},"c":3}`, "n.a c n.b", `{"n":{"a":1,"b":2},"c":3}`},
		{"an object and a member of it", `{"n":{"a":1,"b":2}}`, "n n.a", `{"n":{"a":1,"b":2}}`},
		{"a member and then its object", `{"n":{"a":1,"b":2}}`, "n.a n", `{"n":{"a":1,"b":2}}`},
		{"a path asked for twice", `{"a":1}`, "a a", `{"a":1}`},
		{"an empty value", `{"a":null,"b":""}`, "a b", `{"a":null,"b":""}`},
		{"a path through a text", `{"a":"x"}`, "a.b", `{}`},
		{"white space between", "{ \"a\" : [ 1,\n 2 ] }", "a", `{"a":[1,2]}`},
		{"an element of an array", `{"a":[{"b":1,"c":2},{"b":3}]}`, "a.0.b", `{"a":[{"b":1}]}`},
		{"a later element of an array", `{"a":[{"b":1},{"b":3}]}`, "a.1.b", `{"a":[null,{"b":3}]}`},
		{"an element that is not there", `{"a":[1]}`, "a.1 a.-1 a.00 a.x a.#", `{}`},
		{"a member with a number for a name", `{"a":{"1":"x","1000000000":"y"}}`, "a.1 a.1000000000", `{"a":{"1":"x","1000000000":"y"}}`},
		{"names that mean something to gjson", `{"#":1,"*":2,"a*":3,"@this":4,"a|b":5,"!x":6,"{a}":7,":1":8,"a\\b":9,"-1":10}`,
			`# * a* @this a|b !x {a} :1 a\b -1`, `{"#":1,"*":2,"a*":3,"@this":4,"a|b":5,"!x":6,"{a}":7,":1":8,"a\\b":9,"-1":10}`},
		{"wildcards that match nothing", `{"abc":1}`, "a* ??? #", `{}`},
		{"steps of nothing", `{"a":{"b":1},"":2}`, ". a. .a a..b ..", `{}`},
		{"names in another alphabet", `{"ñ":{"名":1}}`, "ñ.名", `{"ñ":{"名":1}}`},
		{"an escaped name", `{"\u0061b":1}`, "ab", `{"ab":1}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := string(parseUserData(t, c.userData).Select(strings.Fields(c.required)).JSON())
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	userData := parseUserData(t, `{"null":null,"none":"","blank":" \t\u00a0","object":{},"array":[ ],
		"zero":0,"false":false,"text":"x","full":{"a":null},"list":[null]}`)
	got := userData.Missing([]string{
		"null", "none", "blank", "object", "array", "zero", "false", "text", "full", "full.a", "list", "absent", "text.x", "",
	})
	want := []string{"null", "none", "blank", "object", "array", "full.a", "absent", "text.x", ""}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (partner.UserData{}).Missing([]string{"dob"}); len(got) != 1 {
		t.Errorf("the zero UserData: got %q", got)
	}
}

func TestParseUserData(t *testing.T) {
	t.Parallel()
	if got, want := string(parseUserData(t, "\ufeff{ \"a\" : 1.0 }\n").JSON()), `{"a":1.0}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, text := range []string{"", "[]", "1", `{"a":1`, `{"a":1} x`, "{\"a\":\"\xff\"}", strings.Repeat("[", 100_000)} {
		if _, err := partner.ParseUserData([]byte(text)); err == nil {
			t.Errorf("%.20q was taken", text)
		}
	}
}

// FuzzSelect holds Select and Missing against what encoding/json makes of the same
// object, and feeds Select its own output.
func FuzzSelect(f *testing.F) {
	f.Add(`{"name":{"firstName":"A"},"dob":"x"}`, "name.firstName dob")
	f.Add(`{"a":[{"0":{"b":1}}]}`, "a.0.0.b a.0 a")
	f.Add(`{"a\\":{"#.":1},":":2}`, `a\.#. : @x`)
	f.Fuzz(func(t *testing.T, text, paths string) {
		var tree any
		userData, err := partner.ParseUserData([]byte(text))
		if err != nil || json.Unmarshal(userData.JSON(), &tree) != nil || hasRepeats(userData.JSON()) {
			return
		}
		required := strings.Fields(paths)
		selected := userData.Select(required)
		if !json.Valid(selected.JSON()) {
			t.Fatalf("Select made no JSON: %s", selected.JSON())
		}
		var part any
		if err := json.Unmarshal(selected.JSON(), &part); err != nil {
			return // a number that encoding/json cannot hold
		}
		for _, path := range required {
			want, there := walk(tree, path)
			got, taken := walk(part, path)
			if there != taken || !reflect.DeepEqual(got, want) {
				t.Errorf("%q: selected %v (%v), the object has %v (%v)", path, got, taken, want, there)
			}
		}
		if again := selected.Select(required).JSON(); string(again) != string(selected.JSON()) {
			t.Errorf("selecting again changed %s to %s", selected.JSON(), again)
		}
		if got, want := selected.Missing(required), userData.Missing(required); !reflect.DeepEqual(got, want) {
			t.Errorf("missing after selecting: %q, before: %q", got, want)
		}
	})
}

// walk is the meaning of a dotted path, in the plainest terms.
func walk(value any, path string) (any, bool) {
	for step := range strings.SplitSeq(path, ".") {
		switch at := value.(type) {
		case map[string]any:
			next, ok := at[step]
			if !ok || step == "" {
				return nil, false
			}
			value = next
		case []any:
			index := -1
			for i := range at {
				if encoded, err := json.Marshal(i); err == nil && string(encoded) == step {
					index = i
				}
			}
			if index < 0 {
				return nil, false
			}
			value = at[index]
		default:
			return nil, false
		}
	}
	return value, true
}

// hasRepeats says whether an object has two members of one name, of which gjson
// takes the first and encoding/json the last.
func hasRepeats(data []byte) bool {
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) == nil {
		for _, value := range object {
			if hasRepeats(value) {
				return true
			}
		}
		return countMembers(data) != len(object)
	}
	var array []json.RawMessage
	if json.Unmarshal(data, &array) == nil {
		for _, value := range array {
			if hasRepeats(value) {
				return true
			}
		}
	}
	return false
}

func countMembers(object []byte) int {
	decoder := json.NewDecoder(strings.NewReader(string(object)))
	if _, err := decoder.Token(); err != nil {
		return 0
	}
	count := 0
	for decoder.More() {
		if _, err := decoder.Token(); err != nil {
			return count
		}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			return count
		}
		count++
	}
	return count
}
