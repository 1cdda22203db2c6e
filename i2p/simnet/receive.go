package simnet

import "time"

// maxAcksDue bounds the acknowledgements that wait for a message to go with.
const maxAcksDue = 32

// receiveLocked takes a message from one of d's tunnels. What d cannot read it
// drops, and nobody is told (i2pd Garlic.cpp, HandleGarlicMessage).
func (d *destination) receiveLocked(m *message) {
	if m.duplicate {
		d.deliverLocked(m)
		return
	}
	if m.kind == kindNewSession {
		d.receiveNewLocked(m)
		return
	}
	s := d.tags[m.session]
	if s == nil {
		d.net.lostLocked(d.router, LostUnknownSession)
		return
	}
	s.lastReceived = time.Now()
	switch {
	case m.kind == kindReply:
		d.repliedLocked(s)
	case s.state == ratchetReplied:
		s.state = ratchetEstablished
	}
	d.payloadLocked(m, s)
}

// receiveNewLocked takes a new session's first message. Its payload is
// delivered also if an older session stays the one to send on.
func (d *destination) receiveNewLocked(m *message) {
	interval := d.profile().Ratchet.NewInterval
	if interval > 0 && time.Since(d.lastNew) <= interval {
		d.net.lostLocked(d.router, LostTooOften)
		return
	}
	if m.to != d.static {
		d.net.lostLocked(d.router, LostWrongKey)
		return
	}
	d.lastNew = time.Now()
	s := &ratchet{owner: d, id: m.session, remote: m.from, state: ratchetReceived, lastReceived: d.lastNew}
	d.addLocked(s)
	d.observeLocked(EventNewSession, nil, "received")
	d.payloadLocked(m, s)
}

// repliedLocked takes the reply to a new session. It shows that the LeaseSet
// which went with that has arrived.
func (d *destination) repliedLocked(s *ratchet) {
	if s.state == ratchetNewSent {
		s.state = ratchetEstablished
		s.created = time.Now()
		d.net.countLocked(d.router, func(stats *Stats) { stats.Replies++ })
		d.addLocked(s)
	}
	s.leaseSetState, s.leaseSetMsg = leaseSetUpToDate, 0
}

// payloadLocked does what a message says that came on session s.
func (d *destination) payloadLocked(m *message, s *ratchet) {
	if m.leaseSet != nil {
		d.takeLeaseSetLocked(m.leaseSet, s)
	}
	if m.wantsAck && m.kind == kindExisting && len(s.acksDue) < maxAcksDue {
		s.acksDue = append(s.acksDue, m.number)
	}
	d.deliverLocked(m)
	if pinged, ok := d.client.(pinger); ok {
		pinged.answerPing(m.payload, s)
	}
	for _, number := range m.acks {
		s.confirmed(number)
	}
}

func (d *destination) deliverLocked(m *message) {
	if !d.client.deliver(m.payload) {
		d.net.lostLocked(d.router, LostQueueFull)
		return
	}
	d.net.countLocked(d.router, func(s *Stats) { s.Delivered++ })
}
