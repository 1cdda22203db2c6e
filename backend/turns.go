package backend

import (
	"container/heap"
	"context"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// wake has tendRescues look again.
func (h *Host) wake() {
	select {
	case h.kick <- struct{}{}:
	default:
	}
}

// tendRescues says hello and nudges streams until ctx ends.
func (h *Host) tendRescues(ctx context.Context) {
	timer := time.NewTimer(helloFor)
	defer timer.Stop()
	for {
		turn, wait := h.nextTurn(time.Now())
		if turn != nil {
			h.take(turn)
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-h.kick:
		case <-timer.C:
		}
	}
}

// A turn is what is due for one rescue.
type turn struct {
	rescue *rescue
	to     i2p.Destination
	hash   i2p.Hash
	via    *link // takes a hello; nil for none
	client *sam.PacketClient
	nudge  bool
	since  time.Time
}

// nextTurn takes the next rescue that is due out of the queue, or returns how
// long there is nothing to do. It gives up those whose time is over.
func (h *Host) nextTurn(now time.Time) (*turn, time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.rescues.queue) > 0 {
		r := h.rescues.queue[0]
		if wait := r.due.Sub(now); wait > 0 {
			return nil, wait
		}
		if !now.Before(r.until) {
			h.giveUpLocked(r)
			continue
		}
		if h.readyLocked(r, now) {
			return h.turnLocked(r, now), 0
		}
	}
	return nil, helloFor
}

// readyLocked reports whether r, which is due, may have its turn. A hello gets
// a moment from its link's pace and its neighbors, which may be now, and comes up again then; so
// second hellos queue behind all first ones. A nudge is like any packet.
func (h *Host) readyLocked(r *rescue, now time.Time) bool {
	switch {
	case r.answered:
		return true
	case r.awaiting: // it took too long, and is taken for sent
		h.handedLocked(r, true, now)
		return false
	case r.via == nil || !r.via.up(): // adoptStrandedLocked or strand will call
		h.rescues.schedule(r, r.until)
		return false
	case !r.paced && h.waitsForNewerLocked(r, now):
		return false
	case !r.paced:
		r.paced = true
		h.rescues.schedule(r, h.cfg.Neighbors.turn(r.remote.hash, r.via.pace.reserve(now, h.rescues.every)))
		return false
	}
	return true
}

// turnLocked is what is to be done now. After a hello the next turn is when
// helloHanded says so, or too much time has passed.
func (h *Host) turnLocked(r *rescue, now time.Time) *turn {
	// remote.sender is set and does not change once there is a rescue.
	t := &turn{rescue: r, to: r.remote.sender.Destination, hash: r.remote.hash, since: r.since}
	t.nudge = r.answered || r.greeted && !r.drain
	if r.answered {
		heap.Pop(&h.rescues.queue)
		return t
	}
	t.via, t.client = r.via, r.via.live.Load()
	r.awaiting = true
	h.rescues.schedule(r, now.Add(handedWait))
	return t
}

// take says the hello or nudges the streams, or both.
func (h *Host) take(t *turn) {
	if t.via != nil {
		if err := h.sayHello(t); err != nil {
			h.helloHanded(t.via, t.rescue.nonce.id(), err)
		}
	}
	if !t.nudge {
		return
	}
	silent := 0
	if stack := h.stack(); stack != nil {
		silent = stack.Nudge(t.hash, t.since)
	}
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	r := t.rescue
	if r.remote.rescue != r || !t.since.Equal(r.since) { // it is over, or began again
		return
	}
	h.lookedLocked(r, silent, now)
	switch {
	case r.answered && silent == 0:
		h.rescues.end(r.remote)
	case r.place < 0: // nothing has put it back for a reason of its own
		h.rescues.again(r, now)
	}
}

// lookedLocked notes that silent streams of r's remote are not heard yet.
func (h *Host) lookedLocked(r *rescue, silent int, now time.Time) {
	if (silent < r.silent || r.silent < 0 && r.streamsHeard) && !r.resumed {
		r.resumed = true
		if !r.drain {
			h.stalls.add(now.Sub(r.lostAt))
		}
	}
	r.silent = silent
}
