package conform

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/partner"
)

// The events that cases are made of.
const (
	linkCreated        = "link.created"
	linkOpened         = "link.opened"
	dataRequest        = partner.DataRequestEvent
	operationCreated   = "operation.created"
	operationCancelled = "operation.cancelled"
)

// eventNames returns the five events in the order of a transfer's life.
func eventNames() []string {
	return []string{linkCreated, linkOpened, dataRequest, operationCreated, operationCancelled}
}

// largeBody is the size of accept.large's payload, in bytes.
const largeBody = 256 << 10

func acceptCases() []Case {
	var cases []Case
	for _, name := range eventNames() {
		cases = append(cases, Case{
			ID: "accept." + name, Title: "a valid " + name, Worst: Fail,
			Why:   "A delivery that is refused five times is marked as failed, and waits until somebody replays it from the Partner Portal.",
			Sends: "fresh and correctly signed",
			Fix:   "Answer 2xx to every delivery that is authentic, whatever you make of it afterwards.",
			run:   event(name),
		})
	}
	return append(cases,
		Case{
			ID: "accept.exact-bytes", Title: "an unusual spelling of the same JSON", Worst: Fail,
			Why:   "How M2M spells JSON is not documented: a handler that parses and spells again before it checks will refuse real money the day the spelling differs.",
			Sends: `correctly signed, with spaces, 100.00, \/ and \u00e9 in its JSON`,
			Fix:   "Compute the signature over the raw bytes of the body, and parse them only afterwards: express.raw() in place of express.json(), request.get_data() in Flask, io.ReadAll(r.Body) in Go.",
			run:   accepts(Fail, oddSpelling),
		},
		Case{
			ID: "accept.charset", Title: "a Content-Type with a charset", Worst: Fail,
			Why:   "Proxies and HTTP libraries add a charset, and it changes nothing about the delivery.",
			Sends: "correctly signed, with Content-Type: application/json; charset=utf-8",
			Fix:   "Compare the media type without its parameters, or not at all: the signature says whose the body is.",
			run: accepts(Fail, func(t *trial) (delivery.Request, error) {
				request, err := build(t, operationCreated)
				request.Headers.Set("Content-Type", "application/json; charset=utf-8")
				return request, err
			}),
		},
		Case{
			ID: "accept.lowercase-headers", Title: "headers in lower case", Worst: Fail,
			Why:   "Header names have no case, and HTTP/2 sends all of them in lower case.",
			Sends: "correctly signed, with x-m2m-signature and the other headers of a delivery in lower case",
			Fix:   "Look headers up through your framework, which ignores case, and not in a map of names as they came.",
			run: accepts(Fail, func(t *trial) (delivery.Request, error) {
				request, err := build(t, operationCreated)
				for i := range request.Headers {
					request.Headers[i].Name = strings.ToLower(request.Headers[i].Name)
				}
				return request, err
			}),
		},
		Case{
			ID: "accept.unicode", Title: "text beyond ASCII", Worst: Fail,
			Why:   "Names of people and banks have accents: a handler that decodes the body wrongly refuses exactly those.",
			Sends: "correctly signed, with accents, Japanese and an emoji in a bank's name, as UTF-8",
			Fix:   "Compute the signature over the raw bytes; where you must decode them, decode UTF-8.",
			run: accepts(Fail, func(t *trial) (delivery.Request, error) {
				return build(t, operationCreated, "data.funding.bankName", `"Banco Nación ñandú 銀行 🏦"`)
			}),
		},
		Case{
			ID: "accept.unknown-fields", Title: "members that are not documented", Worst: Fail,
			Why:   "Metadata that you give a link comes back in its webhooks, and M2M may add members at any time.",
			Sends: "correctly signed, with metadata and another member more in data",
			Fix:   "Read the members that you need and pass over the others; do not validate against a closed schema.",
			run: accepts(Fail, func(t *trial) (delivery.Request, error) {
				return build(t, linkCreated, "data.metadata", `{"orderId":"A-1042"}`, "data.channel", `"widget"`)
			}),
		},
		Case{
			ID: "accept.unknown-event", Title: "an event type that does not exist yet", Worst: Warn,
			Why:   "M2M may add event types at any time; refused ones are sent again and again, and then marked as failed.",
			Sends: "correctly signed, of the type m2m.unknown_event",
			Fix:   "Acknowledge event types that you do not know with 200, and log them.",
			run: accepts(Warn, func(t *trial) (delivery.Request, error) {
				payload, err := t.payload(operationCreated)
				if err != nil {
					return delivery.Request{}, err
				}
				return t.faulty(payload, "unknown-event")
			}),
		},
		Case{
			ID: "accept.large", Title: "a body of 256 KiB", Worst: Warn,
			Why:   "No limit is documented, metadata is yours to fill, and a parser's default limit of 100 kB refuses what is larger with 413.",
			Sends: "correctly signed, 256 KiB long",
			Fix:   "Raise the limit of your body parser to 1 MB or so: express.raw({ limit: '1mb', … }).",
			run:   accepts(Warn, large),
		},
	)
}

