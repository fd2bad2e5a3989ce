package examples_test

import (
	"os"
	"path/filepath"
	"testing"
)

func TestEffectsAreWrittenBeforeTheAcknowledgement(t *testing.T) {
	t.Parallel()
	for name, command := range handlers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "effects.txt")
			h := start(t, command(t), "M2M_EFFECTS_FILE="+path)
			wantFile(t, path, "") // there is something to count before the first event
			h.deliver(t, signedWith("another", "1", sample(t, "operation.created")), 401, "Invalid signature")
			h.deliver(t, signed([]byte(`{"event":"operation.paused","data":{"operationId":"op_1"}}`)), 200, "OK")
			for range 2 {
				h.deliver(t, signed(sample(t, "operation.created")), 200, "OK")
			}
			h.deliver(t, signed([]byte(`{"event":"link.opened","data":{"linkId":"a\nb"}}`)), 200, "OK")
			wantFile(t, path, `operation.created "op_a1b2c3d4e5f6"`+"\n"+`link.opened "a\nb"`+"\n")
		})
	}
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Fatalf("%s holds %q, %v, want %q", path, got, err, want)
	}
}
