package listen

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxHeader is the most that a request's headers may take, in bytes.
const maxHeader = 64 << 10

// Deadlines bound how long a sender may take. M2M itself waits 30 s for an answer, so
// nobody who is honest takes longer to send.
type Deadlines struct {
	// Header is for a request's headers, 10 s; Body for all of the request, 60 s.
	Header, Body time.Duration
	// Idle is for a connection between two requests, 2 min.
	Idle time.Duration
	// Drain is for senders that do not take their answers while the receiver ends, 5 s.
	Drain time.Duration
}

func (d Deadlines) orUsual() Deadlines {
	return Deadlines{
		Header: cmp.Or(d.Header, 10*time.Second),
		Body:   cmp.Or(d.Body, time.Minute),
		Idle:   cmp.Or(d.Idle, 2*time.Minute),
		Drain:  cmp.Or(d.Drain, 5*time.Second),
	}
}

// Listen opens the port on the host. The host "localhost" is 127.0.0.1 and, where
// the machine has it, ::1; port 0 takes one that is free on both.
func Listen(ctx context.Context, host string, port int) ([]net.Listener, error) {
	var config net.ListenConfig
	if !strings.EqualFold(host, "localhost") {
		one, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return nil, err
		}
		return []net.Listener{one}, nil
	}
	for tries := 0; ; tries++ {
		v4, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return nil, err
		}
		chosen := strconv.Itoa(Port(v4))
		v6, err := config.Listen(ctx, "tcp6", net.JoinHostPort("::1", chosen))
		switch {
		case err == nil:
			return []net.Listener{v4, v6}, nil
		case !IsInUse(err):
			return []net.Listener{v4}, nil // no IPv6 here
		case port != 0 || tries >= 10:
			return nil, errors.Join(err, v4.Close())
		}
		// A free port that somebody has on ::1 is not free.
		if err := v4.Close(); err != nil {
			return nil, err
		}
	}
}

// Port returns the port that a listener has.
func Port(listener net.Listener) int {
	if address, ok := listener.Addr().(*net.TCPAddr); ok {
		return address.Port
	}
	return 0
}

// Serve receives on the listeners until ctx ends, then finishes what is in flight,
// however long the handler takes for it. A request that has not wholly arrived by
// then is broken off. With a certificate it speaks TLS. It is to be called once.
func (s *Server) Serve(ctx context.Context, listeners []net.Listener, certificate *tls.Certificate) error {
	deadlines := s.options.Deadlines.orUsual()
	// Rehearsed delays end with it.
	handling, hurry := context.WithCancel(context.WithoutCancel(ctx))
	defer hurry()
	server := &http.Server{
		Handler:           s,
		BaseContext:       func(net.Listener) context.Context { return handling },
		ReadHeaderTimeout: deadlines.Header,
		ReadTimeout:       deadlines.Body,
		IdleTimeout:       deadlines.Idle,
		MaxHeaderBytes:    maxHeader,
		// OPTIONS * is a method like any other.
		DisableGeneralOptionsHandler: true,
		// What net/http has to say of a sender's mistakes would come to the
		// terminal unescaped.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	if certificate != nil {
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*certificate}}
	}
	silent := &silentConns{}
	server.ConnContext = withConn
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		silent.track(conn, state)
		s.arriving.track(conn, state)
	}
	failed := make(chan error, len(listeners))
	for _, listener := range listeners {
		go func() {
			if certificate != nil {
				failed <- server.ServeTLS(listener, "", "")
				return
			}
			failed <- server.Serve(listener)
		}()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	drained := func() bool {
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), deadlines.Drain)
		defer cancel()
		return server.Shutdown(drain) == nil
	}
	silent.close()
	s.arriving.end()
	if !drained() {
		hurry()
		s.whole.Lock()
		s.ended = true // only what never arrived whole is left
		s.whole.Unlock()
		// What was in hand until now may still have its last bytes to send.
		if !drained() {
			_ = server.Close()
		}
	}
	s.telling.Wait()
	if err != nil {
		return fmt.Errorf("receiving: %w", err)
	}
	return nil
}

// silentConns are the connections on which nothing was ever said, a browser's
// preconnect for instance. Shutdown would wait for them as for a request. The
// connections that deliver pass by without waiting for each other.
type silentConns struct {
	conns  sync.Map // of net.Conn
	closed atomic.Bool
}

func (s *silentConns) track(conn net.Conn, state http.ConnState) {
	if state != http.StateNew {
		if _, ok := s.conns.Load(conn); ok {
			s.conns.Delete(conn)
		}
		return
	}
	s.conns.Store(conn, nil)
	if s.closed.Load() {
		_ = conn.Close()
	}
}

func (s *silentConns) close() {
	s.closed.Store(true)
	s.conns.Range(func(conn, _ any) bool {
		if silent, ok := conn.(net.Conn); ok {
			_ = silent.Close() // nobody is told anything on it
		}
		return true
	})
}
