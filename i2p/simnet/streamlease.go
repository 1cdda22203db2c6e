package simnet

import "time"

// leaseLocked is the lease that the next packet goes to; nil if there is none
// (i2pd Streaming.cpp, SendPackets).
func (s *streamPath) leaseLocked() *remoteLease {
	now := time.Now()
	if s.lease == nil || s.lease.end.IsZero() {
		s.reselectLocked(true)
	}
	if s.next != nil && now.Sub(s.since) > s.rules().Handover {
		s.lease, s.next, s.shares = s.next, nil, s.rules().SharesAlways
	}
	fresh := now.Add(s.owner.profile().Leases.NearEnd)
	if s.lease == nil || s.next != nil || s.lease.end.After(fresh) {
		return s.lease
	}
	if s.rules().Handover > 0 && len(s.leases.endingAfter(fresh)) > 0 {
		return s.handOverLocked()
	}
	s.reselectLocked(true)
	return s.lease
}

// handOverLocked begins to change to another lease: this one packet goes there.
func (s *streamPath) handOverLocked() *remoteLease {
	old := s.lease
	s.reselectLocked(true)
	s.lease, s.next, s.since = old, s.lease, time.Now()
	return s.next
}

// reselectLocked draws another lease than that in use, if there is one; in place
// of one near its end at first one with the same gateway. It uses what is near
// its end only if there is nothing else, and then asks the netDB as well (i2pd
// Streaming.cpp, UpdateCurrentRemoteLease).
func (s *streamPath) reselectLocked(nearEnd bool) {
	d, now := s.owner, time.Now()
	s.next, s.shares = nil, s.shares || s.rules().SharesAlways
	if s.leases == nil || now.After(s.leases.until) {
		s.findLeasesLocked()
	}
	if s.leases == nil {
		s.lease = nil
		return
	}
	rules := &d.profile().Leases
	leases := s.leases.endingAfter(now.Add(rules.NearEnd))
	if len(leases) == 0 {
		nearEnd = false
		d.lookupLocked(s.to, nil)
		leases = s.leases.endingAfter(now.Add(-rules.Grace))
	}
	if len(leases) == 0 {
		s.leases, s.lease = nil, nil
		return
	}
	s.lease = s.drawLocked(leases, nearEnd)
}

// findLeasesLocked looks for a LeaseSet in place of one that has ended. The
// netDB's serves only what is sent after it came.
func (s *streamPath) findLeasesLocked() {
	d := s.owner
	s.leases = d.findLeaseSetLocked(s.to)
	switch {
	case s.leases != nil:
	case !s.rules().NeedsLeaseSet:
		d.lookupLocked(s.to, nil)
	case !s.dialled:
		s.ended = true
	default:
		d.lookupLocked(s.to, func(raw []byte) { s.ended = s.ended || raw == nil })
	}
}

func (s *streamPath) drawLocked(leases []*remoteLease, sameGateway bool) *remoteLease {
	if s.lease == nil {
		return leases[s.owner.rng.IntN(len(leases))]
	}
	for _, lease := range leases {
		if sameGateway && lease.key.gateway == s.lease.key.gateway && lease.key != s.lease.key {
			return lease
		}
	}
	i := s.owner.rng.IntN(len(leases))
	if leases[i].key.id == s.lease.key.id {
		i = (i + 1) % len(leases)
	}
	return leases[i]
}
