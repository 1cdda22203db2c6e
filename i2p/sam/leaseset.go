package sam

import (
	"fmt"
	"math"
)

// SetPublished tells the sessions that asked for it (SEND_LEASESETS) of what date
// the LeaseSet is that the router has been given, in seconds since 1970. Those that
// begin later are told at their start. It does not block, and takes no lock of the
// Server's: a Host may call it with its own locks held.
func (s *Server) SetPublished(published uint32) {
	if s.published.Swap(published) == published {
		return
	}
	for _, ss := range s.live.Load().all() {
		if ss.sendLeaseSets {
			ss.conn.w.Append(func(b []byte) []byte { return appendPublished(b, published) })
		}
	}
}

func appendPublished(b []byte, published uint32) []byte {
	return append(AppendNumber(AppendCommand(b, KindSessionLeaseSet), "PUBLISHED", int(published)), '\n')
}

// onSessionLeaseSet passes the date on.
func (c *PacketClient) onSessionLeaseSet(cmd *Command) error {
	if !cmd.Has("PUBLISHED") {
		return fmt.Errorf("%v without PUBLISHED: %w", cmd.Kind, ErrSyntax)
	}
	published, err := cmd.Number("PUBLISHED", 0, math.MaxUint32)
	if err == nil {
		c.cfg.OnLeaseSet(uint32(published))
	}
	return err
}
