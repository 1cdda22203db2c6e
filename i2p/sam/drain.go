package sam

import "fmt"

// SetDraining tells the sessions that asked for it (SEND_DRAIN) whether the
// router is being drained: nothing is cut, but new work belongs elsewhere.
// Sessions that begin later are told at their start, and one whose queue is
// full when it says PING again.
func (s *Server) SetDraining(draining bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = draining
	for _, ss := range s.sessions {
		s.tellDrainLocked(ss)
	}
}

func (s *Server) tellDrain(ss *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tellDrainLocked(ss)
}

// tellDrainLocked tells ss of the state unless it knows.
func (s *Server) tellDrainLocked(ss *session) {
	if !ss.sendDrain || ss.toldDraining == s.draining {
		return
	}
	if err := ss.conn.w.Append(func(b []byte) []byte { return appendDrain(b, s.draining) }); err == nil {
		ss.toldDraining = s.draining
	}
}

// appendDrain appends the line that tells a backend of the state.
func appendDrain(b []byte, draining bool) []byte {
	active := "false"
	if draining {
		active = "true"
	}
	return append(AppendOption(AppendCommand(b, KindSessionDrain), "ACTIVE", active), '\n')
}

// onSessionDrain passes the state on. A line without ACTIVE is an error, not
// a guess.
func (c *PacketClient) onSessionDrain(cmd *Command) error {
	if !cmd.Has("ACTIVE") {
		return fmt.Errorf("%v without ACTIVE: %w", cmd.Kind, ErrSyntax)
	}
	draining, err := cmd.Bool("ACTIVE", false)
	if err == nil {
		c.cfg.OnDrain(draining)
	}
	return err
}
