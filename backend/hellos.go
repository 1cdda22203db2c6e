package backend

import (
	"time"

	"github.com/onelease/onelease/i2p/sam"
)

// sayHello sends the hello of a turn, and asks for its status.
func (h *Host) sayHello(t *turn) error {
	if t.client == nil {
		return ErrNoFrontend // lost just now
	}
	origin, err := h.self.Load().origin()
	if err != nil {
		return err // counted, and said again later
	}
	packet, err := appendHello(nil, origin, t.rescue.nonce)
	if err != nil {
		h.log.Error("cannot sign a hello", "error", err)
		return err
	}
	return t.client.Send(sam.Packet{Peer: t.to, Protocol: HelloProtocol, ID: t.rescue.nonce.id(), Data: packet})
}

// helloHanded is told by l what became of the hello with that ID: nil if the
// router has sent it.
func (h *Host) helloHanded(l *link, id uint32, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rescues.byID[id]
	if r == nil || r.via != l || r.answered || !r.awaiting {
		return
	}
	if err == nil {
		l.hellos.Add(1)
	}
	h.handedLocked(r, err == nil, time.Now())
	h.wake()
}

// handedLocked takes what became of a hello. A stranded remote is tried through
// another link if the router failed, as when it does not find the LeaseSet, or
// when the hellos had time enough: i2pd 2.58 sends just one, which may get lost.
func (h *Host) handedLocked(r *rescue, ok bool, now time.Time) {
	r.awaiting, r.greeted, r.invited = false, r.greeted || ok, r.invited || ok
	h.rescues.again(r, now)
	if r.drain || ok && r.said < len(helloWaits) {
		return
	}
	if other := h.nextLocked(r, anyLink); other != nil {
		h.rescues.redirect(r, other, now)
	}
}

// giveUpLocked ends a rescue that was of no use.
func (h *Host) giveUpLocked(r *rescue) {
	switch {
	case !r.answered:
		h.stalled++
		if r.streams > 0 {
			h.stalls.Unreachable++
		}
	case r.silent > 0:
		h.stalls.Broken++
	}
	h.rescues.end(r.remote)
}

// pong takes the answer to a hello that came in by l: only the remote that
// the hello went to can know its nonce.
func (h *Host) pong(l *link, nonce helloNonce) {
	if h.greeted(l, nonce) {
		return
	}
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	rescue := h.rescues.byID[nonce.id()]
	if rescue == nil || rescue.nonce != nonce {
		return // a late one, to a hello that was answered before
	}
	r := rescue.remote
	t := h.remotes
	if t.byHash[r.hash] != r {
		t = h.hearsay
	}
	t.touch(r.hash, now, h.forgetLocked)
	h.hearLocked(r, l, now)
}
