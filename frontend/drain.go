package frontend

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
)

var errDrained = errors.New("the router was drained and its session is closed: undo the drain to have it back")

// A drain is what the leader said last of taking the router out of service. The
// router may have a session but from the limit on until the drain is undone.
//
//	serving --Drain--> draining --limit--> closed
//	   \<--------------undone-------------/
//
// It outlives the control link: with all balancers away the limit still holds.
type drain struct {
	wake chan struct{} // open was replaced

	mu    sync.Mutex
	until time.Time          // the limit; zero: no drain
	timer *time.Timer        // ends open at the limit
	open  context.Context    // for as long as there may be a session
	shut  context.CancelFunc // of open
}

func newDrain() *drain {
	d := &drain{wake: make(chan struct{}, 1)}
	d.open, d.shut = context.WithCancel(context.Background())
	return d
}

// set begins a drain with that limit, or undoes it if until is zero.
func (d *drain) set(until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopLocked()
	d.until = until
	if !until.IsZero() && !until.After(time.Now()) {
		d.shut()
		return
	}
	if d.open.Err() != nil {
		d.open, d.shut = context.WithCancel(context.Background())
	}
	if !until.IsZero() {
		d.timer = time.AfterFunc(time.Until(until), d.shut)
	}
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *drain) stopLocked() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

// stop ends the timer for good.
func (d *drain) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopLocked()
}

// limit is when the session is to be closed; zero: there is no drain.
func (d *drain) limit() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.until
}

// closed reports whether there may be no session now.
func (d *drain) closed() bool { return d.current().Err() != nil }

func (d *drain) current() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// allow waits until there may be a session. What it returns ends with ctx, and
// when there may be none any more.
func (d *drain) allow(ctx context.Context) (context.Context, context.CancelFunc) {
	for d.closed() && ctx.Err() == nil {
		select {
		case <-d.wake:
		case <-ctx.Done():
		}
	}
	session, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(d.current(), cancel)
	return session, func() { stop(); cancel() }
}

// drained implements controlEvents. Its message may be of the past.
func (f *Frontend) drained(m *controlpb.Drain) {
	var until time.Time
	if m.GetDraining() {
		until = time.UnixMilli(m.GetUntilMs())
	}
	f.log.Info("drain", "on", m.GetDraining(), "until", until)
	f.drain.set(until)
	f.server.SetDraining(m.GetDraining())
}

// drainUntilMs implements controlEvents.
func (f *Frontend) drainUntilMs() int64 {
	if until := f.drain.limit(); !until.IsZero() {
		return until.UnixMilli()
	}
	return 0
}
