package balancer

import (
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
)

// LookEvery is how often the netDB is to be looked at where somebody watches: see
// Config.LookEvery. A merged LeaseSet lives for 150 s, so that one that is not published
// any more is missed after three minutes or so.
const LookEvery = time.Minute

const (
	// lookSettle is how long a publish has to get to the floodfills before anybody
	// looks: i2pd 2.45.1 finds nothing for up to 40 s after a lookup that came too
	// early.
	lookSettle = 15 * time.Second
	// lookSoon is when the next frontend is asked after one that could not look, or
	// found nothing, since a lookup may fail by chance.
	lookSoon = 10 * time.Second
	// lookTime is how long a frontend has for its answer.
	lookTime = time.Minute
)

// MissesUntilGone is how many lookups in a row must find nothing for the Destination
// to count as not in the netDB.
const MissesUntilGone = 3

// A netDB is what this leader knows of the Destination there. Balancer.mu guards it.
//
//	resting --due--> a frontend is asked --answer, detached or lookTime--> resting
type netDB struct {
	due     time.Time // of the next look, or until when an answer is waited for; zero: nothing was published yet
	asked   string    // the frontend, empty if resting
	id      uint64    // of the question
	by      string    // who answered last
	at      time.Time // when; zero: nobody has
	foundAt time.Time // when it was last found; zero: never
	found   bool
	failure string // why the last one could not look
	misses  uint32 // in a row
}

// publishedLocked has the netDB looked at when what is published now is there.
func (b *Balancer) publishedLocked(now time.Time) {
	n := &b.netDB
	if b.cfg.LookEvery > 0 && n.asked == "" {
		n.due = later(n.due, now.Add(lookSettle))
	}
}

// look asks a frontend if that is due, and gives up one that has not answered.
func (b *Balancer) look(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := &b.netDB
	if n.due.IsZero() || now.Before(n.due) {
		return
	}
	if n.asked != "" {
		b.lookedLocked(&controlpb.LookReply{Error: "no answer in " + lookTime.String() + ": is its program of an earlier version?"}, now)
		return
	}
	f := b.seekerLocked()
	if f == nil {
		n.due = now.Add(lookSoon)
		return
	}
	b.questions++
	n.id, n.asked, n.due = b.questions, f.name, now.Add(lookTime)
	f.sendLocked(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Look{Look: &controlpb.Look{Id: n.id}}})
}

// seekerLocked is whom to ask, each in turn; nil if nobody has a router. A publisher's
// router knows the LeaseSet anyway, and is asked only where there is no other.
func (b *Balancer) seekerLocked() *frontend {
	able := func(f *frontend) bool { return f.attached && f.up && !f.publisher }
	if b.countLocked(able) == 0 {
		able = func(f *frontend) bool { return f.attached && f.up }
	}
	var first *frontend
	for _, name := range b.namesLocked() {
		switch f := b.frontends[name]; {
		case !able(f):
		case name > b.netDB.by:
			return f
		case first == nil:
			first = f
		}
	}
	return first
}

// hearLook takes the answer of who was asked; another's is of an earlier question.
func (b *Balancer) hearLook(f *frontend, reply *controlpb.LookReply) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := &b.netDB; n.asked == f.name && n.id == reply.GetId() {
		b.lookedLocked(reply, b.cfg.Now())
		b.kick()
	}
}

func (b *Balancer) lookedLocked(reply *controlpb.LookReply, now time.Time) {
	n := &b.netDB
	n.by, n.at, n.asked = n.asked, now, ""
	n.found, n.failure = reply.GetFound(), reply.GetError()
	n.due = now.Add(lookSoon)
	switch {
	case n.failure != "":
		b.log.Debug("the netDB was not looked at", "frontend", n.by, "error", n.failure)
	case n.found:
		if n.misses >= MissesUntilGone {
			b.log.Info("the netDB has the Destination again", "frontend", n.by)
		}
		n.foundAt, n.misses, n.due = now, 0, now.Add(b.cfg.LookEvery)
	default:
		n.misses++
		if n.misses == MissesUntilGone {
			b.log.Warn("the netDB does not have the Destination: see that a publisher has its router, and how that reads i2cp.dontPublishLeaseSet", "lookups", n.misses)
		}
		if n.misses >= MissesUntilGone {
			n.due = now.Add(b.cfg.LookEvery)
		}
	}
}

// leftLocked has the next one asked if f, which is gone, was.
func (n *netDB) leftLocked(f *frontend, now time.Time) {
	if n.asked == f.name {
		n.asked, n.due = "", now.Add(lookSoon)
	}
}

// netDBStatusLocked is what a Status says of it, nil while nobody has looked.
func (b *Balancer) netDBStatusLocked() *controlpb.NetDB {
	n := &b.netDB
	if n.at.IsZero() {
		return nil
	}
	s := &controlpb.NetDB{AtMs: b.wallLocked(n.at).UnixMilli(), By: n.by, Found: n.found, Error: n.failure, Misses: n.misses}
	if !n.foundAt.IsZero() {
		s.FoundMs = b.wallLocked(n.foundAt).UnixMilli()
	}
	return s
}
