package backend

import (
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// ackEvery is how often a remote whose datagrams come in is sent something, if the
// service sends it nothing: own LeaseSets live for 60 to 100 s.
const ackEvery = 20 * time.Second

// An ack is a ping to a remote whose datagrams come in and that nobody answers. i2pd
// drops all that a client sends behind the first message of a session until something
// comes back (ECIESX25519AEADRatchetSession.cpp, WrapSingleMessage), and its own
// datagram destinations therefore answer each datagram with an empty message
// (Datagram.cpp, Ack). Over I2CP there are no empty messages, so it is a ping, as a
// hello is. It brings the LeaseSet of the router that the remote is with, too, by which
// it stays there.
type ack struct {
	client *sam.PacketClient
	to     i2p.Destination
}

// ackLocked is the ack for r, which was heard by a datagram just now; false if it
// needs none. Only for who has signed: else anybody could have us ping others.
func (h *Host) ackLocked(r *remote, now time.Time) (a ack, due bool) {
	if r.sender == nil || r.link == nil || r.rescue != nil || !h.cfg.signs() || now.Sub(r.answered) < ackEvery {
		return a, false
	}
	r.answered = now
	client := r.link.live.Load()
	return ack{client, r.sender.Destination}, client != nil
}

// sendAck sends an ack. It is no loss if that fails: another one follows.
func (h *Host) sendAck(a ack) {
	if err := h.ping(a.client, a.to); err != nil {
		h.log.Debug("cannot answer a datagram with a ping", "error", err)
	}
}
