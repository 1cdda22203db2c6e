package backend

import "time"

// A frontend drains before its router is taken away. Its remotes are brought
// to others by hellos, while it serves them on: a remote is answered by it until
// it is heard by another, and for as long as the drain lasts if it cannot be
// moved, as when it publishes no LeaseSet.
//
// What a hello by another router does to a remote whose session with the
// draining one lives, in i2pd 2.45.1 and 2.58 (libi2pd/Garlic.cpp,
// AddECIESx25519Session, which a New Session message with our static key gets to):
//
//   - The session is not over 120 s old (CanBeRestarted): the new one is not put
//     into the table of sessions. The pong is sent by the session that is there,
//     which lives on, so it comes in by the draining link and says nothing. But
//     the LeaseSet that came along is taken (Destination.cpp,
//     HandleDatabaseStoreMessage): the remote then sends what is for the draining
//     router to the other, where nobody can read it, until it gets a newer
//     LeaseSet again. So there is no hello before the session must be old enough.
//   - It is older: it is terminated and the new one takes its place, with the
//     LeaseSet that came along if that is newer. Streams see that theirs is
//     terminated before their next packet and go by the new one (Streaming.cpp,
//     SendPackets); so does the pong. What the draining router sends is
//     understood only until the tags of the terminated session are cleaned
//     up, within about a minute: nothing may be sent by it from then on.

const (
	// sessionAge is how long a remote must have been heard by a link to be
	// brought to another: the 120 s, and some for the clocks' whole seconds.
	sessionAge = 123 * time.Second
	// moveAfter is when the first hello goes out after a drain was told of: when all
	// others' routers have newer LeaseSets than the draining one, which the remote
	// would keep to otherwise, by a session that this one does not know. The leader
	// makes them at once; should it be lost just then, the next one does. Nobody is
	// in a hurry: the draining router serves on.
	moveAfter = 10 * time.Second
	// stragglers is how long packets of a moved remote may still come in by the
	// draining link without taking the remote back there.
	stragglers = 5 * time.Second
)

// setDraining has a link drain, or ends that. It is called on the goroutine
// that reads the link.
func (h *Host) setDraining(l *link, draining bool) {
	h.log.Info("frontend drains", "frontend", l.front.name(), "draining", draining)
	h.mu.Lock()
	l.draining = draining
	h.mu.Unlock()
	if draining {
		h.drain(l)
	} else {
		h.endDrain(l)
	}
}

// drain begins to move the remotes that l serves.
func (h *Host) drain(l *link) {
	remotes := h.servedBy(l)
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range remotes {
		switch {
		case r.link != l || (r.rescue != nil && r.rescue.drain):
		case r.rescue != nil && !r.rescue.answered: // it was to come here and did not yet
			h.rescues.redirect(r.rescue, h.chooseLocked(r.hash), now)
		case h.worthAHelloLocked(r, now):
			h.moveLocked(r.remote, now)
		}
	}
	h.takeFromLocked(l, now)
	h.wake()
}

// moveLocked begins to move r from its link, which drains.
func (h *Host) moveLocked(r *remote, now time.Time) {
	if r.rescue != nil { // its streams came here just now; they will come along
		h.rescues.end(r)
	}
	old := now.Add(sessionAge)
	if !r.came.IsZero() {
		old = later(r.came.Add(sessionAge), now.Add(moveAfter))
	}
	h.rescues.move(r, h.chooseOtherLocked(r), now, old)
}

// chooseOtherLocked is the link that is to take r from one that drains; nil if
// there is none.
func (h *Host) chooseOtherLocked(r *remote) *link {
	if l := h.chooseLocked(r.hash); l != nil && l.resort() == 0 {
		return l
	}
	return nil
}

// endDrain stops moving the remotes that l still serves.
func (h *Host) endDrain(l *link) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, rescue := range h.rescues.byID {
		if rescue.drain && !rescue.answered && rescue.from == l {
			h.rescues.end(rescue.remote)
		}
	}
	h.adoptStrandedLocked(l) // from others that drain
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
