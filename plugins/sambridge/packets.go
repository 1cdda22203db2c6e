package sambridge

import (
	"github.com/onelease/onelease/i2p/sam"
)

// servePackets serves Config.Packets until stop is called.
func (b *Bridge) servePackets() (stop func(), err error) {
	if b.cfg.Packets == nil {
		return func() {}, nil
	}
	return func() { b.cfg.Packets.Close() }, nil
}

// beginPackets has what comes for s delivered: to its owner, or forwarded.
func (s *session) beginPackets() error {
	if s.Style.datagrams() {
		s.owner.out.startQueue(s.b.cfg.Limits.QueueBytes)
		return sam.Refusef(sam.ResultI2PError, "STYLE=%v is not served yet", s.Style)
	}
	return nil
}

// endPackets undoes beginPackets.
func (s *session) endPackets() {}

func (c *conn) onDatagramSend() error { return c.unknown() }
func (c *conn) onRawSend() error      { return c.unknown() }
func (c *conn) onNamingLookup() error { return c.unknown() }
func (c *conn) onDestGenerate() error { return c.unknown() }
