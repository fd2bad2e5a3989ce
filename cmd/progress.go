package cmd

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/leapfinancial/m2m/internal/term"
)

const (
	// progressAfter is how long a run is left alone before its progress shows.
	progressAfter = time.Second
	// progressEvery is how often the line is drawn anew.
	progressEvery = 200 * time.Millisecond
	// clearLine goes to the line's beginning and takes away what is on it.
	clearLine = "\r\x1b[K"
)

// progress is a line on a terminal that says how far a run is, and goes away when
// there is something else to say. On what is no terminal it does nothing.
type progress struct {
	mu    sync.Mutex
	out   io.Writer
	text  func() string
	shown bool
	stop  chan struct{}
	done  sync.WaitGroup
}

// newProgress shows text's line from a second on, until it is ended.
func (a *app) newProgress(text func() string) *progress {
	p := &progress{out: a.Err, text: text, stop: make(chan struct{})}
	if a.Quiet || !a.IsTerminal(a.Err) {
		return p
	}
	p.done.Go(func() {
		wait := time.NewTimer(progressAfter)
		defer wait.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-wait.C:
				p.draw()
				wait.Reset(progressEvery)
			}
		}
	})
	return p
}

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = true
	fmt.Fprint(p.out, clearLine+p.text())
}

// above calls a function that writes lines, with the progress out of their way.
func (p *progress) above(write func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	return write()
}

func (p *progress) clear() {
	if p.shown {
		p.shown = false
		fmt.Fprint(p.out, clearLine)
	}
}

// end takes the line away for good.
func (p *progress) end() {
	close(p.stop)
	p.done.Wait()
	p.clear()
}

// countdown says how long it is until something: on a terminal all the time, elsewhere
// once.
func (a *app) countdown(what string, span time.Duration) (over func()) {
	if !a.IsTerminal(a.Err) {
		// A little of a second is gone already when it is looked at.
		if span > time.Second/2 {
			a.notice("%s %s", what, term.Wait(span))
		}
		return func() {}
	}
	until := a.Now().Add(span)
	return a.newProgress(func() string { return what + " " + term.Wait(until.Sub(a.Now())) }).end
}
