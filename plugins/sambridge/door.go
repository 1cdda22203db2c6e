package sambridge

import (
	"net"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// A door is where streams of remotes come in to a session: to those who wait there
// (STREAM ACCEPT), or to one who takes all (STREAM FORWARD). It is shut until the first
// of them comes, and streams are refused. When it is open and nobody waits, they
// queue for a moment, so that a client that accepts in a loop loses nobody.
type door struct {
	s *session

	mu      sync.Mutex
	closed  bool
	ln      net.Listener // nil: shut
	waiting []*waiter    // the first one gets what comes next
	forward *forward
	queue   []*arrival
}

// A waiter is a pending ACCEPT.
type waiter struct{ got chan *streaming.Stream }

// An arrival is a stream that nobody has accepted yet.
type arrival struct {
	st    *streaming.Stream
	timer *time.Timer
}

// wait has the next stream go to the waiter that it returns. A client before 3.2 must be
// the only one.
func (d *door) wait(minor int) (*waiter, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.forward != nil:
		return nil, sam.Refusef(sam.ResultAlreadyAccepting, "a forwarding server is already defined for this destination")
	case minor < 2 && len(d.waiting) > 0:
		return nil, sam.Refusef(sam.ResultAlreadyAccepting, "another ACCEPT is pending; several at once need version 3.2")
	case len(d.waiting) >= maxWaiters:
		return nil, sam.Refusef(sam.ResultI2PError, "%d ACCEPTs are pending already", maxWaiters)
	}
	if err := d.openLocked(); err != nil {
		return nil, err
	}
	w := &waiter{got: make(chan *streaming.Stream, 1)}
	if len(d.queue) > 0 {
		a := d.queue[0]
		d.queue = d.queue[1:]
		a.timer.Stop()
		w.got <- a.st
		return w, nil
	}
	d.waiting = append(d.waiting, w)
	return w, nil
}

// maxWaiters is how many ACCEPTs of a session may be pending.
const maxWaiters = 1024

// leave takes a waiter out. A stream that it got already goes to the next.
func (d *door) leave(w *waiter) {
	d.mu.Lock()
	for i := range d.waiting {
		if d.waiting[i] == w {
			d.waiting = append(d.waiting[:i], d.waiting[i+1:]...)
			d.mu.Unlock()
			return
		}
	}
	d.mu.Unlock()
	select {
	case st, ok := <-w.got:
		if ok { // else the door was closed
			d.offer(st)
		}
	default:
	}
}

// setForward has f take all streams, also those that wait.
func (d *door) setForward(f *forward) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.forward != nil:
		return sam.Refusef(sam.ResultI2PError, "Forwarding failed : a forwarding server is already defined for this destination")
	case len(d.waiting) > 0:
		return sam.Refusef(sam.ResultI2PError, "Forwarding failed : an accepting server is already defined for this destination")
	}
	if err := d.openLocked(); err != nil {
		return err
	}
	d.forward = f
	for _, a := range d.queue {
		a.timer.Stop()
		f.take(a.st)
	}
	d.queue = nil
	return nil
}

// endForward undoes setForward. The port is shut: nobody is there any more.
func (d *door) endForward(f *forward) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.forward == f {
		d.forward = nil
		d.shutLocked()
	}
}

// openLocked opens the port, and has the network know of the Destination.
func (d *door) openLocked() error {
	switch {
	case d.closed:
		return sam.Refusef(sam.ResultInvalidID, "the session has ended")
	case d.ln != nil:
		return nil
	}
	ln, err := d.s.Hosted.Host().Listen(d.s.ListenPort)
	if err != nil {
		return sam.Refusef(sam.ResultI2PError, "%v", err)
	}
	d.ln = ln
	if !d.s.dontPublish {
		d.s.Hosted.Publish()
	}
	go d.serve(ln)
	return nil
}

func (d *door) serve(ln net.Listener) {
	for {
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		d.offer(nc.(*streaming.Stream))
	}
}

// offer hands a stream to who is there for it.
func (d *door) offer(st *streaming.Stream) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed || d.ln == nil:
		st.Reset()
	case d.forward != nil:
		d.forward.take(st)
	case len(d.waiting) > 0:
		d.waiting[0].got <- st
		d.waiting = d.waiting[1:]
	case len(d.queue) >= d.s.b.cfg.Limits.Backlog:
		d.s.b.stats.refusedStreams.Add(1)
		st.Reset()
	default:
		a := &arrival{st: st}
		a.timer = time.AfterFunc(d.s.b.cfg.Limits.BacklogTime, func() { d.expire(a) })
		d.queue = append(d.queue, a)
	}
}

// expire refuses a stream for which nobody has come.
func (d *door) expire(a *arrival) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.queue {
		if d.queue[i] == a {
			d.queue = append(d.queue[:i], d.queue[i+1:]...)
			d.s.b.stats.refusedStreams.Add(1)
			a.st.Reset()
			return
		}
	}
}

// close shuts the door for good, and ends who waits there.
func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.closed = true
	for _, w := range d.waiting {
		close(w.got)
	}
	d.waiting = nil
	if d.forward != nil {
		d.forward.owner.end(errDone)
		d.forward = nil
	}
	d.shutLocked()
}

// shutLocked refuses streams from now on, until openLocked.
func (d *door) shutLocked() {
	if d.ln != nil {
		d.ln.Close()
		d.ln = nil
	}
	for _, a := range d.queue {
		a.timer.Stop()
		a.st.Reset()
	}
	d.queue = nil
}
