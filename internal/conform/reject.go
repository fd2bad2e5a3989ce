package conform

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/sign"
)

// forgedWhy is why a delivery that is not authentic has to be refused.
const forgedWhy = "Whoever can get a forged operation accepted can have your system believe in money that never moved."

func rejectCases() []Case {
	const unsigned = "Refuse a delivery whose X-M2M-Signature header is missing or empty with 401, before anything else."
	return []Case{
		{
			ID: "reject.missing-signature", Title: "no signature at all", Worst: Fail, Why: forgedWhy,
			Sends: "without an X-M2M-Signature header", Fix: unsigned,
			run: refusesFault(operationCreated, "missing-signature"),
		},
		{
			ID: "reject.empty-signature", Title: "an empty signature", Worst: Fail, Why: forgedWhy,
			Sends: "with an empty X-M2M-Signature header", Fix: unsigned,
			run: refuses(func(t *trial) (delivery.Request, error) {
				request, err := build(t, operationCreated)
				request.Headers.Set(delivery.SignatureHeader, "")
				return request, err
			}),
		},
		{
			ID: "reject.truncated-signature", Title: "the beginning of the right signature", Worst: Fail,
			Why:   "A comparison that stops where the shorter text ends lets a forger guess a signature piece by piece, and one that throws takes the handler down.",
			Sends: "the right signature with its last 8 hex digits cut",
			Fix:   "Compare lengths first, in bytes, and refuse with 401 when they differ; then compare in constant time. crypto.timingSafeEqual throws on unequal lengths.",
			run:   refusesFault(operationCreated, "truncated-signature"),
		},
		{
			ID: "reject.wrong-secret", Title: "a signature made with another secret", Worst: Fail, Why: forgedWhy,
			Sends: "signed with another secret",
			Fix:   "Compute the HMAC with your webhook secret, compare it with the header's in constant time, and refuse with 401 when they differ.",
			run:   refusesFault(operationCreated, "wrong-secret"),
		},
		{
			ID: "reject.empty-key", Title: "a signature made with an empty secret", Worst: Fail,
			Why:   "A secret that is unset or empty still makes an HMAC, one that everybody can make.",
			Sends: "signed with a secret of no bytes",
			Fix:   "Refuse to start without a secret, and leave empty ones out of a list of secrets for a rotation.",
			run:   refuses(emptyKey),
		},
		{
			ID: "reject.missing-timestamp", Title: "no timestamp", Worst: Fail,
			Why:   "The timestamp is signed: a handler that goes on without it does not check what M2M signed.",
			Sends: "without an X-M2M-Timestamp header",
			Fix:   "Refuse a delivery without an X-M2M-Timestamp header with 401.",
			run:   refusesFault(operationCreated, "missing-timestamp"),
		},
		{
			ID: "reject.tampered-body", Title: "a body changed after it was signed", Worst: Fail, Why: forgedWhy,
			Sends: "signed, then one character inside data changed",
			Fix:   "Compute the HMAC over the raw body that was received, all of it.",
			run:   refusesFault(operationCreated, "tampered-body"),
		},
		{
			ID: "reject.tampered-timestamp", Title: "a timestamp changed after it was signed", Worst: Fail,
			Why:   "A timestamp that is not covered by the signature makes every captured delivery new again.",
			Sends: "signed, then the timestamp set one second later",
			Fix:   "Compute the HMAC over the X-M2M-Timestamp header's text, a full stop, and the raw body.",
			run:   refusesFault(operationCreated, "tampered-timestamp"),
		},
		{
			ID: "reject.stale", Title: "a delivery signed an hour ago", Worst: Warn,
			Why:   "Without a limit on its age, whoever has got hold of one delivery can send it again for ever.",
			Sends: "correctly signed, an hour ago",
			Fix:   "Refuse a timestamp that is more than five minutes from the present, once the signature matches.",
			run:   refusesOr(Warn, operationCreated, "stale"),
		},
		{
			ID: "reject.future", Title: "a delivery signed an hour ahead", Worst: Warn,
			Why:   "A check of the age in one direction only takes a delivery that stays fresh for as long as its signer liked.",
			Sends: "correctly signed, an hour ahead",
			Fix:   "Compare the absolute difference of the timestamp and the present with five minutes.",
			run:   refusesOr(Warn, operationCreated, "future"),
		},
		{
			ID: "reject.not-json", Title: "a signed body that is not JSON", Worst: Warn,
			Why:   "What cannot be read must not be acknowledged, and an exception that nobody catches may end the process.",
			Sends: "correctly signed, and not JSON",
			Fix:   "Catch what your JSON parser throws, and answer 400.",
			run:   refusesOr(Warn, operationCreated, "not-json"),
		},
		{
			ID: "reject.get", Title: "a GET", Worst: Warn,
			Why:   "A page that a browser or a crawler opens must not look like a delivery that was taken.",
			Sends: "GET, without headers or body of a delivery",
			Fix:   "Route POST alone to the handler; answer other methods with 405.",
			run:   get,
		},
	}
}

