package frontend

import (
	"context"
	"fmt"

	"github.com/eyedeekay/i2pkeys"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// maxDatagram is what i2pd's bridge reads of a datagram, header line included.
const maxDatagram = 32768

var (
	errUpstreamOnly = &refusal{sam.ResultI2PError, "upstream SAM carries raw datagrams without ports only: " +
		"PROTOCOL=18, FROM_PORT=0 and TO_PORT=0"}
	errUpstreamSize = &refusal{sam.ResultI2PError, "upstream SAM carries at most 32768 bytes, header line included"}
)

// Destination implements sam.Host.
func (u *upstream) Destination() (i2p.Destination, bool) {
	return u.cfg.Keys.Destination, u.session.Load() != nil
}

// Send implements sam.Host.
func (u *upstream) Send(p sam.Packet) error {
	s := u.session.Load()
	err := u.check(s, p)
	if err == nil {
		_, err = s.raw.WriteTo(p.Data, i2pkeys.I2PAddr(p.Peer.Base64()))
	}
	if err != nil {
		u.f.traffic.dropped.Add(1)
		return err
	}
	u.f.traffic.out.Add(1)
	if p.ID != 0 {
		u.f.server.Status(p.ID, nil) // SAM says no more
	}
	return nil
}

func (u *upstream) check(s *upstreamSession, p sam.Packet) error {
	switch {
	case s == nil:
		return errRouterDown
	case p.Protocol != sam.ProtocolRaw || p.FromPort != 0 || p.ToPort != 0:
		return errUpstreamOnly
	case len("3.0 ")+len(s.id)+1+4*(p.Peer.Size()+2)/3+1+len(p.Data) > maxDatagram:
		return errUpstreamSize
	}
	return nil
}

// Lookup implements sam.Host, on a connection of its own.
func (u *upstream) Lookup(ctx context.Context, name string) (i2p.Destination, error) {
	bridge, err := u.dial(ctx)
	if err != nil {
		return i2p.Destination{}, err
	}
	defer bridge.Close()
	defer context.AfterFunc(ctx, func() { bridge.Close() })()
	addr, err := bridge.Lookup(name)
	if err != nil {
		return i2p.Destination{}, fmt.Errorf("%w: %w", sam.ResultKeyNotFound, err)
	}
	return i2p.ParseDestinationBase64(string(addr))
}

// tellBackendsApart has backends with names share the datagrams. There is no
// balancer to send the key for that.
func (u *upstream) tellBackendsApart() {
	key, err := u.cfg.Keys.StreamIDKey()
	if err == nil {
		err = u.f.server.SetIDKey(key)
	}
	if err != nil {
		u.f.log.Warn("backends cannot have names here", "err", err)
	}
}

func (u *upstream) describe(s *Status) {
	s.Mode = ModeUpstreamSAM
	s.Destination = u.cfg.Keys.Destination.Base32()
	s.RouterUp = u.session.Load() != nil
	s.Serving = s.RouterUp
}

var _ sam.Host = (*upstream)(nil)
