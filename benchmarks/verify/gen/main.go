// Command gen writes delivery records to measure verifiers with, in the form in
// which "m2m listen --save" writes them: bodies of about 1 KB, signed, half of them
// indented as the documented samples are and half compact, and every 500th changed
// after it was signed. The same flags give the same bytes.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/sign"
)

// bodySize is how long a body is made, in bytes.
const bodySize = 1024

// sample is an operation.created with the members that M2M documents and, in
// metadata, what a partner gave when the link was created.
const sample = `{
  "event": "operation.created",
  "timestamp": "%[1]s",
  "data": {
    "operationId": "op_%[2]s",
    "linkId": "link_acme_%[2]s",
    "referenceId": "user_%[3]d",
    "userId": "usr_%[2]s",
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
    "metadata": {
      "campaign": "remesas \"sin comisión\"",
      "note": "%[4]s"
    },
    "createdAt": "%[1]s"
  }
}`

func main() {
	count := flag.Int("n", 300_000, "write `N` records")
	secret := flag.String("secret", "m2m-dev-secret", "sign with `SECRET`")
	seed := flag.Uint64("seed", 1, "make ids from the seed `N`")
	flag.Parse()
	key, err := sign.NewKey(*secret)
	if err != nil {
		log.Fatal(err)
	}
	random := rand.New(rand.NewPCG(*seed, 0))
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for i := range *count {
		line, err := record(i, key, random).Line()
		if err != nil {
			log.Fatal(err)
		}
		if _, err := out.Write(line); err != nil {
			log.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func record(i int, key sign.Key, random *rand.Rand) delivery.Record {
	sentAt := time.Date(2026, 1, 26, 14, 30, 0, 0, time.UTC).Add(time.Duration(i) * 37 * time.Millisecond)
	body := payload(i, sentAt, random)
	timestamp := sign.FormatTimestamp(sentAt)
	signature := key.Sign(timestamp, body)
	verification := &delivery.Verification{
		Valid: true, SignedAt: sentAt.Truncate(time.Second), Secret: key.Fingerprint(),
	}
	age := float64(random.IntN(900)) / 1000
	verification.AgeSeconds = &age
	if i%500 == 499 {
		body = bytes.Replace(body, []byte("1850.50"), []byte("9850.50"), 1)
		body = bytes.Replace(body, []byte("1850.5,"), []byte("9850.5,"), 1)
		verification.Valid, verification.Secret = false, ""
		verification.Reason = string(sign.SignatureMismatch)
	}
	return delivery.Record{
		ID:    id(random),
		Time:  sentAt.Add(200 * time.Millisecond),
		Event: "operation.created",
		Request: delivery.Request{
			Method: "POST",
			URL:    "http://localhost:3000/webhooks/m2m",
			Remote: "127.0.0.1:" + strconv.Itoa(32768+random.IntN(28000)),
			Headers: delivery.Headers{
				{Name: "Accept-Encoding", Value: "gzip"},
				{Name: "Content-Length", Value: strconv.Itoa(len(body))},
				{Name: "Content-Type", Value: "application/json"},
				{Name: "Host", Value: "localhost:3000"},
				{Name: "User-Agent", Value: "M2M-Webhooks/1.0"},
				{Name: delivery.EventHeader, Value: "operation.created"},
				{Name: delivery.SignatureHeader, Value: signature},
				{Name: delivery.TimestampHeader, Value: timestamp},
			},
			Body: body,
		},
		Verification: verification,
		Response: &delivery.Response{
			Status:  200,
			Headers: delivery.Headers{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}},
			Body:    []byte("OK"),
		},
		Latency: time.Duration(100+random.IntN(900)) * time.Microsecond,
	}
}

// payload returns a body of bodySize bytes or a few less, indented or compact.
func payload(i int, sentAt time.Time, random *rand.Rand) []byte {
	moment := sentAt.Format("2006-01-02T15:04:05.000Z")
	subject := letters(random, 12)
	spell := func(note string) []byte {
		body := fmt.Appendf(nil, sample, moment, subject, i, note)
		if i%2 == 0 {
			return body
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, body); err != nil {
			log.Fatal(err)
		}
		return compact.Bytes()
	}
	note := letters(random, bodySize-len(spell("")))
	return spell(note)
}

// letters returns words of letters and digits.
func letters(random *rand.Rand, length int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	var text strings.Builder
	for text.Len() < length {
		if text.Len()%14 == 13 {
			text.WriteByte(' ')
			continue
		}
		text.WriteByte(alphabet[random.IntN(len(alphabet))])
	}
	return text.String()
}

func id(random *rand.Rand) string {
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x",
		random.Uint32(), random.IntN(1<<16), random.IntN(1<<12), random.IntN(1<<12), random.Int64N(1<<48))
}
