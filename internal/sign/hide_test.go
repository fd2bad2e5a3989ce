package sign_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/leapfinancial/m2m/internal/sign"
)

func TestHide(t *testing.T) {
	t.Parallel()
	const odd = "a\"b\\c&<d>\u00f1"
	escaped, err := json.Marshal(odd)
	if err != nil {
		t.Fatal(err)
	}
	print8, oddPrint, spaced := sign.Fingerprint([]byte("12345678")), sign.Fingerprint([]byte(odd)), sign.Fingerprint([]byte(" topsecret\n"))
	cases := []struct{ name, secret, text, want string }{
		{"once", "12345678", "expected secret 12345678", "expected secret " + print8},
		{"several times", "12345678", "12345678 12345678,012345678", print8 + " " + print8 + ",0" + print8},
		{"not there", "12345678", "1234567 2345678", "1234567 2345678"},
		{"fewer than 8 bytes", "1234567", "1234567", "1234567"},
		{"fewer than 8 bytes but for white space", "1234567 ", "1234567 ", "1234567 "},
		{"trimmed by who wrote the text", " topsecret\n", "not topsecret.", "not " + spaced + "."},
		{"no text", "12345678", "", ""},
		{"as it is", odd, "<" + odd + ">", "<" + oddPrint + ">"},
		{"as JSON.stringify has it", odd, `{"is":"a\"b\\c&<d>ñ"}`, `{"is":"` + oddPrint + `"}`},
		{"as encoding/json has it", odd, `{"is":` + string(escaped) + `}`, `{"is":"` + oddPrint + `"}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			key, err := sign.NewKey(c.secret)
			if err != nil {
				t.Fatal(err)
			}
			text := []byte(c.text)
			if got := string(key.Hide(text)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if !bytes.Equal(text, []byte(c.text)) {
				t.Errorf("the text was written to: %q", text)
			}
		})
	}
}

func TestTheZeroKeyHidesNothing(t *testing.T) {
	t.Parallel()
	if got := (sign.Key{}).Hide([]byte("some text")); string(got) != "some text" {
		t.Errorf("got %q", got)
	}
}
