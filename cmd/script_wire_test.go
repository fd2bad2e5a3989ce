package cmd_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// wireServer reads requests from sockets, by hand and to the byte: VAR.1 gets the first
// one, VAR.2 the next, VAR.connections a line for each connection. Its answers are given
// one after the other, the last one for ever: a status, silent, reset, half (broken off
// inside the body), huge (100 MB).
type wireServer struct {
	path    string
	answers []string

	mu                    sync.Mutex
	requests, connections int
}

func serveWire(ts *testscript.TestScript, name, answers string) {
	s := &wireServer{path: ts.MkAbs(name), answers: strings.Split(answers, ",")}
	listener := listenLoopback(ts)
	over := make(chan struct{})
	ts.Defer(func() {
		_ = listener.Close()
		close(over)
	})
	ts.Setenv(name, "http://"+listener.Addr().String()+"/hooks")
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed with the script
			}
			go s.serve(conn, over)
		}
	}()
}

func (s *wireServer) serve(conn net.Conn, over chan struct{}) {
	defer func() { _ = conn.Close() }()
	s.mu.Lock()
	s.connections++
	_ = os.WriteFile(s.path+".connections", bytes.Repeat([]byte("connection\n"), s.connections), 0o600)
	s.mu.Unlock()
	for in := bufio.NewReader(conn); ; {
		request, err := readWire(in)
		if err != nil {
			return
		}
		if answer(conn, s.note(request), over) != nil {
			return
		}
	}
}

// note keeps a request and returns the answer to it.
func (s *wireServer) note(request []byte) (answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	_ = os.WriteFile(fmt.Sprintf("%s.%d", s.path, s.requests), request, 0o600)
	return s.answers[min(s.requests, len(s.answers))-1]
}

// readWire returns the bytes of one request.
func readWire(in *bufio.Reader) ([]byte, error) {
	var raw bytes.Buffer
	length := 0
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		raw.WriteString(line)
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if strings.EqualFold(name, "Content-Length") {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
		if name == "" {
			break
		}
	}
	_, err := io.CopyN(&raw, in, int64(length))
	return raw.Bytes(), err
}

// answer gives one answer; an error ends the connection.
func answer(conn net.Conn, kind string, over chan struct{}) error {
	const whole = "HTTP/1.1 %d %s\r\nContent-Length: %d\r\n\r\n"
	switch kind {
	case "silent":
		<-over
		return io.EOF
	case "reset":
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		return io.EOF
	case "half":
		_, _ = fmt.Fprintf(conn, whole+"only half", 200, "OK", 100)
		return io.EOF
	case "huge":
		const size = 100 << 20
		_, err := fmt.Fprintf(conn, whole, 200, "OK", size)
		for block := bytes.Repeat([]byte("x"), 64<<10); err == nil; {
			_, err = conn.Write(block) // until nobody reads it any more
		}
		return err
	}
	status, err := strconv.Atoi(kind)
	if err != nil {
		return err
	}
	text := http.StatusText(status)
	_, err = fmt.Fprintf(conn, whole+text, status, text, len(text))
	return err
}
