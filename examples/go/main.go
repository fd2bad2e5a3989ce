// Command go is a reference server for M2M's webhooks on net/http. It reads its
// settings from the environment, listens on the loopback address unless told
// otherwise, and refuses to start without a webhook secret.
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
	"syscall"
	"time"

	"github.com/leapfinancial/m2m/examples/go/webhook"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	effects, err := os.OpenFile(cmp.Or(os.Getenv("M2M_EFFECTS_FILE"), os.DevNull), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("M2M_EFFECTS_FILE: %w", err)
	}
	defer func() { _ = effects.Close() }()

	handler, err := webhook.New(webhook.Config{
		Secret:      os.Getenv("M2M_WEBHOOK_SECRET"),
		APIKey:      os.Getenv("M2M_API_KEY"),
		ReplyOrigin: os.Getenv("M2M_REPLY_ORIGIN"),
		Users:       users(),
		Effects:     effects,
		Log:         os.Stdout,
	})
	if err != nil {
		return fmt.Errorf("M2M_WEBHOOK_SECRET: %w", err)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	address := net.JoinHostPort(cmp.Or(os.Getenv("HOST"), "127.0.0.1"), cmp.Or(os.Getenv("PORT"), "3000"))
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s%s\n", listener.Addr(), webhook.Path)

	mux := http.NewServeMux()
	mux.Handle(webhook.Path, handler)

	// Without deadlines a sender that stops half-way holds its connection for ever.
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()

	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}

	// What is in flight is finished first. A second signal ends it at once.
	stop()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		_ = server.Close()
	}
	handler.Wait()
	return nil
}

// users stands in for your database. The fields have M2M's names, those of
// requiredFields.
func users() map[string]webhook.User {
	return map[string]webhook.User{
		"user_12345": {
			"name.firstName":      "Maria",
			"name.secondName":     "Carlos",
			"name.lastName":       "Garcia",
			"name.secondLastName": "Lopez",
			"idNumber":            "GALO900515HDFRPN09",
			"idType":              "CURP",
			"dob":                 "1990-05-15",
		},
	}
}
