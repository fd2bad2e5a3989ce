package conform_test

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// What is on the wire is judged here by crypto/hmac and encoding/json alone: no code of
// the product's can be wrong on both sides in the same way.

// sent is what a case sent in one request.
type sent struct {
	on   string // the case
	conn int    // which connection it came over
	at   time.Time
	// whole says that HTTP can read it; otherwise there is raw alone.
	whole        bool
	raw          []byte
	method, path string
	headers      []header
	body         []byte
}

type header struct{ name, value string }

// header returns the value of a header, by the exact spelling of its name.
func (s sent) header(name string) (value string, found bool) {
	for _, h := range s.headers {
		if h.name == name {
			return h.value, true
		}
	}
	return "", false
}

// value returns the value of a header in whatever spelling, empty where there is none.
func (s sent) value(name string) string {
	for _, h := range s.headers {
		if strings.EqualFold(h.name, name) {
			return h.value
		}
	}
	return ""
}

func mac(key, timestamp string, body []byte) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(timestamp + "."))
	m.Write(body)
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}

func (s sent) authentic() bool {
	return s.value("X-M2M-Signature") == mac(secret, s.value("X-M2M-Timestamp"), s.body)
}

// fresh says whether the timestamp is of when it came, give or take a slow machine.
func (s sent) fresh() bool { return s.offBy(0) }

// offBy says whether the timestamp is about so far from when it came.
func (s sent) offBy(span time.Duration) bool {
	seconds, err := strconv.ParseInt(s.value("X-M2M-Timestamp"), 10, 64)
	return err == nil && s.at.Sub(time.Unix(seconds, 0).Add(-span)).Abs() < time.Minute
}

// recorder is a server that answers 200 to whatever it can read, and keeps all of it.
type recorder struct {
	listener net.Listener
	serving  sync.WaitGroup
	current  func() string

	mu    sync.Mutex
	conns int
	sent  []sent
}

// record plays all cases to a recorder.
func record(t *testing.T, only ...string) (*rig, []sent) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, "http://"+listener.Addr().String()+"/hooks")
	recorder := &recorder{listener: listener, current: r.current}
	recorder.serving.Go(recorder.accept)
	r.run(t, only...)
	_ = listener.Close()
	r.Sender.Client.CloseIdle()
	recorder.serving.Wait()
	return r, recorder.sent
}

func (r *recorder) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return // closed
		}
		r.mu.Lock()
		r.conns++
		number := r.conns
		r.mu.Unlock()
		on := r.current()
		r.serving.Go(func() {
			defer func() { _ = conn.Close() }()
			for in := bufio.NewReader(conn); ; {
				one := read(in)
				one.conn, one.at = number, time.Now()
				if one.on = on; one.whole {
					one.on = r.current() // a connection may serve several cases
				}
				if len(one.raw) > 0 {
					r.mu.Lock()
					r.sent = append(r.sent, one)
					r.mu.Unlock()
				}
				if !one.whole {
					return
				}
				if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
					return
				}
			}
		})
	}
}

// read takes a request from a connection by hand, header names as they are spelled.
func read(in *bufio.Reader) (one sent) {
	var raw bytes.Buffer
	defer func() { one.raw = raw.Bytes() }()
	line := func() (string, bool) {
		text, err := in.ReadString('\n')
		raw.WriteString(text)
		return strings.TrimSuffix(text, "\r\n"), err == nil && strings.HasSuffix(text, "\r\n")
	}
	first, ok := line()
	words := strings.Split(first, " ")
	if !ok || len(words) != 3 || words[2] != "HTTP/1.1" {
		return one
	}
	one.method, one.path = words[0], words[1]
	length := uint64(0)
	for {
		text, ok := line()
		if !ok {
			return one
		}
		if text == "" {
			break
		}
		name, value, found := strings.Cut(text, ":")
		if !found || strings.EqualFold(name, "Transfer-Encoding") || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			_, _ = io.Copy(&raw, in)
			return one
		}
		value = strings.TrimSpace(value)
		one.headers = append(one.headers, header{name, value})
		if strings.EqualFold(name, "Content-Length") {
			var err error
			if length, err = strconv.ParseUint(value, 10, 32); err != nil {
				return one
			}
		}
	}
	one.body = make([]byte, length)
	n, err := io.ReadFull(in, one.body)
	raw.Write(one.body[:n])
	one.whole = err == nil
	return one
}

// of returns what a case sent that HTTP can read.
func of(all []sent, id string) []sent {
	return slices.Collect(func(yield func(sent) bool) {
		for _, one := range all {
			if one.on == id && one.whole && !yield(one) {
				return
			}
		}
	})
}

// object returns a body's members; nil where it is no JSON object.
func (s sent) object() map[string]any {
	var members map[string]any
	if json.Unmarshal(s.body, &members) != nil {
		return nil
	}
	return members
}

// data returns a member of the body's data as text.
func (s sent) data(member string) string {
	data, _ := s.object()["data"].(map[string]any)
	text, _ := data[member].(string)
	return text
}
