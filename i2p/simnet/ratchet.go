package simnet

import (
	"time"
)

// A ratchet is one side's state of an end-to-end session, which real routers
// encrypt with ECIES-X25519-AEAD-Ratchet. Here its tags are its number, which
// both sides have in common and nobody else knows.
//
//	sends first:   new -> newSent -> established
//	receives first: received -> replied -> established
type ratchet struct {
	owner  *destination
	id     uint64
	remote staticKey
	state  ratchetState
	// terminated has another take its place; its tags work until a clean-up.
	terminated bool

	created      time.Time // when the reply was sent or came; zero before
	lastReceived time.Time
	lastSent     time.Time
	path         path

	// What follows is the bundling of the own LeaseSet.
	leaseSetState leaseSetState
	leaseSetMsg   uint32 // the first that has it, whose acknowledgement confirms it
	leaseSetSent  time.Time

	// messages numbers what is sent, for acknowledgements.
	messages    uint32
	acksDue     []uint32 // to be sent with the next message
	ackWanted   uint32   // asked for and not come; 0 for none
	ackAsked    time.Time
	ackAttempts int
}

type ratchetState int

const (
	ratchetNew ratchetState = iota
	ratchetNewSent
	ratchetReceived
	ratchetReplied
	ratchetEstablished
)

// A leaseSetState says whether the other side has the own LeaseSet (i2pd
// Garlic.h, LeaseSetUpdateStatus).
type leaseSetState int

const (
	leaseSetUpToDate leaseSetState = iota
	leaseSetUpdated
	leaseSetSubmitted
)

// A path is the lease that a session sends to (i2pd GarlicRoutingPath; its
// outbound tunnel is not modelled).
type path struct {
	lease *remoteLease
	since time.Time
	used  int
}

// A message is what goes through a tunnel: what would be garlic.
type message struct {
	by        *Router // for the statistics
	kind      messageKind
	session   uint64
	duplicate bool
	// to and from are static keys, of a new session only.
	to, from staticKey
	leaseSet []byte
	number   uint32
	wantsAck bool
	acks     []uint32
	payload  []byte
}

type messageKind int

const (
	kindNewSession messageKind = iota
	kindReply
	kindExisting
)

// newRatchetLocked begins a session of one's own.
func (d *destination) newRatchetLocked(remote staticKey) *ratchet {
	d.net.sessions++
	d.net.countLocked(d.router, func(s *Stats) { s.NewSessions++ })
	return &ratchet{owner: d, id: d.net.sessions, remote: remote, leaseSetState: leaseSetUpdated}
}

// ratchetToLocked is the session to send on: by static key, so that a new key
// means a new session (i2pd Garlic.cpp, GetRoutingSession). One that has been
// silent for long is given up.
func (d *destination) ratchetToLocked(remote staticKey) *ratchet {
	rules := &d.profile().Ratchet
	s := d.sessions[remote]
	if s != nil && !(time.Since(s.lastReceived) > rules.Inactive && s.olderThan(rules.Takeover)) {
		return s
	}
	return d.newRatchetLocked(remote)
}

// olderThan is true as well for a session without a reply.
func (s *ratchet) olderThan(age time.Duration) bool { return time.Since(s.created) > age }

// addLocked makes s the one to send on. One with the same key that is not old
// enough stays; s then only receives (i2pd Garlic.cpp, AddECIESx25519Session).
func (d *destination) addLocked(s *ratchet) {
	if old := d.sessions[s.remote]; old != nil && old != s {
		if !old.olderThan(d.profile().Ratchet.Takeover) {
			return
		}
		old.terminated = true
	}
	d.sessions[s.remote] = s
}

// currentPath returns the lease chosen before, nil if its time is over.
func (s *ratchet) currentPath() *remoteLease {
	rules := &s.owner.profile().Leases
	lease := s.path.lease
	switch {
	case lease == nil:
	case time.Now().After(lease.end.Add(rules.PastEnd)),
		rules.Keep > 0 && time.Since(s.path.since) > rules.Keep,
		rules.KeepMessages > 0 && s.path.used >= rules.KeepMessages:
		s.path = path{}
	default:
		s.path.used++
	}
	return s.path.lease
}

// stuck says, once, that acknowledgements fail to come (i2pd
// ECIESX25519AEADRatchetSession.cpp, CleanupUnconfirmedTags).
func (s *ratchet) stuck() bool {
	if s.ackWanted == 0 || s.ackAttempts <= s.owner.profile().Ratchet.AckAttempts {
		return false
	}
	s.ackWanted, s.ackAttempts = 0, 0
	return true
}

// confirmed takes an acknowledgement.
func (s *ratchet) confirmed(number uint32) {
	until := s.leaseSetMsg != 0 && s.owner.profile().Ratchet.BundlesUntilThen
	if number == s.leaseSetMsg || until && number > s.leaseSetMsg {
		s.leaseSetMsg = 0
		if s.leaseSetState == leaseSetSubmitted {
			s.leaseSetState = leaseSetUpToDate
		}
	}
	if number == s.ackWanted {
		s.ackWanted, s.ackAttempts = 0, 0
	}
}

// cleanUpLaterLocked looks for dead sessions again and again.
func (d *destination) cleanUpLaterLocked() {
	rules := &d.profile().Ratchet
	d.afterLocked(rules.Cleanup+between(d.rng, rules.CleanupJitter), func() {
		d.cleanUpLocked()
		d.cleanUpLaterLocked()
	})
}

func (d *destination) cleanUpLocked() {
	for key, s := range d.sessions {
		if s.expired() {
			s.terminated = true
			delete(d.sessions, key)
		}
	}
	for id, s := range d.tags {
		unreplied := s.state == ratchetNewSent && time.Since(s.lastSent) > d.profile().Ratchet.Unreplied
		if s.terminated || unreplied {
			delete(d.tags, id)
		}
	}
	for hash, s := range d.routing {
		if s.terminated {
			delete(d.routing, hash)
		}
	}
	d.cleanUpKeptLocked()
	d.cleanUpStreamsLocked()
	for hash, remote := range d.remotes {
		if time.Now().After(remote.until.Add(d.profile().Leases.Outlives)) {
			delete(d.remotes, hash)
		}
	}
}

// expired is i2pd's CheckExpired.
func (s *ratchet) expired() bool {
	rules := &s.owner.profile().Ratchet
	if rules.Establish > 0 && s.state == ratchetReplied && s.olderThan(rules.Establish) {
		return true
	}
	return time.Since(s.lastReceived) > rules.Idle && time.Since(s.lastSent) > rules.IdleSending
}
