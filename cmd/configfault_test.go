package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoFaultOfAConfigurationQuotesASecret has a secret written where YAML does not take
// it as a text.
func TestNoFaultOfAConfigurationQuotesASecret(t *testing.T) {
	t.Parallel()
	const secret = "whsec_0123456789canary"
	for _, text := range []string{
		"webhook_secret: *SECRET", "api_key: *SECRET", "webhook_secret: !!int SECRET", "webhook_secret: !!float SECRET",
		"webhook_secret: !!timestamp SECRET", "webhook_secret: !!binary SECRET", "webhook_secret: !SECRET a", "webhook_secret: %SECRET",
		"webhook_secret: @SECRET", "webhook_secret: `SECRET", `webhook_secret: "SECRET`, "webhook_secret: 'SECRET", "webhook_secret: SECRET: a",
		"webhook_secret: {SECRET", "webhook_secret: [a, SECRET\nb", `webhook_secret: "\\xSECRET"`, "SECRET", "- SECRET", "[SECRET]: a",
		"*SECRET : a", "<<: SECRET", "SECRET: 1\nSECRET: 2", "webhook_secret: {a: SECRET}", "webhook_secret:\n\t- SECRET", "a: &SECRET b\nc: *SECRET2",
		"profiles: SECRET", "profiles: [SECRET]", "profiles: {a: SECRET}", "webhook_secret: [[SECRET]]", "api_key: [SECRET, SECRET]",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(t.TempDir(), "m2m.yaml")
			if err := os.WriteFile(name, []byte(strings.ReplaceAll(text, "SECRET", secret)+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			world := *testApp().env
			var said bytes.Buffer
			world.Out, world.Err = &said, &said
			run(t.Context(), &world, []string{"config", "--config", name})
			if strings.Contains(said.String(), "canary") {
				t.Errorf("the secret is in it:\n%s", &said)
			}
		})
	}
}
