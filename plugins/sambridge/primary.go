package sambridge

import (
	"github.com/onelease/onelease/i2p/sam"
)

// onSessionAdd adds a subsession to the connection's PRIMARY session.
func (c *conn) onSessionAdd() error { return c.subReply("ADD", c.addSub()) }

// onSessionRemove ends a subsession.
func (c *conn) onSessionRemove() error { return c.subReply("REMOVE", c.removeSub()) }

// subReply answers as Java does: with the ID.
func (c *conn) subReply(action string, err error) error {
	id := c.cmd.Value("ID")
	return c.send(func(b []byte) []byte {
		b = sam.AppendOption(sam.AppendCommand(b, sam.KindSessionStatus), "RESULT", string(sam.ResultOf(err)))
		b = sam.AppendOption(b, "ID", id)
		message := action + " " + id
		if err != nil {
			message = err.Error()
		}
		return append(sam.AppendOption(b, "MESSAGE", message), '\n')
	})
}

// primarySession is the connection's own, which must be a PRIMARY.
func (c *conn) primarySession() (*session, error) {
	if c.session == nil || c.session.Style != stylePrimary {
		return nil, sam.Refusef(sam.ResultI2PError, "Not a PRIMARY session: use the connection that created one")
	}
	return c.session, nil
}

func (c *conn) addSub() error {
	p, err := c.primarySession()
	if err != nil {
		return err
	}
	s := newSession(p.ctx, c)
	s.primary, s.Hosted = p, p.Hosted
	s.published.Store(true)
	s.dontPublish, s.connectTime = p.dontPublish, p.connectTime
	if err = s.readSub(&c.cmd); err == nil {
		err = p.add(s)
	}
	if err != nil {
		s.cancel()
	}
	return err
}

// readSub reads what a SESSION ADD asks for.
func (s *session) readSub(cmd *sam.Command) error {
	if err := s.readName(cmd); err != nil {
		return err
	}
	switch {
	case s.Style == stylePrimary:
		return sam.Refusef(sam.ResultI2PError, "a PRIMARY session has no other below it; create it on a connection of its own")
	case cmd.Has("DESTINATION"):
		return sam.Refusef(sam.ResultI2PError, "DESTINATION is the PRIMARY session's; leave it out")
	}
	return s.readPorts(cmd)
}

// add enters a subsession and makes it ready.
func (p *session) add(s *session) error {
	if err := p.b.sessions.add(s); err != nil {
		return err
	}
	err := p.route(s)
	if err == nil {
		err = s.beginPackets()
	}
	if err != nil {
		p.forget(s)
		s.end()
		return err
	}
	s.ready.Store(true)
	return nil
}

// route gives s the protocol and port that it listens to, if no other has them.
func (p *session) route(s *session) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	limit := p.b.cfg.Limits.Subsessions
	if len(p.subs) >= limit {
		return sam.Refusef(sam.ResultI2PError, "the session has %d subsessions already; remove one", limit)
	}
	for _, o := range p.subs {
		if o.ListenPort == s.ListenPort && o.ListenProtocol == s.ListenProtocol {
			return sam.Refusef(sam.ResultI2PError, "Duplicate protocol %d and port %d: those are %s's; choose another LISTEN_PORT", s.ListenProtocol, s.ListenPort, o.ID)
		}
	}
	if p.subs == nil {
		p.subs = map[string]*session{}
	}
	p.subs[s.ID] = s
	return nil
}

func (p *session) forget(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.subs[s.ID] == s {
		delete(p.subs, s.ID)
	}
}

func (c *conn) removeSub() error {
	p, err := c.primarySession()
	if err != nil {
		return err
	}
	id := c.cmd.Value("ID")
	p.mu.Lock()
	s := p.subs[id]
	p.mu.Unlock()
	if s == nil {
		return sam.Refusef(sam.ResultInvalidID, "ID %s not found", id)
	}
	s.end()
	p.forget(s)
	return nil
}
