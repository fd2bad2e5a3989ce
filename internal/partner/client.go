package partner

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/leapfinancial/m2m/internal/endpoint"
)

// MaxTries is how often an answer is sent at most.
const MaxTries = 3

// MaxPause is the longest pause before another try. A server that asks for a
// longer one is not tried again.
const MaxPause = time.Minute

// firstPause is before the second try; each further pause is twice as long.
const firstPause = time.Second

// Client answers data requests. Safe for concurrent use as long as its functions
// are.
type Client struct {
	// HTTP sends. It has to check certificates: that a key reaches M2M and nobody
	// else depends on it.
	HTTP  *endpoint.Client
	Rules endpoint.KeyRules
	// UserAgent is the User-Agent header, or net/http's own when empty.
	UserAgent string
	// Sleep waits, and returns the context's cause when that ends first. Sleep when
	// nil.
	Sleep func(context.Context, time.Duration) error
	// Now is what a Retry-After date is compared with. Required.
	Now func() time.Time
	// OnRetry is told before each pause; it may be nil.
	OnRetry func(Retry)
}

// Retry is a try that is about to be repeated.
type Retry struct {
	// Try counts from 1 and is the one that went wrong, with that status.
	Try, Status int
	// Pause is how long until the next.
	Pause time.Duration
}

// Reply sends an answer, and sends it again after 429 and 5xx. Nothing is sent and
// the error is a *ForbiddenError when the key may not go there, and a *KeyError when
// there is none. The error is an *endpoint.Error when a try got no whole HTTP
// answer, which is not retried, and the context's cause when that ended. A refusal
// is no error.
func (c *Client) Reply(ctx context.Context, a Answer) (Outcome, error) {
	if err := a.Check(c.Rules); err != nil {
		return Outcome{}, err
	}
	if a.Key.IsZero() {
		return Outcome{}, &KeyError{Message: "no API key", Hint: "set M2M_API_KEY or pass --api-key-file"}
	}
	sleep := c.Sleep
	if sleep == nil {
		sleep = Sleep
	}
	pause := firstPause
	for try := 1; ; try++ {
		outcome, err := c.try(ctx, a)
		outcome.Tries = try
		if err != nil || !isRetryable(outcome.Status) || try == MaxTries {
			return outcome, err
		}
		wait := max(pause, outcome.RetryAfter)
		if wait > MaxPause {
			return outcome, nil
		}
		if c.OnRetry != nil {
			c.OnRetry(Retry{Try: try, Status: outcome.Status, Pause: wait})
		}
		if err := sleep(ctx, wait); err != nil {
			return outcome, err
		}
		pause *= 2
	}
}

func (c *Client) try(ctx context.Context, a Answer) (Outcome, error) {
	request, err := a.request(ctx, c.UserAgent)
	if err != nil {
		return Outcome{}, err
	}
	answer, err := c.HTTP.Do(ctx, request)
	if err != nil {
		return Outcome{}, err
	}
	outcome := readAnswer(answer, a.DataRequestID)
	outcome.RetryAfter = parseRetryAfter(answer.Header.Get("Retry-After"), c.Now())
	return outcome, nil
}

func isRetryable(status int) bool {
	return status == http.StatusTooManyRequests || status >= 500
}

// parseRetryAfter returns the pause that a Retry-After header asks for, in seconds
// or until a date (RFC 9110, section 10.2.3); zero when it asks for none.
func parseRetryAfter(text string, now time.Time) time.Duration {
	const longest = 365 * 24 * time.Hour
	if text != "" && strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(longest/time.Second) {
			return longest
		}
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, date.Sub(now))
}

// Sleep waits that long, or until ctx ends, and then returns ctx's cause.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
