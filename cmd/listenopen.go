package cmd

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/leapfinancial/m2m/internal/listen"
)

// readCertificate reads what a server speaks TLS with.
func (o *listenOptions) readCertificate() (*tls.Certificate, error) {
	certificate, err := o.app.read(o.TLSCert, "the TLS certificate", maxConfig)
	if err != nil {
		return nil, err
	}
	key, err := o.app.read(o.TLSKey, "the TLS key", maxConfig)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, withHint(fmt.Errorf("reading the TLS certificate: %w", err), "--tls-cert and --tls-key each take a file in PEM")
	}
	return &pair, nil
}

// listenError says why a port cannot be opened.
func listenError(doing string, err error) error {
	var op *net.OpError
	if !errors.As(err, &op) || op.Addr == nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if listen.IsInUse(err) {
		_, port, _ := net.SplitHostPort(op.Addr.String())
		return fmt.Errorf("%s: port %s is taken: something listens on %s already", doing, port, op.Addr)
	}
	why := op.Err
	var call *os.SyscallError
	if errors.As(why, &call) {
		why = call.Err
	}
	return fmt.Errorf("%s on %s: %w", doing, op.Addr, why)
}
