package simnet

import (
	"bytes"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// createLeaseSet drops an invalid LeaseSet in silence, or ends the session, as
// the router's make does.
func (s *session) createLeaseSet(body []byte) error {
	m, err := i2cp.ParseCreateLeaseSet2(body)
	if s.dest == nil || (err == nil && m.Session != s.id) {
		return nil
	}
	if err == nil {
		err = s.dest.installLocked(bytes.Clone(m.LeaseSet), m.Keys)
	}
	if err == nil {
		return nil
	}
	if !s.router.cfg.Profile.I2CP.InvalidEnds {
		s.router.net.log.Debug("LeaseSet dropped", "router", s.router.cfg.Name, "error", err)
		return nil
	}
	s.write(i2cp.Disconnect{Reason: "invalid LeaseSet"}.AppendFrame)
	return err
}

// sendMessage says "accepted" first and then, if the router's make does, what
// became of the message.
func (s *session) sendMessage(t i2cp.MessageType, body []byte) error {
	m, err := i2cp.ParseSendMessage(t, body)
	if err != nil {
		return malformed(err)
	}
	if s.dest == nil || m.Session != s.id {
		return nil
	}
	if !s.dest.readyLocked() {
		s.status(m.Nonce, i2cp.StatusNoLocalTunnels)
		return nil
	}
	if s.accepts {
		s.status(m.Nonce, i2cp.StatusAccepted)
	}
	s.dest.sendLocked(m.To.Hash(), bytes.Clone(m.Payload), m.Nonce)
	return nil
}

func (s *session) hostLookup(body []byte) error {
	m, err := i2cp.ParseHostLookup(body)
	if err != nil {
		return malformed(err)
	}
	if m.Session != s.id && m.Session != i2cp.NoSession {
		return nil
	}
	hash, ok := m.Hash, true
	if m.Kind == i2cp.LookupByName || m.Kind == i2cp.LookupOptionsByName {
		hash, ok = s.router.net.resolveLocked(m.Name)
	}
	reply := func(raw []byte) { s.hostReply(m, ok, raw) }
	switch {
	case m.Kind > i2cp.LookupOptionsByName, m.Kind.Options() && !s.router.cfg.Profile.I2CP.LooksUpOptions:
		s.hostReply(m, false, nil)
	case !ok:
		reply(nil)
	case s.dest == nil:
		s.router.lookupLocked(hash, reply)
	case s.dest.remotes[hash] != nil:
		reply(s.dest.remotes[hash].raw)
	case !s.dest.readyLocked():
		reply(nil)
	default:
		s.dest.lookupLocked(hash, reply)
	}
	return nil
}

// hostReply answers a lookup of a name that is known or not, by the LeaseSet.
func (s *session) hostReply(asked i2cp.HostLookup, known bool, raw []byte) {
	m := i2cp.HostReply{Session: s.id, Request: asked.Request, Result: i2cp.HostFailure}
	dest, _, err := i2p.ParseDestination(raw)
	switch {
	case err == nil:
		m.Result, m.Destination = i2cp.HostFound, dest
	case known && asked.Kind.Options():
		m.Result = i2cp.HostNoLeaseSet
	}
	if m.Result == i2cp.HostFound && asked.Kind.Options() {
		m.Options = i2p.Mapping{}
		if ls, _, err := i2p.ParseLeaseSet2(raw); err == nil && ls.Options != nil {
			m.Options = ls.Options
		}
	}
	s.write(m.AppendFrame)
}
