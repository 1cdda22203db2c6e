package streaming

import (
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
)

// Inbound is a packet that came in.
type Inbound struct {
	// Data is used during the call only.
	Data             []byte
	FromPort, ToPort uint16
	// Via is handed to Link.Heard.
	Via any
}

// Receive takes a packet. It returns false for one that belongs to nothing here:
// not a packet, of a stream that is not known, to a port on which nobody listens.
// It does not block. Calls for one stream should come in order.
func (s *Stack) Receive(in Inbound) bool {
	s.counters.packetsIn.Add(1)
	if s.closed.Load() {
		return false
	}
	var p Packet
	if p.Parse(in.Data) != nil {
		s.counters.invalid.Add(1)
		return false
	}
	known := false
	switch {
	case p.Flags&FlagEcho != 0:
		known = s.receivePing(&p, &in)
	case p.SendID != 0:
		known = s.receiveKnown(&p, &in)
	case p.Flags&FlagSync != 0:
		known = s.receiveSync(&p, &in)
	default:
		known = s.receiveEager(&p, &in)
	}
	if !known {
		s.counters.unclaimed.Add(1)
	}
	return known
}

// receiveKnown takes a packet that has an ID of ours.
func (s *Stack) receiveKnown(p *Packet, in *Inbound) bool {
	st := s.find(p.SendID)
	if st == nil {
		return false
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.receiveLocked(p, in)
}

// receiveEager takes a packet of a remote that has not heard our answer to its
// SYN yet. It has no ID of ours, so that nothing proves who sent it, except
// that it knows the remote's ID; it is taken for as long as the remote cannot
// have ours.
func (s *Stack) receiveEager(p *Packet, in *Inbound) bool {
	if p.ReceiveID == 0 || p.Seq == 0 || p.Flags&(FlagSync|FlagClose|FlagReset) != 0 {
		return false
	}
	st := s.findEager(p.ReceiveID)
	if st == nil {
		s.early.keep(p.ReceiveID, in, s.now())
		return false
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.heard || st.state != open {
		return false
	}
	now := s.now()
	st.dataLocked(p, now)
	st.outputLocked(now)
	return true
}

// parseRemote reads who a packet is from, and checks that they signed it.
func (p *Packet) parseRemote() (*Remote, error) {
	if p.Flags&FlagFrom == 0 || p.Flags&FlagSigned == 0 {
		// A SYN with FROM and without a signature comes from i2pd with
		// i2p.streaming.dontSign: its sender is bound to the session at the
		// remote's router, which we do not see.
		return nil, fmt.Errorf("%w: FROM or the signature is missing", ErrUnsigned)
	}
	dest, n, err := i2p.ParseDestination(p.From)
	if err != nil || n != len(p.From) {
		return nil, fmt.Errorf("%w: bad sender", ErrPacket)
	}
	remote := NewRemote(dest)
	return remote, p.Verify(remote, time.Now())
}

// transientSender is remote with the transient key that it showed in p, which
// has been verified; nil if it showed none.
func (p *Packet) transientSender(remote *Remote) *Remote {
	if p.Flags&FlagOffline == 0 {
		return nil
	}
	key, err := p.SigningKey(remote, time.Now())
	if err != nil {
		return nil
	}
	return &Remote{Destination: remote.Destination, Hash: remote.Hash, Key: key}
}