// accepts judges a delivery that a good handler takes.
func accepts(worst Outcome, build func(*trial) (delivery.Request, error)) func(context.Context, *trial) (verdict, error) {
	return func(ctx context.Context, t *trial) (verdict, error) {
		request, err := build(t)
		if err != nil {
			return verdict{}, err
		}
		record, err := t.send(ctx, request)
		if err != nil {
			return verdict{}, err
		}
		if accepted(record) {
			return passed("accepted"), nil
		}
		return refused(worst, record), nil
	}
}

// refused says in words how a valid delivery was refused, and how to mend that where the
// answer tells.
func refused(worst Outcome, record delivery.Record) verdict {
	switch code := status(record); {
	case record.Error != nil:
		return verdict{outcome: worst, said: "no answer"}
	case isRedirect(code):
		return verdict{outcome: worst, said: "redirected", fix: "Answer at the very URL that M2M delivers to: it is not documented to follow redirects."}
	case crashed(record):
		return verdict{outcome: worst, said: fmt.Sprintf("refused by %d: the handler crashed", code), fix: "Look into the handler's log for what it threw."}
	}
	return verdict{outcome: worst, said: "refused"}
}

// event judges a plain delivery of an event. A cancellation comes after its operation:
// what a handler makes of the other order is deliver.out-of-order's.
func event(name string) func(context.Context, *trial) (verdict, error) {
	return func(ctx context.Context, t *trial) (verdict, error) {
		if name == operationCancelled {
			request, err := build(t, operationCreated)
			if err != nil {
				return verdict{}, err
			}
			if err := t.prepare(ctx, request); err != nil {
				return verdict{}, err
			}
		}
		v, err := accepts(Fail, func(t *trial) (delivery.Request, error) { return build(t, name) })(ctx, t)
		switch refusal := status(t.last()); {
		case err != nil:
		case refusal == http.StatusForbidden:
			v.fix = "Leave the handler's path out of what protects pages: CSRF tokens, logins, lists of addresses. A delivery is authenticated by its signature."
		case refusal == http.StatusUnauthorized:
			v.fix = fmt.Sprintf("Give the handler the secret that this test signs with, fingerprint %s; if it has that, compare its computation with m2m events --vectors.", t.Spec.Key.Fingerprint())
		}
		return v, err
	}
}

// build returns the delivery of an event, with values changed or added: paths and JSON
// in turn.
func build(t *trial, event string, edits ...string) (delivery.Request, error) {
	payload, err := t.payload(event)
	for i := 0; i+1 < len(edits) && err == nil; i += 2 {
		payload, err = set(payload, edits[i], edits[i+1])
	}
	if err != nil {
		return delivery.Request{}, err
	}
	return t.signed(payload), nil
}

// oddSpelling delivers a payload as no serializer writes it: indented as documented,
// with 100.00 as documented, and escapes that mean plain characters.
func oddSpelling(t *trial) (delivery.Request, error) {
	event, err := t.Catalogue.Event(operationCreated)
	if err != nil {
		return delivery.Request{}, err
	}
	payload, err := t.life.Fresh(event)
	if err != nil {
		return delivery.Request{}, err
	}
	if payload, err = set(payload, "data.funding.bankName", `"Caf\u00e9 \/ visa"`); err != nil {
		return delivery.Request{}, err
	}
	return t.signed(payload), nil
}

// large makes a payload of exactly that size: in a documented member, so that a handler
// that refuses unknown ones is not taken for one that refuses large bodies.
func large(t *trial) (delivery.Request, error) {
	payload, err := t.payload(linkOpened)
	if err != nil {
		return delivery.Request{}, err
	}
	const path = "data.deviceInfo.userAgent"
	if payload, err = set(payload, path, `""`); err != nil {
		return delivery.Request{}, err
	}
	filler := strings.Repeat("x", max(0, largeBody-len(payload)))
	if payload, err = set(payload, path, strconv.Quote(filler)); err != nil {
		return delivery.Request{}, err
	}
	if len(payload) != largeBody {
		return delivery.Request{}, fmt.Errorf("the large payload has %d bytes", len(payload))
	}
	return t.signed(payload), nil
}
