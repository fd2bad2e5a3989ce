package listen

import "sync"

// maxUntold is about how much of deliveries may wait to be told, in bytes.
const maxUntold = 1 << 20

// teller calls a function with one delivery after the other. Whoever comes while it
// is being called leaves his delivery to who calls it, and is gone: so no sender waits
// for what others have sent, as long as that is not too much.
type teller struct {
	call func(Delivery)

	mu      sync.Mutex
	room    sync.Cond
	waiting []Delivery
	// spare is the memory of those that waited before.
	spare   []Delivery
	bytes   int
	calling bool
}

func newTeller(call func(Delivery)) *teller {
	t := &teller{call: call}
	t.room.L = &t.mu
	return t
}

func (t *teller) tell(d Delivery) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.calling && t.bytes > maxUntold {
		t.room.Wait()
	}
	t.waiting = append(t.waiting, d)
	t.bytes += d.size()
	if t.calling {
		return
	}
	t.calling = true
	defer func() { t.calling = false }()
	for len(t.waiting) > 0 {
		t.callAll()
	}
}

// callAll is called, and returns, with the lock held, and lets go of it meanwhile.
func (t *teller) callAll() {
	now := t.waiting
	t.waiting, t.spare, t.bytes = t.spare, nil, 0
	t.room.Broadcast()
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		clear(now)
		t.spare = now[:0]
	}()
	for _, d := range now {
		t.call(d)
	}
}

// size is about what the delivery takes in memory, in bytes.
func (d Delivery) size() int {
	const itself = 1 << 10 // and what belongs to it
	size := itself + len(d.Record.Request.URL) + len(d.Record.Request.Body) + len(d.Line)
	if d.Record.Response != nil {
		size += len(d.Record.Response.Body)
	}
	for _, header := range d.Record.Request.Headers {
		size += len(header.Name) + len(header.Value)
	}
	return size
}
