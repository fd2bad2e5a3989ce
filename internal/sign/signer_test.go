package sign_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/sign"
)

func TestASignerSignsAsItsKeyDoes(t *testing.T) {
	t.Parallel()
	key, err := sign.NewKey("a secret of this test")
	if err != nil {
		t.Fatal(err)
	}
	signer := sign.NewSigner(key)
	for _, m := range [][2]string{{"1769437800", "{}"}, {"1", strings.Repeat("x", 1000)}, {"", ""}, {"1769437800", "{}"}} {
		got, want := signer.Sign(m[0], []byte(m[1])), key.Sign(m[0], []byte(m[1]))
		if got != want {
			t.Errorf("%q over %d bytes: got %s, want %s", m[0], len(m[1]), got, want)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", signer, *signer, *signer); strings.Contains(text, "secret of") {
		t.Errorf("a signer prints its secret: %s", text)
	}
}

func TestNoSignerForNoKey(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("got a Signer for the zero Key")
		}
	}()
	sign.NewSigner(sign.Key{})
}
