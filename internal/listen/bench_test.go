package listen_test

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"testing"

	"github.com/leapfinancial/m2m/fixtures"
	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/listen"
)

// BenchmarkReceive is what a delivery of the documented sample costs, its record's
// line included, but for net/http and what the line is written to.
func BenchmarkReceive(b *testing.B) {
	options, _ := newOptions(b)
	options.NewID = func() string { return "1b4e28ba-2fa1-41d2-883f-0016d3cca427" }
	options.Lines = true
	options.Done = func(d listen.Delivery) {
		if !d.Verdict.Valid() || len(d.Line) == 0 {
			b.Errorf("got %q and the line %q, want it valid, and a line", d.Verdict.Reason, d.Line)
		}
	}
	server := listen.NewServer(options)
	body, err := fs.ReadFile(fixtures.FS, "events/operation.created.json")
	if err != nil {
		b.Fatal(err)
	}
	const url = "http://localhost:3000/webhooks/m2m"
	request := signed(b, url, nil, body)
	request.RequestURI, request.RemoteAddr = "/webhooks/m2m", "127.0.0.1:51234"
	request.URL.Scheme, request.URL.Host = "", ""
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "M2M-Webhooks/1.0")
	request.Header.Set(delivery.EventHeader, "operation.created")
	reader := bytes.NewReader(nil)
	request.Body, request.ContentLength = io.NopCloser(reader), int64(len(body))
	w := &nowhere{header: http.Header{}}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		clear(w.header)
		server.ServeHTTP(w, request)
	}
}

// nowhere is an answer that nobody reads.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header            { return n.header }
func (n *nowhere) Write(text []byte) (int, error) { return len(text), nil }
func (n *nowhere) WriteHeader(int)                {}
func (n *nowhere) Flush()                         {}
