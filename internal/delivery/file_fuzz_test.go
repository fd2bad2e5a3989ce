package delivery_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// FuzzOpenFile: a record is appended to whatever a file holds so that it can be read
// again, every whole line stays, and a file that is somebody else's is not touched.
func FuzzOpenFile(f *testing.F) {
	one := small("a")
	for _, seed := range []string{
		"", one, one + "\n", one + "\n" + one[:30], "{", `{"type":"del`, `{"type":"ready"}`, "notes", one + "\r\n\r", "\x00\n\x00", "\n", one + one,
		`{"type":"delivery"x`, "\xef\xbb\xbf" + one, strings.Repeat("x", 70<<10) + "\n{", `{"type":"delivery","id":"` + strings.Repeat("x", 140<<10),
	} {
		f.Add([]byte(seed))
	}
	name := filepath.Join(f.TempDir(), "deliveries.ndjson")
	record := delivery.Record{ID: "new", Request: delivery.Request{Body: []byte("a body")}}
	line, err := record.Line()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, before []byte) {
		if err := os.WriteFile(name, before, 0o600); err != nil {
			t.Fatal(err)
		}
		file, torn, err := delivery.OpenFile(name)
		if err != nil {
			if after := readFile(t, name); !errors.Is(err, delivery.ErrForeignFile) || after != string(before) {
				t.Errorf("got %v, and %q became %q", err, before, after)
			}
			return
		}
		if err := errors.Join(file.Append(record), file.Close()); err != nil {
			t.Fatal(err)
		}
		after, found := strings.CutSuffix(readFile(t, name), string(line))
		lines, last := string(before), ""
		if at := strings.LastIndexByte(lines, '\n') + 1; at < len(lines) {
			lines, last = lines[:at], lines[at:]
		}
		_, lastErr := delivery.Parse([]byte(last))
		switch {
		case !found:
			t.Errorf("the record is not at the end of %q", readFile(t, name))
		case last == "" && after == lines && torn == 0:
		case lastErr == nil && after == lines+last+"\n" && torn == 0:
		case lastErr != nil && after == lines && torn == int64(len(last)) && strings.HasPrefix(last, "{"):
		default:
			t.Errorf("%q became %q, with %d bytes cut off", before, after, torn)
		}
	})
}
