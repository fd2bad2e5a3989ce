package conform

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/leapfinancial/m2m/internal/delivery"
	"github.com/leapfinancial/m2m/internal/partner"
)

// replyPatience is Options.Patience where nothing else is said.
const replyPatience = 5 * time.Second

func dataRequestCases() []Case {
	return []Case{
		{
			ID: "data-request.answered", Title: "a valid data request", Worst: Warn,
			Why:   "What you do not answer, M2M asks the user in the widget, who may give up there.",
			Sends: "fresh and correctly signed, its replyEndpoint here",
			Fix:   "PUT {\"referenceId\", \"userData\"} with all of requiredFields to the event's replyEndpoint, with your API key in X-API-Key. A handler that sends its key to M2M's hosts alone can be given this one for the test.",
			run:   answered,
		},
		{
			ID: "data-request.forged", Title: "forged data requests", Worst: Fail,
			Why:   "replyEndpoint comes from the payload: who answers before the signature is checked sends the API key, and a user's data, to anyone who asks.",
			Sends: "signed with another secret; and again without a signature; the replyEndpoints here",
			Fix:   "Check the signature before you look at anything in the body, and send the API key to M2M's own hosts alone.",
			run:   forged,
		},
	}
}

func answered(ctx context.Context, t *trial) (verdict, error) {
	if t.Unreachable != "" {
		return verdict{outcome: Skip, said: t.Unreachable}, nil
	}
	request, err := build(t, dataRequest)
	if err != nil {
		return verdict{}, err
	}
	record, err := t.send(ctx, request)
	switch {
	case err != nil:
		return verdict{}, err
	case !accepted(record):
		return refused(Warn, record), nil
	}
	complete := func(one arrival) bool { return one.reply != nil && one.reply.Status == http.StatusOK }
	came, err := t.Replies.wait(ctx, t.Patience, complete, idOf(request))
	switch {
	case err != nil:
		return verdict{}, err
	case came == nil:
		return verdict{outcome: Warn, said: fmt.Sprintf("no PUT comes within %s", t.Patience)}, nil
	case came.reply == nil && came.method == partner.Method:
		return verdict{outcome: Warn, said: "a PUT comes, but not to the replyEndpoint", fix: "PUT to the URL in replyEndpoint as it is, host and path."}, nil
	case came.reply == nil:
		return verdict{outcome: Warn, said: fmt.Sprintf("a %s comes, not a PUT", came.method)}, nil
	case !complete(*came):
		reply := came.reply
		return verdict{
			outcome: Warn, said: fmt.Sprintf("the Partner API would refuse the answer: %d %s: %s", reply.Status, reply.Code, reply.Message),
			fix: "Send {\"referenceId\", \"userData\"} as documented, the referenceId being the event's, once for each data request.",
		}, nil
	}
	var missing []string
	for _, field := range came.reply.Fields {
		if !field.Present {
			missing = append(missing, field.Path)
		}
	}
	if len(missing) > 0 {
		return verdict{
			outcome: Warn, said: "the answer lacks " + strings.Join(missing, ", "),
			fix: "Send every path in the event's requiredFields; M2M asks the user for what is missing.",
		}, nil
	}
	return passed(fmt.Sprintf("answered, with all %d fields", len(came.reply.Fields))), nil
}

// forged watches for the answer to two data requests that nobody at M2M has made.
func forged(ctx context.Context, t *trial) (verdict, error) {
	if t.Unreachable != "" {
		return verdict{outcome: Skip, said: t.Unreachable}, nil
	}
	var ids []string
	for _, fault := range []string{"wrong-secret", "missing-signature"} {
		t.another()
		request, err := buildFaulty(t, dataRequest, fault)
		if err != nil {
			return verdict{}, err
		}
		ids = append(ids, idOf(request))
		if _, err := t.send(ctx, request); err != nil {
			return verdict{}, err
		}
	}
	came, err := t.Replies.wait(ctx, t.Patience, func(arrival) bool { return true }, ids...)
	switch {
	case err != nil:
		return verdict{}, err
	case came == nil:
		return passed(fmt.Sprintf("no PUT comes within %s", t.Patience)), nil
	case came.hasKey:
		said := fmt.Sprintf("a %s comes, and with it the API key: the handler would send that to anyone", came.method)
		if came.reply != nil {
			said += " (" + came.reply.Key + ", " + came.reply.KeyKind + ")"
		}
		return verdict{outcome: Fail, said: said}, nil
	}
	return verdict{outcome: Fail, said: fmt.Sprintf("a %s comes: the handler answers whoever asks", came.method)}, nil
}

func idOf(request delivery.Request) string {
	payload, _ := delivery.ReadPayload(request.Body)
	return payload.ID
}
