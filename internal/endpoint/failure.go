package endpoint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Kind says in one word why there was no answer. The values are those of a
// delivery record's error.kind.
type Kind string

// The kinds of failure.
const (
	Refused  Kind = "refused"  // nothing listens there, or there is no way to it
	DNS      Kind = "dns"      // the host name has no address
	TLS      Kind = "tls"      // no agreement on TLS, or a certificate nobody trusts
	Timeout  Kind = "timeout"  // no whole answer in time
	Reset    Kind = "reset"    // the connection broke off before the answer was whole
	Protocol Kind = "protocol" // the answer was not HTTP
)

// Error is a request that got no whole HTTP answer.
type Error struct {
	Kind Kind
	// Message is a phrase for a person. It may quote what came from outside.
	Message string
	// Hint says how to mend it; empty where there is nothing to add.
	Hint string
}

func (e *Error) Error() string { return e.Message }

// classify names the failure of an exchange with host.
func classify(err error, host string, timeout time.Duration) *Error {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, errSpeaksTLS):
		return &Error{
			Kind: Protocol, Message: host + " speaks TLS, not plain HTTP",
			Hint: "write https:// in place of http://",
		}
	case isTimeout(err):
		return &Error{Kind: Timeout, Message: timeoutMessage(err, host, timeout)}
	case errors.As(err, &dns):
		return &Error{
			Kind: DNS, Message: fmt.Sprintf("no address for the host %q", dns.Name),
			Hint: "check how the name is spelled, and whether this machine is on the network",
		}
	case isPlainHTTP(err):
		return &Error{
			Kind: TLS, Message: host + " speaks plain HTTP, not TLS",
			Hint: "write http:// in place of https://",
		}
	case isForeign(err):
		return &Error{
			Kind: TLS, Message: host + " does not speak TLS",
			Hint: "write http:// in place of https:// if it speaks plain HTTP, or check the port",
		}
	case isTLS(err):
		return tlsError(err, host)
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Error{
			Kind: Refused, Message: "connection refused: nothing listens on " + host,
			Hint: "start what is to listen there, or check the port",
		}
	case isBrokenOff(err):
		return &Error{Kind: Reset, Message: host + " closed the connection before its answer was whole"}
	case errors.As(err, &op) && op.Op == "dial":
		return &Error{Kind: Refused, Message: "no connection to " + host + ": " + innermost(err).Error()}
	}
	return &Error{
		Kind: Protocol, Message: host + " does not answer in HTTP: " + innermost(err).Error(),
		Hint: "check the port: another program, or a TLS port asked without https://, may be listening there",
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

func timeoutMessage(err error, host string, timeout time.Duration) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return "no connection to " + host + " in time"
	}
	return fmt.Sprintf("no whole answer from %s within %s", host, timeout)
}

// isBrokenOff holds when the other side went away, whatever it had said by then.
// net/http wraps an early end in errors of its own without types; io.EOF is in all
// of them.
func isBrokenOff(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED} {
		if errors.Is(err, end) {
			return true
		}
	}
	const protocolError = 1 // RFC 9113, section 7
	var stream streamError
	return errors.As(err, &stream) && stream.Code != protocolError
}

// streamError is an HTTP/2 stream that was reset. net/http's own type is not
// exported, but fills any that has the same fields.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (streamError) Error() string { return "stream reset" }

// isPlainHTTP holds when what was to be TLS begins as an answer in HTTP does.
func isPlainHTTP(err error) bool {
	var record tls.RecordHeaderError
	return errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/"
}

// isForeign holds when what was to be TLS begins as nothing of TLS does.
func isForeign(err error) bool {
	var record tls.RecordHeaderError
	return errors.As(err, &record) && record.Conn != nil
}

func isTLS(err error) bool {
	var (
		record      tls.RecordHeaderError
		alert       tls.AlertError
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		name        x509.HostnameError
		invalid     x509.CertificateInvalidError
	)
	var op *net.OpError
	return errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &certificate) ||
		errors.As(err, &authority) || errors.As(err, &name) || errors.As(err, &invalid) ||
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}

const orInsecure = ", or accept any with --insecure"

// tlsError says in a few words what is wrong with a certificate: the library's own quote
// guesses of theirs.
func tlsError(err error, host string) *Error {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	failure := &Error{Kind: TLS, Hint: "pass the certificate, or its authority's, with --cacert FILE" + orInsecure}
	switch {
	case errors.As(err, &authority):
		failure.Message = "its certificate is signed by nobody who is trusted here"
	case errors.As(err, &name):
		failure.Message = "its certificate is for " + names(name.Certificate) + ", not for " + name.Host
		failure.Hint = "ask for it by the name that is in its certificate" + orInsecure
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		failure.Message = "its certificate has expired, or is not valid yet"
		failure.Hint = "renew it" + orInsecure
	default:
		failure.Message, failure.Hint = innermost(err).Error(), ""
	}
	failure.Message = "no TLS with " + host + ": " + failure.Message
	return failure
}

// names returns the names that a certificate is for.
func names(certificate *x509.Certificate) string {
	const most = 3
	all := slices.Clone(certificate.DNSNames)
	for _, address := range certificate.IPAddresses {
		all = append(all, address.String())
	}
	switch {
	case len(all) == 0:
		return "no name at all"
	case len(all) > most:
		return strings.Join(all[:most], ", ") + " and others"
	}
	return strings.Join(all, ", ")
}

// innermost strips what net/http says around an error: the method and the URL,
// which the caller has already told.
func innermost(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return err
}
