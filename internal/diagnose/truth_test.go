package diagnose

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// expectNoSecret fails when a diagnosis shows the secret or a MAC that it computed.
func (c capture) expectNoSecret(t *testing.T, d Diagnosis) {
	t.Helper()
	text := strings.ToLower(d.Message() + d.Fix())
	for what, spelling := range map[string]string{
		"the secret":           string(c.Secret),
		"the trimmed secret":   strings.Trim(string(c.Secret), " \t\r\n\"'`"),
		"the secret in base64": base64.RawStdEncoding.EncodeToString(c.Secret),
		"the secret in hex":    hex.EncodeToString(c.Secret),
		"the other secret":     stagingSecret,
	} {
		if strings.Contains(text, strings.ToLower(spelling)) {
			t.Errorf("%s: %s shows in %q", c.Name, what, text)
		}
	}
	for _, key := range [][]byte{c.Secret, []byte(stagingSecret)} {
		digits := hex.EncodeToString(hmacSHA256(key, []byte(c.Timestamp+"."), c.Body))
		for at := range len(digits) - 12 {
			if strings.Contains(text, digits[at:at+12]) {
				t.Errorf("%s: a MAC shows in %q", c.Name, text)
			}
		}
	}
}

func hmacSHA256(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

func hexSignature(mac []byte) string { return "sha256=" + hex.EncodeToString(mac) }

// genuine returns a rightly signed delivery of a body.
func genuine(body []byte) capture {
	return capture{
		Secret: []byte(toolSecret), Timestamp: toolTimestamp, Body: body,
		Signature: hexSignature(hmacSHA256([]byte(toolSecret), []byte(toolTimestamp+"."), body)),
	}
}

// tamper is one way to change a delivery that no cause explains. What it returns is
// new, and it keeps the delivery where it finds nothing to change.
type tamper struct {
	name   string
	change func(r *rand.Rand, c capture) capture
	// anew says that the JSON may mean the same, and that no writer gives what was
	// signed all the same.
	anew bool
}

func tampers() []tamper {
	body := func(change func(r *rand.Rand, body []byte) []byte) func(*rand.Rand, capture) capture {
		return func(r *rand.Rand, c capture) capture {
			if len(c.Body) > 0 {
				c.Body = change(r, bytes.Clone(c.Body))
			}
			return c
		}
	}
	return []tamper{
		{"a byte is changed", body(func(r *rand.Rand, body []byte) []byte {
			body[r.IntN(len(body))] ^= byte(1 + r.IntN(255))
			return body
		}), false},
		{"a byte is removed", body(func(r *rand.Rand, body []byte) []byte {
			at := r.IntN(len(body))
			return append(body[:at], body[at+1:]...)
		}), false},
		{"a byte is inserted", body(func(r *rand.Rand, body []byte) []byte {
			at := r.IntN(len(body) + 1)
			return append(body[:at:at], append([]byte{byte(r.IntN(256))}, body[at:]...)...)
		}), false},
		{"a digit is changed", body(func(r *rand.Rand, body []byte) []byte {
			for range 100 {
				if at := r.IntN(len(body)); '0' <= body[at] && body[at] <= '9' {
					body[at] = '0' + (body[at]-'0'+byte(1+r.IntN(9)))%10
					break
				}
			}
			return body
		}), false},
		{"a member is removed", body(func(r *rand.Rand, body []byte) []byte {
			lines := bytes.SplitAfter(body, []byte("\n"))
			at := r.IntN(len(lines))
			return bytes.Join(append(lines[:at:at], lines[at+1:]...), nil)
		}), false},
		{"a member is added", body(func(r *rand.Rand, body []byte) []byte {
			return bytes.Replace(body, []byte(`"event": "`), []byte(`"x`+strconv.Itoa(r.IntN(10))+`": 1, "event": "`), 1)
		}), false},
		{"the end is cut off", body(func(r *rand.Rand, body []byte) []byte { return body[:r.IntN(len(body))] }), false},
		{"the timestamp is another one", func(r *rand.Rand, c capture) capture {
			seconds, err := strconv.Atoi(c.Timestamp)
			if err != nil {
				panic(err)
			}
			c.Timestamp = strconv.Itoa(seconds + (1+r.IntN(100000))*(1-2*r.IntN(2)))
			return c
		}, false},
		{"the secret is another one", func(r *rand.Rand, c capture) capture {
			c.Secret = fmt.Appendf(nil, "whsec_%016x%016x", r.Uint64(), r.Uint64())
			return c
		}, false},
		{"the signature is random", func(r *rand.Rand, c capture) capture {
			mac := make([]byte, []int{20, 32, 32, 32, 48, 64}[r.IntN(6)])
			for i := range mac {
				mac[i] = byte(r.IntN(256))
			}
			c.Signature = hexSignature(mac)
			return c
		}, false},
		{"a layout is signed that nobody writes", func(_ *rand.Rand, c capture) capture {
			signed := bytes.ReplaceAll(c.Body, []byte("\": "), []byte("\"  :\t"))
			c.Signature = genuine(signed).Signature
			return c
		}, true},
		{"an order is signed that nobody writes", func(_ *rand.Rand, c capture) capture {
			lines := bytes.Split(c.Body, []byte("\n"))
			if len(lines) < 4 {
				return c
			}
			lines[1], lines[2] = lines[2], lines[1]
			c.Signature = genuine(bytes.Join(lines, []byte("\n"))).Signature
			return c
		}, true},
		{"too much went wrong", func(_ *rand.Rand, c capture) capture {
			const key = "twice-wrapped"
			c.Secret = []byte(" '" + hex.EncodeToString([]byte(key)) + "' ")
			c.Signature = hexSignature(hmacSHA256([]byte(key), []byte(c.Timestamp+"000-"), c.Body))
			return c
		}, true},
	}
}

// byChance says that a changed body is one that the table explains: the same text but
// for its mark and line ends, or decoded, or the same JSON.
func byChance(changed, signed []byte) bool {
	plain := func(body []byte) string {
		text := strings.ReplaceAll(strings.TrimPrefix(string(body), "\ufeff"), "\r\n", "\n")
		return strings.TrimSuffix(text, "\n")
	}
	query, _ := url.QueryUnescape(string(changed))
	path, _ := url.PathUnescape(string(changed))
	return plain(changed) == plain(signed) || plain([]byte(query)) == plain(signed) ||
		plain([]byte(path)) == plain(signed) || sameJSON(changed, signed)
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

func TestTamperedDeliveriesAreUnknown(t *testing.T) {
	t.Parallel()
	bodies := [][]byte{}
	for name, body := range samples(t) {
		if strings.Contains(name, "link.opened") || strings.Contains(name, "operation.created") {
			bodies = append(bodies, body, append(bytes.Clone(body), '\n'))
		}
	}
	bodies = append(bodies,
		[]byte(`{"event": "link.opened", "timestamp": "2026-01-26T14:30:00.000Z", "data": {"linkId": "link_a+b%20c", "n": [100.00, 1e-7]}}`),
		[]byte("{\r\n\"event\":\"é\",\r\n\"data\":\"<a/b>\",\r\n\"z\":0\r\n}\r\n"))
	for _, how := range tampers() {
		t.Run(how.name, func(t *testing.T) {
			t.Parallel()
			const quick, thorough = 300, 25
			r := rand.New(rand.NewPCG(3, uint64(len(how.name))))
			tried := 0
			for i := range quick + thorough {
				before := genuine(bodies[r.IntN(len(bodies))])
				after := how.change(r, before)
				same := after.Signature == before.Signature && after.Timestamp == before.Timestamp && bytes.Equal(after.Secret, before.Secret)
				if same && (bytes.Equal(after.Body, before.Body) || !how.anew && byChance(after.Body, before.Body)) {
					continue
				}
				tried++
				after.Name = how.name
				effort := Quick
				if i >= quick {
					effort = Thorough
				}
				got := after.diagnose(t, effort)
				if len(got.Findings) != 1 || got.Cause() != Unknown {
					t.Fatalf("got %q, want %s:\n%q\nwas\n%q", causesOf(got), Unknown, after.Body, before.Body)
				}
				after.expectNoSecret(t, got)
			}
			if tried < (quick+thorough)/2 {
				t.Errorf("only %d deliveries were tampered with", tried)
			}
		})
	}
}