// refuses judges a delivery that is not authentic.
func refuses(make func(*trial) (delivery.Request, error)) func(context.Context, *trial) (verdict, error) {
	return judgeRefusal(Fail, make)
}

func refusesFault(event, fault string) func(context.Context, *trial) (verdict, error) {
	return refuses(func(t *trial) (delivery.Request, error) { return buildFaulty(t, event, fault) })
}

// refusesOr judges an authentic delivery that has to be refused all the same.
func refusesOr(worst Outcome, event, fault string) func(context.Context, *trial) (verdict, error) {
	return judgeRefusal(worst, func(t *trial) (delivery.Request, error) { return buildFaulty(t, event, fault) })
}

func judgeRefusal(worst Outcome, make func(*trial) (delivery.Request, error)) func(context.Context, *trial) (verdict, error) {
	return func(ctx context.Context, t *trial) (verdict, error) {
		request, err := make(t)
		if err != nil {
			return verdict{}, err
		}
		record, err := t.send(ctx, request)
		switch {
		case err != nil:
			return verdict{}, err
		case accepted(record):
			return verdict{worst, "accepted", ""}, nil
		case record.Error != nil:
			return verdict{Warn, unanswered, crashFix}, nil
		case crashed(record):
			return verdict{Warn, fmt.Sprintf("refused by %d: the handler crashed", status(record)), crashFix}, nil
		}
		return passed("refused"), nil
	}
}

const unanswered = "no answer: the handler crashed, or closed the connection"

// crashFix mends a refusal that was an accident.
const crashFix = "Check that the headers are there, that the signature has the right length and that the body parses, and answer 401 or 400. M2M sends again what is answered 5xx, and each crash shows an attacker where to look."

func buildFaulty(t *trial, event, fault string) (delivery.Request, error) {
	payload, err := t.payload(event)
	if err != nil {
		return delivery.Request{}, err
	}
	return t.faulty(payload, fault)
}

// emptyKey signs with no secret. The sign package refuses to, so that this tool never
// does it by mistake.
func emptyKey(t *trial) (delivery.Request, error) {
	request, err := build(t, operationCreated)
	if err != nil {
		return request, err
	}
	timestamp, _ := request.Headers.Get(delivery.TimestampHeader)
	mac := hmac.New(sha256.New, nil)
	mac.Write([]byte(timestamp + "."))
	mac.Write(request.Body)
	request.Headers.Set(delivery.SignatureHeader, sign.Prefix+hex.EncodeToString(mac.Sum(nil)))
	return request, nil
}

func get(ctx context.Context, t *trial) (verdict, error) {
	record, err := t.send(ctx, delivery.Request{
		Method: http.MethodGet, URL: t.Spec.Target.String(),
		Headers: delivery.Headers{{Name: "User-Agent", Value: t.Spec.UserAgent}},
	})
	switch {
	case err != nil:
		return verdict{}, err
	case accepted(record):
		return verdict{Warn, "answered as if it were a delivery that was taken", ""}, nil
	case record.Error != nil:
		return verdict{Warn, unanswered, ""}, nil
	case crashed(record) && status(record) != http.StatusNotImplemented:
		return verdict{Warn, fmt.Sprintf("refused by %d: the handler crashed", status(record)), ""}, nil
	}
	return passed("refused"), nil
}
