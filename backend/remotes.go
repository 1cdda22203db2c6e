package backend

import (
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

// A remote is a Destination that is heard from. All but hash is guarded by Host.mu.
type remote struct {
	hash i2p.Hash
	// sender is nil as long as only the hash is known; once set it is never changed.
	sender *datagram.Sender
	// link is the one that its packets last came in by, or that it is being
	// moved to; nil if there is none.
	link  *link
	heard time.Time
	// came is when it was first heard by link; zero if it was not yet. Its
	// session with the router there is as old, or older.
	came time.Time
	// young is until when that session is sure to be too young for another
	// router to take it over: if it began when the remote came. When the link
	// was not up for long then, it may be older, unless the remote was elsewhere
	// before, or lost and said hello to since: also where the same router came back.
	young time.Time
	// addr is the address of its last packet, kept so that the next packet
	// from the same port need not make another.
	addr   *Addr
	rescue *rescue // nil unless it has to change links
	// leftUntil is until when packets that still come in by a draining link
	// that it has left do not count.
	leftUntil time.Time
	// answered is when a datagram was last sent to it, acked when an ack was due.
	answered, acked time.Time
	// greeted is when a greeting last went to it, and greetedBy the link.
	greeted   time.Time
	greetedBy *link
	// told is when a LeaseSet last went to it though none was asked for, and toldBy
	// the link: see needsLeaseSetLocked.
	told   time.Time
	toldBy *link

	older, newer *remote // neighbours by heard
}

// remotes is a table of them, bounded, in the order in which they were heard.
// Host.mu guards it.
type remotes struct {
	limit  int
	byHash map[i2p.Hash]*remote
	ends   remote // sentinel of the ring: newer is the oldest, older the newest
}

func newRemotes(limit int) *remotes {
	t := &remotes{limit: limit, byHash: make(map[i2p.Hash]*remote)}
	t.ends.older, t.ends.newer = &t.ends, &t.ends
	return t
}

// touch returns the remote of that hash as the one that was heard last. A new
// one may drive out the oldest, for which forget is called.
func (t *remotes) touch(hash i2p.Hash, now time.Time, forget func(*remote)) *remote {
	r := t.byHash[hash]
	if r != nil {
		unlink(r)
	} else {
		for len(t.byHash) >= t.limit {
			t.drop(t.ends.newer, forget)
		}
		r = &remote{hash: hash}
		t.byHash[hash] = r
	}
	r.heard = now
	r.older, r.newer = t.ends.older, &t.ends
	r.older.newer, r.newer.older = r, r
	return r
}

// unheard are all that were not heard since then.
func (t *remotes) unheard(since time.Time) []*remote {
	var all []*remote
	for r := t.ends.newer; r != &t.ends && r.heard.Before(since); r = r.newer {
		all = append(all, r)
	}
	return all
}

// each calls f for all of them, the one heard last first.
func (t *remotes) each(f func(*remote)) {
	for r := t.ends.older; r != &t.ends; r = r.older {
		f(r)
	}
}

func (t *remotes) drop(r *remote, forget func(*remote)) {
	unlink(r)
	delete(t.byHash, r.hash)
	forget(r)
}

func unlink(r *remote) { r.older.newer, r.newer.older = r.newer, r.older }
