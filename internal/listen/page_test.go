package listen_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/leapfinancial/m2m/internal/delivery"
)

// TestNoWebPageIsLetIn plays a page in the user's browser. A page may post plain text
// anywhere, without headers of its own; before anything else the browser asks, and is
// given no leave. A page whose name leads here (DNS rebinding) need not ask, and is
// refused for its name.
func TestNoWebPageIsLetIn(t *testing.T) {
	t.Parallel()
	options, done := newOptions(t)
	options.LoopbackHostOnly = true
	server := serve(t, options)
	send := func(change func(*http.Request)) (status int) {
		request := post(t, server.URL, opened)
		request.Header.Set("Origin", "https://page.test")
		change(request)
		response, err := newClient(t).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		for name := range response.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("it is answered %s", name)
			}
		}
		return response.StatusCode
	}
	asked := send(func(r *http.Request) {
		r.Method = http.MethodOptions
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", delivery.SignatureHeader)
	})
	if asked != http.StatusMethodNotAllowed {
		t.Errorf("a browser that asks is answered %d", asked)
	}
	rebound := send(func(r *http.Request) { r.Host = "page.test:3000" })
	if rebound != http.StatusMisdirectedRequest {
		t.Errorf("a page whose name leads here is answered %d", rebound)
	}
	plain := send(func(r *http.Request) {
		r.Header.Del(delivery.SignatureHeader)
		r.Header.Del(delivery.TimestampHeader)
		r.Header.Set("Content-Type", "text/plain")
	})
	if plain != http.StatusUnauthorized {
		t.Errorf("plain text is answered %d", plain)
	}
	if got := receive(t, done, "the plain text"); got.Verdict.Valid() || len(done) > 0 {
		t.Errorf("got %v, and %d more", got.Verdict, len(done))
	}
}
