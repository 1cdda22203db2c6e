package simnet

import (
	"time"

	"github.com/onelease/onelease/i2p"
)

// TakeoverAge is the age from which on a stock router lets another's new session
// take a session's place (RatchetRules.Takeover, the same in all Profiles).
const TakeoverAge = 2 * minute

// AgeSessions has all ratchet sessions be older by that, as if they had been in
// use for longer: what is to happen to old sessions need not be waited for.
// Nothing else ages.
func (n *Network) AgeSessions(by time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	aged := map[*ratchet]bool{}
	for _, r := range n.routers {
		for _, d := range r.dests {
			for s := range d.ratchetsLocked() {
				if !aged[s] && !s.created.IsZero() {
					aged[s] = true
					s.created = s.created.Add(-by)
				}
			}
		}
	}
}

// ratchetsLocked are all sessions that d knows.
func (d *destination) ratchetsLocked() map[*ratchet]bool {
	all := map[*ratchet]bool{}
	for _, s := range d.sessions {
		all[s] = true
	}
	for _, s := range d.tags {
		all[s] = true
	}
	for _, s := range d.kept {
		all[s] = true
	}
	for _, s := range d.streams {
		if s.session != nil {
			all[s.session] = true
		}
	}
	return all
}

// SessionAge is the age of the youngest session that the Remote's streams with
// a Destination use, or will use for their next packet. False if there is none,
// or none that was answered.
func (r *Remote) SessionAge(to i2p.Hash) (age time.Duration, ok bool) {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	s := r.youngestLocked(to)
	if s == nil {
		return 0, false
	}
	return time.Since(s.created), true
}

// SessionLost reports whether no router can read what is sent on the session that
// SessionAge is of: the one that knew it is down, hangs, or has forgotten it.
func (r *Remote) SessionLost(to i2p.Hash) bool {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	s := r.youngestLocked(to)
	if s == nil {
		return false
	}
	for _, router := range r.net.routers {
		if d := router.dests[to]; d != nil && router.state == routerUp && d.tags[s.id] != nil {
			return false
		}
	}
	return true
}

// youngestLocked is the session that SessionAge is of, or nil.
func (r *Remote) youngestLocked(to i2p.Hash) (youngest *ratchet) {
	if r.dest == nil {
		return nil
	}
	for _, s := range r.dest.streams {
		session := s.session
		if s.to != to || session == nil {
			continue
		}
		if session.terminated && s.leases != nil {
			session = r.dest.sessions[s.leases.static]
		}
		if session == nil || session.created.IsZero() {
			continue
		}
		if youngest == nil || session.created.After(youngest.created) {
			youngest = session
		}
	}
	return youngest
}
