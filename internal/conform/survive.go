package conform

import (
	"context"
	"errors"
	"fmt"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

func surviveCases() []Case {
	return []Case{{
		ID: "survive.garbage", Title: "a valid delivery after rubbish", Worst: Fail,
		Why:   "Anybody can send bytes to a public port: a handler that dies of them loses the deliveries of everybody.",
		Sends: "after bytes that are no HTTP, a broken length, broken chunks and half a request, each on a connection of its own",
		Fix:   "Catch errors of requests and connections where they happen: an uncaught exception in one must not end the process.",
		run:   garbage,
	}}
}

// rubbish returns what is no whole HTTP request. host is the target's.
func rubbish(host, path string) [][]byte {
	head := "POST " + path + " HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\n"
	return [][]byte{
		[]byte("\x00\x01\x02\xff\xfe m2m \x80\x81\r\n\r\n"),
		[]byte("GET " + path + "\r\n\r\n"),
		[]byte(head + "Content-Length: 1000000\r\n\r\n{\"event\":"),
		[]byte(head + "Content-Length: -1\r\n\r\n{}"),
		[]byte(head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
		[]byte(head + "X-M2M-Signature: \x00\x7f\r\n\r\n"),
		[]byte(head),
	}
}

func garbage(ctx context.Context, t *trial) (verdict, error) {
	u := t.Spec.Target.URL
	for _, bytes := range rubbish(u.Host, u.EscapedPath()) {
		err := t.Sender.Client.SendRaw(ctx, t.Spec.Target, bytes)
		var failure *endpoint.Error
		switch {
		case err == nil:
			t.contact = true
		case errors.As(err, &failure) && failure.Kind == endpoint.Refused:
			// Whoever listened there does not any more: the valid delivery shows it.
		case errors.As(err, &failure):
			return verdict{outcome: Skip, said: "rubbish could not be sent: " + failure.Message}, nil
		default:
			return verdict{}, err
		}
	}
	request, err := build(t, operationCreated)
	if err != nil {
		return verdict{}, err
	}
	record, err := t.send(ctx, request)
	switch {
	case err != nil:
		return verdict{}, err
	case record.Error != nil:
		return verdict{outcome: Fail, said: "no answer"}, nil
	case !accepted(record):
		return verdict{outcome: Fail, said: fmt.Sprintf("refused by %d", status(record))}, nil
	}
	return passed("accepted"), nil
}
