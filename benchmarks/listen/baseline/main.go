// Command baseline receives webhooks as a bare net/http server does that reads the
// body, computes one HMAC and answers. It judges no timestamp, looks at no JSON,
// shows nothing and keeps nothing: it is what "m2m listen" is measured against, and
// meant to stay plain.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	secret := []byte(os.Getenv("M2M_WEBHOOK_SECRET"))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		mac := hmac.New(sha256.New, secret)
		io.WriteString(mac, r.Header.Get("X-M2M-Timestamp")+".")
		mac.Write(body)
		computed := "sha256=" + hex.EncodeToString(mac.Sum(nil))
		if !hmac.Equal([]byte(computed), []byte(r.Header.Get("X-M2M-Signature"))) {
			http.Error(w, "Invalid signature", http.StatusUnauthorized)
			return
		}
		io.WriteString(w, "OK")
	}
	if err := os.WriteFile(os.Args[1], []byte("http://"+listener.Addr().String()+"/\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, http.HandlerFunc(handler)))
}
