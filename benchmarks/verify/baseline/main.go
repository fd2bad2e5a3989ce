// Command baseline verifies a file of delivery records as one would write it in
// Go in five minutes: a line at a time, encoding/json, crypto/hmac, one goroutine.
// It is what "m2m verify" is measured against, and meant to stay plain.
package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
)

type record struct {
	Request struct {
		Headers []struct{ Name, Value string }
		Body    string
	}
}

func (r record) header(name string) string {
	for _, header := range r.Request.Headers {
		if strings.EqualFold(header.Name, name) {
			return header.Value
		}
	}
	return ""
}

func valid(r record, secret []byte) bool {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(r.header("X-M2M-Timestamp") + "." + r.Request.Body))
	computed := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	return hmac.Equal([]byte(computed), []byte(r.header("X-M2M-Signature")))
}

func main() {
	secret := []byte(os.Getenv("M2M_WEBHOOK_SECRET"))
	file, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 1<<20), 32<<20)
	good, bad := 0, 0
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			log.Fatal(err)
		}
		if valid(r, secret) {
			good++
		} else {
			bad++
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d checked: %d valid, %d INVALID\n", good+bad, good, bad)
}
