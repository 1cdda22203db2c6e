package simnet

import "time"

// sessionToLocked is the session to send on: the one that the client keeps, and
// else that for the key of the newest LeaseSet. One that waits for its reply is
// not kept, so that each message until then begins another (i2pd Datagram.cpp,
// DatagramSession::GetSharedRoutingPath; Streaming.cpp, SendPackets).
func (d *destination) sessionToLocked(remote *remoteLeases) *ratchet {
	s := d.kept[remote.hash]
	if s != nil && !s.terminated && s.state != ratchetNewSent {
		return s
	}
	s = d.ratchetToLocked(remote.static)
	if d.kept != nil {
		d.kept[remote.hash] = s
	}
	return s
}

// cleanUpKeptLocked forgets what has ended. A session that never became the one
// for its key is not terminated by others; it ends when nobody uses it (i2pd
// Datagram.h, DATAGRAM_SESSION_MAX_IDLE, which is about the same time).
func (d *destination) cleanUpKeptLocked() {
	for hash, s := range d.kept {
		if s.terminated || s.expired() {
			delete(d.kept, hash)
		}
	}
}

// silent says whether a session that is kept gives its lease up, since nothing
// came.
func (s *ratchet) silent() bool {
	rules := &s.owner.profile().Kept
	return s.owner.kept != nil && rules.Silence > 0 && time.Since(s.lastReceived) > rules.Silence
}

// ackInterval is how often s asks for an acknowledgement.
func (s *ratchet) ackInterval() time.Duration {
	profile := s.owner.profile()
	if s.owner.kept == nil {
		return profile.Ratchet.AckInterval
	}
	return orDefault(profile.Kept.AckInterval, profile.Ratchet.AckInterval)
}
