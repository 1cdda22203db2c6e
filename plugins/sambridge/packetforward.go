package sambridge

import (
	"net"
	"net/netip"
	"sync"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p/sam"
)

// beginForward has what comes for s forwarded by UDP, if it has a PORT.
func (s *session) beginForward() error {
	if s.ForwardPort == 0 {
		return nil
	}
	ip, err := s.forwardIP()
	if err != nil {
		return err
	}
	p := &s.packets
	if p.socket, err = s.b.udp.socketFor(ip); err != nil {
		return sam.Refusef(sam.ResultI2PError, "HOST=%v: no UDP socket for that: %v", ip, err)
	}
	p.forward = netip.AddrPortFrom(ip, s.ForwardPort)
	s.b.udp.enter(s)
	return nil
}

// endForward undoes beginForward.
func (s *session) endForward() {
	if s.packets.forward.IsValid() {
		s.b.udp.leave(s)
	}
}

// forwardIP is where datagrams may go: to the machine that the control connection comes
// from, and nowhere else, or the bridge would be a way to send to anybody in reach of it.
// They are in the clear, so another machine gets them only if all may be.
func (s *session) forwardIP() (netip.Addr, error) {
	own := ipOf(s.owner.nc.RemoteAddr())
	ip, err := own, error(nil)
	switch s.ForwardHost {
	case "", own.String():
	case "localhost":
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	default:
		if ip, err = netip.ParseAddr(s.ForwardHost); err != nil {
			return ip, sam.Refusef(sam.ResultI2PError, "HOST=%.40q is not an IP address; leave it out for your own", s.ForwardHost)
		}
		ip = ip.Unmap()
	}
	switch {
	case ip.IsLoopback() && own.IsLoopback():
		return ip, nil
	case ip != own:
		return ip, sam.Refusef(sam.ResultI2PError, "HOST=%v is not your own address, %v: datagrams go nowhere else", ip, own)
	case !s.b.cfg.AllowPlain:
		return ip, sam.Refusef(sam.ResultI2PError, "HOST=%v is another machine, and forwarded datagrams are in the clear; leave PORT out and they come on this connection", ip)
	}
	return ip, nil
}

// ipOf is the IP of a connection's other end; one in memory counts as the loopback.
func ipOf(addr net.Addr) netip.Addr {
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// datagramBuffers are for what is put together for UDP.
var datagramBuffers = sync.Pool{New: func() any { b := make([]byte, 0, sam.MaxPayload); return &b }}

// deliverByUDP forwards what has come. The kernel takes it or drops it; it does not wait
// for the client.
func (s *session) deliverByUDP(m backend.Message) {
	buffer := datagramBuffers.Get().(*[]byte)
	defer datagramBuffers.Put(buffer)
	p := &s.packets
	b := (*buffer)[:0]
	if m.Kind == backend.Raw {
		b = sam.AppendForwarded(b, packetOf(&m), s.Header)
	} else {
		b = sam.AppendDatagramForwarded(b, s.b.nameOf(&m), packetOf(&m), p.ports)
	}
	*buffer = b
	if _, err := p.socket.WriteToUDPAddrPort(b, p.forward); err != nil {
		s.b.stats.droppedDatagrams.Add(1)
		return
	}
	s.b.stats.deliveredDatagrams.Add(1)
}
