package simnet

import (
	"slices"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// readyLocked says whether d can send and look up.
func (d *destination) readyLocked() bool { return d.leaseSet != nil && len(d.tunnels) > 0 }

// sendLocked sends a framed payload, which d keeps, to a Destination. What
// becomes of it is told to the client by status, if nonce is not 0.
func (d *destination) sendLocked(to i2p.Hash, payload []byte, nonce uint32) {
	d.net.countLocked(d.router, func(s *Stats) { s.Sent++ })
	if d.kept == nil && d.profile().Ratchet.SilentUntilReply && d.sendOnLocked(d.routing[to], payload, nonce) {
		return
	}
	if remote := d.findLeaseSetLocked(to); remote != nil {
		d.sendToLocked(remote, payload, nonce)
		return
	}
	d.lookupLocked(to, func([]byte) {
		remote := d.remotes[to]
		if remote == nil {
			d.net.lostLocked(d.router, LostNoLeaseSet)
			d.statusLocked(nonce, i2cp.StatusNoLeaseSet)
			return
		}
		d.sendToLocked(remote, payload, nonce)
	})
}

// sendOnLocked sends on the session and the path last used, if they still
// serve (i2pd 2.58 I2CP.cpp, SendMessageMessageHandler; older ones choose the
// session anew for each message).
func (d *destination) sendOnLocked(s *ratchet, payload []byte, nonce uint32) bool {
	if s == nil || s.terminated {
		return false
	}
	lease := s.currentPath()
	if lease == nil {
		return false
	}
	if s.stuck() {
		s.path = path{}
		return false
	}
	d.dispatchLocked(s.wrapLocked(payload), lease)
	d.statusLocked(nonce, i2cp.StatusHandedOn)
	return true
}

// sendToLocked sends a client's message.
func (d *destination) sendToLocked(remote *remoteLeases, payload []byte, nonce uint32) {
	d.sendByLocked(d.sessionToLocked(remote), remote, payload, nonce)
}

// sendByLocked sends on session s, to the lease in use or to one that it draws
// (i2pd I2CP.cpp, SendMsg). The status says "handed on" for what wrapLocked
// drops as well.
func (d *destination) sendByLocked(s *ratchet, remote *remoteLeases, payload []byte, nonce uint32) {
	m := s.wrapLocked(payload)
	lease := s.currentPath()
	if lease != nil && (s.stuck() || s.silent()) {
		lease = nil
	}
	if lease == nil {
		lease = d.chooseLeaseLocked(remote)
		s.path = path{lease: lease, since: time.Now()}
	}
	d.routing[remote.hash] = s
	if lease == nil {
		d.net.lostLocked(d.router, LostNoLease)
		d.statusLocked(nonce, i2cp.StatusFailure)
		return
	}
	d.dispatchLocked(m, lease)
	d.statusLocked(nonce, i2cp.StatusHandedOn)
}

// dispatchLocked sends m to lease; a nil m was dropped for want of a reply.
func (d *destination) dispatchLocked(m *message, lease *remoteLease) {
	if m == nil {
		d.net.lostLocked(d.router, LostAwaitingReply)
		return
	}
	d.net.transmitLocked(d, lease.key, m)
}

func (d *destination) statusLocked(nonce uint32, status i2cp.Status) {
	if nonce != 0 && !d.closed {
		d.client.status(nonce, status)
	}
}

// wrapLocked makes the message that carries payload in the session's state,
// with the own LeaseSet if that is due (i2pd
// ECIESX25519AEADRatchetSession.cpp, WrapSingleMessage and CreatePayload).
func (s *ratchet) wrapLocked(payload []byte) *message {
	d := s.owner
	if s.state == ratchetNewSent && d.profile().Ratchet.SilentUntilReply {
		return nil
	}
	m := &message{by: d.router, session: s.id, payload: payload}
	s.lastSent = time.Now()
	s.bundleLocked(m, s.state != ratchetEstablished)
	switch s.state {
	case ratchetNew, ratchetNewSent:
		m.kind, m.to, m.from = kindNewSession, s.remote, d.static
		s.state = ratchetNewSent
		d.tags[s.id] = s
		d.observeLocked(EventNewSession, nil, "begun")
	case ratchetReceived, ratchetReplied:
		m.kind = kindReply
		if s.state == ratchetReceived {
			s.created = time.Now()
			d.tags[s.id] = s
		}
		s.state = ratchetReplied
	case ratchetEstablished:
		m.kind = kindExisting
	}
	return m
}

// bundleLocked adds the own LeaseSet, acknowledgements and the wish for one.
func (s *ratchet) bundleLocked(m *message, first bool) {
	rules := &s.owner.profile().Ratchet
	now := time.Now()
	if s.leaseSetState == leaseSetSubmitted && now.Sub(s.leaseSetSent) > rules.Confirm {
		s.leaseSetState = leaseSetUpdated
		s.path = path{}
	}
	s.messages++
	m.number = s.messages
	if s.leaseSetState == leaseSetUpdated || s.leaseSetState == leaseSetSubmitted && rules.BundlesUntilThen {
		m.leaseSet = s.owner.leaseSet
	}
	if first {
		return
	}
	switch {
	case s.leaseSetState == leaseSetSubmitted && m.leaseSet != nil: // once more
		m.wantsAck = true
	case m.leaseSet != nil:
		s.leaseSetState, s.leaseSetMsg, s.leaseSetSent = leaseSetSubmitted, m.number, now
		if s.ackInterval() > 0 {
			s.ackWanted = m.number
		}
		m.wantsAck = true
	case s.ackDue(now):
		s.ackWanted = m.number
		s.ackAttempts++
		m.wantsAck = true
	}
	if m.wantsAck {
		s.ackAsked = now
	}
	m.acks, s.acksDue = slices.Clone(s.acksDue), s.acksDue[:0]
}

// ackDue says whether it is time to ask for an acknowledgement.
func (s *ratchet) ackDue(now time.Time) bool {
	rules := &s.owner.profile().Ratchet
	if s.ackWanted == 0 {
		return s.ackInterval() > 0 && now.Sub(s.ackAsked) > s.ackInterval()
	}
	return now.Sub(s.ackAsked) > rules.AckRetry
}
