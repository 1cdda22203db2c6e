package backend

import "time"

// ackAfter is how long the service has for an answer of its own.
const ackAfter = 50 * time.Millisecond

// ackEvery is how often a remote whose datagrams come in is sent something, if the
// service sends it nothing: own LeaseSets live for 60 to 100 s.
const ackEvery = 20 * time.Second

// ackLocked sees to it that r, which was heard by a datagram just now, hears from us: by
// an ack, if the service does not answer. An ack is a ping. i2pd
// drops all that a client sends behind the first message of a session until something
// comes back (ECIESX25519AEADRatchetSession.cpp, WrapSingleMessage), and its own
// datagram destinations therefore answer each datagram with an empty message
// (Datagram.cpp, Ack). Over I2CP there are no empty messages, so it is a ping, as a
// hello is. It brings the LeaseSet of the router that the remote is with, too, by which
// it stays there.
//
// Acks are only for who has signed: else anybody could have us ping others.
func (h *Host) ackLocked(r *remote, now time.Time) {
	if r.sender == nil || !h.cfg.signs() || now.Sub(r.answered) < ackEvery || now.Sub(r.acked) < ackEvery {
		return
	}
	r.acked = now
	time.AfterFunc(ackAfter, func() { h.ack(r, now) })
}

// ack sends the ack to r that became due at a time, unless it has been answered since.
// It is no loss if that fails: another one follows.
func (h *Host) ack(r *remote, due time.Time) {
	h.mu.Lock()
	l := r.link
	if h.remotes.byHash[r.hash] != r || r.rescue != nil || !r.answered.Before(due) {
		l = nil
	}
	h.mu.Unlock()
	if l == nil {
		return
	}
	if client := l.live.Load(); client != nil {
		if err := h.ping(client, r.sender.Destination); err != nil {
			h.log.Debug("cannot answer a datagram with a ping", "error", err)
		}
	}
}
