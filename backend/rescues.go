package backend

import (
	"container/heap"
	mathrand "math/rand/v2"
	"time"
)

// rescues are all of them; Host.mu guards them.
type rescues struct {
	every time.Duration // between two hellos of a link
	newID func() uint32
	byID  map[uint32]*rescue // by the ID in the nonce
	queue rescueQueue
}

func newRescues(rate int, newID func() uint32) rescues {
	return rescues{every: time.Second / time.Duration(rate), newID: newID, byID: map[uint32]*rescue{}}
}

// of returns r's rescue, a new one if it has none.
func (rs *rescues) of(r *remote) *rescue {
	if r.rescue == nil {
		r.rescue = &rescue{remote: r, from: r.link, place: -1}
		nonce := &r.rescue.nonce
		for nonce.id() == 0 || rs.byID[nonce.id()] != nil {
			*nonce = newNonce(rs.newID)
		}
		rs.byID[nonce.id()] = r.rescue
	}
	return r.rescue
}

// end takes r off the list.
func (rs *rescues) end(r *remote) {
	delete(rs.byID, r.rescue.nonce.id())
	if r.rescue.place >= 0 {
		heap.Remove(&rs.queue, r.rescue.place)
	}
	r.rescue = nil
}

// strand begins the rescue of a remote whose link is lost, or begins it again.
func (rs *rescues) strand(r served, now time.Time) {
	rescue := rs.of(r.remote)
	if rescue.via == nil || rescue.answered || rescue.awaiting || rescue.greeted {
		rescue.mayHold(r.link)
	}
	if rescue.answered || rescue.drain {
		rescue.earliest, rescue.invited = time.Time{}, false
	}
	rescue.earliest = later(rescue.earliest, r.young)
	if rescue.lostAt.IsZero() || rescue.resumed {
		rescue.lostAt, rescue.silent, rescue.resumed = now, -1, false
	}
	rescue.drain, rescue.awaiting, rescue.greeted = false, false, false
	rescue.answered, rescue.streamsHeard = false, false
	rescue.since, rescue.until = now, now.Add(helloFor)
	if r.streams > 0 {
		rescue.until = now.Add(streamsFor)
	}
	rescue.streams, rescue.said, rescue.paced = r.streams, 0, false
	rescue.patience = time.Time{}
	rs.schedule(rescue, later(rescue.earliest, now.Add(helloAfter)))
}

// forever is a time that a drain will not last.
const forever = 365 * 24 * time.Hour

// move begins the rescue of a remote whose link drains, with a hello at due, or later
// if there is no link to say it by then.
func (rs *rescues) move(r *remote, via *link, now, due time.Time) {
	rescue := rs.of(r)
	rescue.drain, rescue.via, rescue.silent, rescue.awaiting = true, via, -1, false
	rescue.until, rescue.earliest = now.Add(forever), due
	rs.schedule(rescue, due)
}

// nextLocked is the link to try after r's, which was of no use: that of the next
// lower rank, and after the lowest the highest again, of those that newcomers could
// be given to and that will do. Each gets its turn, since i2pd 2.58 sends nothing for
// two minutes after a hello that was not replied to. Nil if there is no other.
func (h *Host) nextLocked(r *rescue, do func(*link) bool) *link {
	var next *link
	hash := r.remote.hash
	own := r.via.rank(hash)
	for _, l := range h.links {
		if !l.up() || l == r.via || l.resort() > 0 || !do(l) {
			continue
		}
		// Those below own come first. The differences wrap round for the others.
		if next == nil || own-l.rank(hash) < own-next.rank(hash) {
			next = l
		}
	}
	return next
}

func anyLink(*link) bool { return true }

// redirect has the hellos go by l from now on. The first of them goes alone again.
func (rs *rescues) redirect(r *rescue, l *link, now time.Time) {
	due := later(r.due, now)
	if r.awaiting {
		due = now
	}
	if r.awaiting || r.greeted {
		r.mayHold(r.via)
	}
	r.via, r.awaiting, r.greeted = l, false, false
	if !r.drain {
		r.remote.link = l
	}
	rs.schedule(r, due)
}

// answer begins the second phase: the remote was heard by l.
func (rs *rescues) answer(rescue *rescue, l *link, now time.Time) {
	rescue.answered, rescue.from, rescue.via = true, l, l
	rescue.said = 0
	due := now
	if rescue.drain {
		rescue.since, rescue.until = now, now.Add(helloFor)
		due = now.Add(moveCheck)
	}
	rs.schedule(rescue, due)
}

func (rs *rescues) schedule(r *rescue, due time.Time) {
	r.due = due
	if r.place >= 0 {
		heap.Fix(&rs.queue, r.place)
	} else {
		heap.Push(&rs.queue, r)
	}
}

// again schedules the next turn after one, or the end.
func (rs *rescues) again(r *rescue, now time.Time) {
	r.said++
	r.paced = false
	wait := helloWait(r.said)
	if r.drain && !r.answered {
		wait = helloMost + mathrand.N(moveSpread)
	}
	due := now.Add(wait)
	if due.After(r.until) {
		due = r.until
	}
	rs.schedule(r, due)
}
