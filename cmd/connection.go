package cmd

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/manual"
)

// connectionFlags say how to reach another server.
type connectionFlags struct {
	Timeout  time.Duration
	Insecure bool
	CACert   string
	// Checked says that the command has no --insecure.
	Checked bool
}

// add adds the flags. What is the default timeout comes from M2M's own.
func (c *connectionFlags) add(flags *pflag.FlagSet) {
	c.Timeout = 30 * time.Second
	flags.Var(spanValue{&c.Timeout}, "timeout", "give up on an answer after `DURATION`; 0 never")
	flags.BoolVarP(&c.Insecure, "insecure", "k", false, "accept any TLS certificate")
	flags.StringVar(&c.CACert, "cacert", "", "trust the certificates in `FILE` (PEM)")
	manual.Group(flags, "Connection", "timeout", "insecure", "cacert")
}

// client returns the HTTP client that the flags make.
func (c *connectionFlags) client(a *app) (*endpoint.Client, error) {
	options, err := c.options(a)
	if err != nil {
		return nil, err
	}
	return endpoint.NewClient(a.Transport, options), nil
}

func (c *connectionFlags) options(a *app) (endpoint.ClientOptions, error) {
	options := endpoint.ClientOptions{Timeout: c.Timeout, Insecure: c.Insecure, Checked: c.Checked}
	if c.CACert != "" {
		pem, err := a.read(c.CACert, "the certificates", maxConfig)
		if err != nil {
			return options, err
		}
		if options.Roots, err = endpoint.RootsFromPEM(pem); err != nil {
			return options, fmt.Errorf("reading the certificates: %q: %w", c.CACert, err)
		}
	}
	return options, nil
}
