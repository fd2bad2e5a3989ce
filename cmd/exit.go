package cmd

import (
	"errors"
	"fmt"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/fixtures"
	"github.com/leapfinancial/m2m/internal/partner"
)

// exitCode is what the process ends with.
type exitCode int

const (
	exitDone        exitCode = 0
	exitNo          exitCode = 1
	exitNotTried    exitCode = 2
	exitUnreachable exitCode = 3
	exitInterrupted exitCode = 130
)

// exitCodesHelp is the table that every help page ends with.
const exitCodesHelp = `  0    done
  1    the answer is no: not valid, refused, or not as expected
  2    not tried: the command line, the configuration or the input cannot be
       used, or the destination or the kind of key is not allowed there
  3    the other side cannot be reached or does not answer in HTTP
  130  interrupted before the work was done
`

// worse returns the code of a run that had both results: 2 beats 3 beats 1 beats 0.
func worse(a, b exitCode) exitCode {
	rank := func(c exitCode) int {
		switch c {
		case exitInterrupted:
			return 4
		case exitNotTried:
			return 3
		case exitUnreachable:
			return 2
		case exitNo:
			return 1
		}
		return 0
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// exitError ends the process with a code. Without an error of its own, everything
// has been said already.
type exitError struct {
	code exitCode
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// result returns the error that ends a run with the code, or nil for exitDone.
func result(code exitCode) error {
	if code == exitDone {
		return nil
	}
	return &exitError{code: code}
}

// hintError is an error with a second line: how to mend it.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }
func (e *hintError) Hint() string  { return e.hint }

// withHint adds how to mend an error.
func withHint(err error, format string, args ...any) error {
	return &hintError{err: err, hint: fmt.Sprintf(format, args...)}
}

// codeOf maps an error to its exit code. What is nobody else's fault is the command
// line's or the input's.
func codeOf(err error) exitCode {
	var exit *exitError
	var failure *endpoint.Error
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit):
		return exit.code
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.As(err, &failure):
		return exitUnreachable
	}
	return exitNotTried
}

// tellError tells an error in two lines, what and how to mend it. Both may quote what
// came from outside.
func (a *app) tellError(err error) {
	var exit *exitError
	if err == nil || errors.As(err, &exit) && exit.err == nil {
		return
	}
	fmt.Fprintf(a.Err, "m2m: error: %s\n", a.safe(err.Error()))
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(a.Err, "m2m: hint: %s\n", a.safe(hint))
	}
}

func hintOf(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	var failure *endpoint.Error
	if errors.As(err, &failure) {
		return failure.Hint
	}
	var key *partner.KeyError
	if errors.As(err, &key) {
		return key.Hint
	}
	var unknown *fixtures.UnknownEventError
	if errors.As(err, &unknown) {
		return unknown.Hint()
	}
	return ""
}
