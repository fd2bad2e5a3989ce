// Checks the lines to copy, verify, against m2m's vectors: m2m events --vectors | go run check.go
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
)

func verify(secret, timestamp string, body []byte, signature string) bool {
	if _, err := strconv.ParseUint(timestamp, 10, 63); err != nil {
		return false // ParseUint takes ASCII digits alone: no sign, no space
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return hmac.Equal([]byte("sha256="+hex.EncodeToString(mac.Sum(nil))), []byte(signature))
}

func main() {
	in := os.Stdin
	if len(os.Args) > 1 {
		in, _ = os.Open(os.Args[1]) // no file has no vectors, which is told below
	}
	var vectors []struct {
		Name, Secret, Timestamp, Body, Signature string
		BodyBase64                               []byte
		Valid                                    bool
	}
	err := json.NewDecoder(in).Decode(&vectors)
	wrong := 0
	for _, v := range vectors {
		if verify(v.Secret, v.Timestamp, append([]byte(v.Body), v.BodyBase64...), v.Signature) != v.Valid {
			fmt.Printf("wrong: %s\n", v.Name)
			wrong++
		}
	}
	fmt.Printf("%d vectors, %d wrong\n", len(vectors), wrong)
	if err != nil || wrong > 0 || len(vectors) == 0 {
		os.Exit(1)
	}
}
