package guest

// admit returns the guest that h asks for: a new one, or one that waited for l's backend.
func (s *Server) admit(l *line, h header) (*guest, error) {
	if wrong := h.roles &^ s.cfg.roles(); wrong != 0 {
		return nil, refuse(resultRefused, "this frontend's router is a %v, and takes no guest that is a %v", s.cfg.roles(), wrong)
	}
	for {
		g, wait, err := s.tryAdmit(l, h)
		if wait == nil {
			return g, err
		}
		select {
		case <-wait:
		case <-s.ctx.Done():
			return nil, refuse(resultFailed, "the frontend is shutting down")
		}
	}
}

// tryAdmit returns what has to end before it can be tried again, nil if nothing has.
func (s *Server) tryAdmit(l *line, h header) (_ *guest, wait <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, refuse(resultFailed, "the frontend is shutting down")
	}
	k := l.key(h)
	if old := s.guests[k]; old != nil && old.ending {
		return nil, old.done, nil
	} else if old != nil {
		return old, nil, s.adoptLocked(old, l, h)
	}
	if left := s.endLeftLocked(k); left != nil {
		return nil, left.done, nil
	}
	if err := s.quotaLocked(k.backend); err != nil {
		s.refused++
		return nil, nil, err
	}
	g, err := s.startLocked(l, h)
	return g, nil, err
}

// adoptLocked gives g back to its backend, which comes by another connection.
func (s *Server) adoptLocked(g *guest, l *line, h header) error {
	if g.roles != h.roles {
		return refuse(resultFailed, "the guest is a %v: close it first", g.roles)
	}
	if g.grace != nil {
		g.grace.Stop()
	}
	g.line = l
	return nil
}

// endLeftLocked ends the guests of an earlier life of k's backend, and returns one that has
// not ended yet: it may hold the session of the same Destination, which a router has once
// only.
func (s *Server) endLeftLocked(k key) (left *guest) {
	for other, g := range s.guests {
		if other.backend == k.backend && other.instance != k.instance && g.line == nil {
			s.endLocked(g)
			left = g
		}
	}
	return left
}

func (s *Server) quotaLocked(backend string) error {
	own := 0
	for k := range s.guests {
		if k.backend == backend {
			own++
		}
	}
	switch {
	case len(s.guests) >= s.cfg.MaxGuests:
		return refuse(resultQuota, "the frontend has %d guests, which is all that it takes: see its --guests-max", len(s.guests))
	case own >= s.cfg.MaxPerBackend:
		return refuse(resultQuota, "the frontend has %d guests of backend %s, which is all that it takes of one: see its --guests-per-backend", own, backend)
	}
	return nil
}
