//go:build unix

package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// sample is an operation.created as M2M documents it, with a note to make it longer.
const sample = `{
  "event": "operation.created",
  "timestamp": "2026-01-26T14:30:00.000Z",
  "data": {
    "operationId": "op_%012[1]d",
    "linkId": "link_acme_%012[1]d",
    "referenceId": "user_%[1]d",
    "userId": "usr_%012[1]d",
    "status": "created",
    "funding": {
      "method": "card",
      "last4": "4242",
      "bankName": "visa"
    },
    "payout": {
      "method": "bank_account"
    },
    "amount": {
      "send": 100.00,
      "receive": 1850.50,
      "rate": 18.505,
      "fee": 3.99,
      "currency": {
        "send": "USD",
        "receive": "MXN"
      }
    },
    "note": "%[2]s",
    "createdAt": "2026-01-26T14:30:00.000Z"
  }
}`

// signed returns deliveries to an address, ready for the wire: so the program that
// loads takes as little of the machine as it can.
func signed(secret, address string, size int, now time.Time) [][]byte {
	requests := make([][]byte, 64)
	for i := range requests {
		body := fmt.Sprintf(sample, i, strings.Repeat("x", max(0, size-len(sample))))
		timestamp := strconv.FormatInt(now.Unix(), 10)
		mac := hmac.New(sha256.New, []byte(secret))
		io.WriteString(mac, timestamp+"."+body)
		requests[i] = fmt.Appendf(nil, "POST /webhooks/m2m HTTP/1.1\r\nHost: %s\r\nUser-Agent: measure\r\n"+
			"Content-Type: application/json\r\nContent-Length: %d\r\nX-M2M-Event: operation.created\r\n"+
			"X-M2M-Timestamp: %s\r\nX-M2M-Signature: sha256=%s\r\n\r\n%s",
			address, len(body), timestamp, hex.EncodeToString(mac.Sum(nil)), body)
	}
	return requests
}

// load sends over so many connections at once, on each one delivery after the other,
// and returns how many were answered 200 in the time. Another answer is an error.
func load(address string, requests [][]byte, connections int, span time.Duration) (count int, took time.Duration, err error) {
	began := time.Now()
	counts, errs := make([]int, connections), make([]error, connections)
	var wait sync.WaitGroup
	for i := range connections {
		wait.Go(func() { counts[i], errs[i] = loadOne(address, requests, began.Add(span)) })
	}
	wait.Wait()
	took = time.Since(began)
	for i := range connections {
		if errs[i] != nil {
			return 0, 0, errs[i]
		}
		count += counts[i]
	}
	return count, took, nil
}

func loadOne(address string, requests [][]byte, end time.Time) (count int, err error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for ; time.Now().Before(end); count++ {
		if _, err := conn.Write(requests[count%len(requests)]); err != nil {
			return 0, err
		}
		if err := readAnswer(answers); err != nil {
			return 0, err
		}
	}
	return count, nil
}

func readAnswer(answers *bufio.Reader) error {
	status, err := answers.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("answered %q", status)
	}
	length := 0
	for {
		line, err := answers.ReadSlice('\n')
		if err != nil {
			return err
		}
		if text, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(text))); err != nil {
				return err
			}
		}
		if len(line) <= len("\r\n") {
			_, err := answers.Discard(length)
			return err
		}
	}
}
