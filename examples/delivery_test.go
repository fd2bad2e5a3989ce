package examples_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// delivery is a request before it is sent; the header names go out as they are spelled.
type delivery struct {
	method  string
	headers map[string]string
	body    []byte
}

func signed(body []byte) delivery {
	return signedWith(secret, unix(time.Now()), body)
}

func signedWith(key, timestamp string, body []byte) delivery {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return delivery{method: http.MethodPost, body: body, headers: map[string]string{
		"Content-Type":    "application/json",
		"X-M2M-Event":     "irrelevant",
		"X-M2M-Timestamp": timestamp,
		"X-M2M-Signature": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	}}
}

func unix(t time.Time) string {
	return strconv.FormatInt(t.Unix(), 10)
}

func (d delivery) with(name, value string) delivery {
	d.headers = maps.Clone(d.headers)
	d.headers[name] = value
	return d
}

func (d delivery) without(name string) delivery {
	d.headers = maps.Clone(d.headers)
	delete(d.headers, name)
	return d
}

func (d delivery) lowerCase() delivery {
	headers := make(map[string]string)
	for name, value := range d.headers {
		headers[strings.ToLower(name)] = value
	}
	d.headers = headers
	return d
}

func (d delivery) as(method string) delivery {
	d.method = method
	return d
}

// post sends a delivery and returns the answer.
func (h *handler) post(d delivery) (status int, body string, err error) {
	request, err := http.NewRequest(d.method, h.url, bytes.NewReader(d.body))
	if err != nil {
		return 0, "", err
	}
	for name, value := range d.headers {
		request.Header[name] = []string{value}
	}
	response, err := h.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, string(answer), err
}

// deliver sends a delivery and ends the test when the answer is another one: there is no
// use in waiting for what would have come of it.
func (h *handler) deliver(t *testing.T, d delivery, wantStatus int, wantBody string) {
	t.Helper()
	status, body, err := h.post(d)
	if err != nil {
		t.Fatal(err)
	}
	if status != wantStatus || body != wantBody {
		t.Fatalf("got %d %q, want %d %q", status, body, wantStatus, wantBody)
	}
}

// raw sends bytes as they are and returns all that comes back until the handler has
// closed the connection.
func (h *handler) raw(t *testing.T, sent string) (answer string) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", h.address(), deadline)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, sent); err != nil {
		t.Fatal(err)
	}
	received, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("the handler keeps the connection: %v", err)
	}
	return string(received)
}
