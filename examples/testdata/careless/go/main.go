// Command go is a handler that is good in everything but the habit that HABIT names,
// for tests. README.md in the directory above lists the habits. Not to be copied: that
// is what examples/go is for.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const path = "/webhooks/m2m"

func habits() []string {
	return []string{
		"", "reserializes", "no-freshness", "open", "empty-key", "leaks-key", "races", "duplicates",
		"refuses-unknown-events", "refuses-unknown-fields", "crashes", "parses-charset",
		"ignores-data-requests", "small-bodies", "acts-on-get", "late", "refuses-out-of-order",
	}
}

type handler struct {
	secret, apiKey, replyOrigin, habit string

	delay      time.Duration
	mu         sync.Mutex
	recorded   map[string]bool // event and id
	effects    *os.File
	background sync.WaitGroup
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	h := &handler{
		secret:      os.Getenv("M2M_WEBHOOK_SECRET"),
		apiKey:      os.Getenv("M2M_API_KEY"),
		replyOrigin: os.Getenv("M2M_REPLY_ORIGIN"),
		habit:       os.Getenv("HABIT"),
		recorded:    make(map[string]bool),
	}
	if h.secret == "" {
		return errors.New("M2M_WEBHOOK_SECRET: no webhook secret")
	}
	if !slices.Contains(habits(), h.habit) {
		return fmt.Errorf("HABIT: no habit %q", h.habit)
	}
	effects, err := os.OpenFile(cmp.Or(os.Getenv("M2M_EFFECTS_FILE"), os.DevNull), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("M2M_EFFECTS_FILE: %w", err)
	}
	h.effects = effects
	seconds, err := strconv.ParseFloat(cmp.Or(os.Getenv("M2M_CARELESS_DELAY"), "6"), 64)
	if err != nil {
		return fmt.Errorf("M2M_CARELESS_DELAY: %w", err)
	}
	h.delay = time.Duration(seconds * float64(time.Second))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", net.JoinHostPort(cmp.Or(os.Getenv("HOST"), "127.0.0.1"), cmp.Or(os.Getenv("PORT"), "3000")))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(path, h)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second}
	fmt.Printf("listening on http://%s%s\n", listener.Addr(), path)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	stop()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
	h.background.Wait()
	return nil
}
