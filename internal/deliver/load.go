package deliver

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/leapfinancial/m2m/internal/endpoint"
	"github.com/leapfinancial/m2m/internal/fixtures"
	"github.com/leapfinancial/m2m/internal/load"
)

// hopeless is after how many deliveries without any answer a load is ended.
const hopeless = 100

// ErrHopeless is returned by a load that was ended early because nothing ever answered.
var ErrHopeless = errors.New("nothing answers")

// Load delivers at a steady rate, whatever the answers: vegeta keeps the pace and has as
// many deliveries under way as that takes. Each is a fresh payload, signed as it is sent.
type Load struct {
	Client *endpoint.Client
	// Spec has no Fault.
	Spec  Spec
	Press *fixtures.Press
	// Now is the clock of payloads and signatures. Results have vegeta's.
	Now  func() time.Time
	Rate Rate
	// Duration is how long deliveries are sent, or a moment longer where only a few are
	// missing. Their answers may come later.
	Duration time.Duration
	// Connections is how many deliveries may be under way at once, 1 or more. Where that
	// does not suffice for the rate, they are sent later, and in the end not at all.
	Connections int
}

// Rate is so many deliveries in each span of time; both are more than zero.
type Rate struct {
	Count int
	Per   time.Duration
}

// PerSecond returns the rate in deliveries a second.
func (r Rate) PerSecond() float64 { return float64(r.Count) / r.Per.Seconds() }

// Run sends until the duration has passed and every delivery has come to its end, and
// hands each result to the function, one after the other. It returns how long the bodies
// were together. The error is ctx's cause, ErrHopeless, or that of a payload which could
// not be made.
func (l *Load) Run(ctx context.Context, each func(load.Result)) (load.Bytes, error) {
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	stamp, err := newStamp(running, l.Spec, l.Press)
	if err != nil {
		return load.Bytes{}, err
	}
	run := &loading{Load: l, ctx: running, stop: stop, stamp: stamp, asides: map[uint64]aside{}}
	attacker := vegeta.NewAttacker(
		vegeta.Workers(uint64(min(l.Connections, vegeta.DefaultWorkers))),
		vegeta.MaxWorkers(uint64(l.Connections)),
		vegeta.Client(&http.Client{
			Transport: run,
			// A redirect would be followed only with a Location, but one never knows.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
	)
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodPost, URL: l.Spec.Target.String()})
	defer context.AfterFunc(running, func() { attacker.Stop() })()
	// Else it would wait for a connection beyond the end.
	defer time.AfterFunc(l.Duration+overtime, func() { attacker.Stop() }).Stop()
	answered, unanswered := false, 0
	for hit := range attacker.Attack(target, pacer{running, l.Rate, l.Duration}, 0, "") {
		result := run.result(hit)
		each(result)
		if answered = answered || result.Status != 0; !answered && result.Failure != nil {
			if unanswered++; unanswered == hopeless {
				stop(ErrHopeless)
			}
		}
	}
	return load.Bytes{Out: run.out.Load(), In: run.in.Load()}, context.Cause(running)
}

// loading is one run of a load: vegeta's transport, which makes the requests as they are
// to go out.
type loading struct {
	*Load
	ctx   context.Context
	stop  context.CancelCauseFunc
	stamp *stamp

	// out and in are the lengths of all bodies.
	out, in atomic.Int64

	mu sync.Mutex
	// asides are what vegeta's results have no room for, by their sequence number.
	asides map[uint64]aside
}

// sequenceHeader is what vegeta numbers its requests with.
const sequenceHeader = "X-Vegeta-Seq"

// aside is what is to be said of few deliveries.
type aside struct {
	failure *load.Failure
	cut     bool
}

// RoundTrip sends the next delivery in the place of vegeta's request, by the client, whose
// rules then hold here, too.
func (l *loading) RoundTrip(request *http.Request) (*http.Response, error) {
	fresh, err := l.stamp.next(l.Now())
	if err != nil {
		l.stop(err)
		return nil, err
	}
	answer, err := l.Client.Do(l.ctx, fresh)
	l.out.Add(fresh.ContentLength)
	l.in.Add(int64(answer.Length))
	if err != nil || answer.Truncated {
		l.note(request.Header.Get(sequenceHeader), err, answer.Truncated)
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: answer.Status, Body: http.NoBody, Request: request}, nil
}

func (l *loading) note(sequence string, err error, cut bool) {
	beside := aside{cut: cut}
	var failure *endpoint.Error
	if errors.As(err, &failure) {
		beside.failure = &load.Failure{Kind: string(failure.Kind), Message: failure.Message, Hint: failure.Hint}
	}
	number, _ := strconv.ParseUint(sequence, 10, 64) // vegeta wrote it
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asides[number] = beside
}

// result makes a result of vegeta's.
func (l *loading) result(hit *vegeta.Result) load.Result {
	l.mu.Lock()
	beside := l.asides[hit.Seq]
	delete(l.asides, hit.Seq)
	l.mu.Unlock()
	return load.Result{
		Sent: hit.Timestamp, Latency: hit.Latency,
		Status: int(hit.Code), Cut: beside.cut, Failure: beside.failure,
		GivenUp: hit.Code == 0 && beside.failure == nil,
	}
}

// maxNap is how long vegeta may sleep, which nothing wakes.
const maxNap = 20 * time.Millisecond

// pacer says when the next delivery is due. The first is at once, and there are exactly
// as many as the rate makes in the duration.
type pacer struct {
	ctx      context.Context
	rate     Rate
	duration time.Duration
}

// Pace waits itself, or returns how long vegeta is to wait.
func (p pacer) Pace(elapsed time.Duration, sent uint64) (wait time.Duration, end bool) {
	due := time.Duration(float64(sent) * float64(p.rate.Per) / float64(p.rate.Count))
	late := elapsed - due
	if due >= p.duration || elapsed > p.duration && late > overtime {
		return 0, true
	}
	if -late <= maxNap {
		return -late, p.ctx.Err() != nil
	}
	return 0, Sleep(p.ctx, -late) != nil
}

// overtime is how late the last deliveries may go out: a machine that was busy for a
// moment catches up, and one that cannot keep the rate ends in time.
const overtime = time.Second

// Rate returns the deliveries a second.
func (p pacer) Rate(time.Duration) float64 { return p.rate.PerSecond() }
