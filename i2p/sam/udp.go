package sam

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/onelease/onelease/internal/coalesce"
)

// udpQueue is how many packets may wait to be forwarded over UDP.
const udpQueue = 1024

// A udpBridge is the Server's UDP socket: clients send packets to it, and it
// forwards packets to those that asked for it with PORT.
type udpBridge struct {
	s     *Server
	conn  *net.UDPConn
	queue chan *datagram
	pool  sync.Pool // of *datagram
	cmd   Command   // read's
}

type datagram struct {
	to netip.AddrPort
	b  []byte
}

// StartUDP serves datagrams on conn until the Server ends, and closes it then.
// Packets are in the clear, so conn must be bound to the loopback. A Server
// has one such socket at most. On an error conn is left alone.
func (s *Server) StartUDP(conn *net.UDPConn) error {
	if addr, ok := conn.LocalAddr().(*net.UDPAddr); !ok || !addr.IP.IsLoopback() {
		return fmt.Errorf("serve SAM over UDP on %v: not a loopback address, bind 127.0.0.1 or ::1", conn.LocalAddr())
	}
	u := &udpBridge{s: s, conn: conn, queue: make(chan *datagram, udpQueue)}
	u.pool.New = func() any { return new(datagram) }
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return fmt.Errorf("serve SAM over UDP on %v: %w", conn.LocalAddr(), ErrClosed)
	}
	if !s.udp.CompareAndSwap(nil, u) {
		return fmt.Errorf("serve SAM over UDP on %v: the server has a UDP socket already", conn.LocalAddr())
	}
	s.serving.Go(u.read)
	s.serving.Go(u.write)
	return nil
}

// read takes datagrams in until the socket is closed. Any other error is of
// one datagram.
func (u *udpBridge) read() {
	b := make([]byte, MaxLine+MaxPayload)
	for {
		n, _, err := u.conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err := u.receive(b[:n]); err != nil {
			u.s.stats.badDatagrams.Add(1)
			u.s.log.Debug("dropped a datagram from UDP", "err", err)
		}
	}
}

// errNoSession says that a datagram names no session there is.
var errNoSession = errors.New("no such session")

// receive takes a datagram from a client.
func (u *udpBridge) receive(b []byte) error {
	id, to, data, err := u.cmd.ParseDatagram(b)
	if err != nil {
		return err
	}
	ss := u.s.find(id)
	if ss == nil {
		return errNoSession
	}
	return ss.sendDatagram(&u.cmd, to, data)
}

func (ss *session) sendDatagram(cmd *Command, to, data []byte) error {
	p := ss.defaults
	if err := cmd.Ports(&p); err != nil {
		return err
	}
	if err := cmd.SendOptions(&p.Options); err != nil {
		return err
	}
	name, err := ss.address(&p, to)
	p.Data = data
	ss.send(p, name, err)
	return err
}

// forward queues a packet for a session's UDP address.
func (s *Server) forward(ss *session, p Packet) error {
	u := s.udp.Load()
	if u == nil {
		return coalesce.ErrClosed
	}
	d := u.pool.Get().(*datagram)
	d.to, d.b = ss.forward, AppendForwarded(d.b[:0], p, ss.header)
	select {
	case u.queue <- d:
		return nil
	default:
		u.pool.Put(d)
		return coalesce.ErrFull
	}
}

// write sends what is queued, and closes the socket when the Server ends.
func (u *udpBridge) write() {
	defer u.conn.Close()
	for {
		select {
		case <-u.s.ctx.Done():
			return
		case d := <-u.queue:
			if _, err := u.conn.WriteToUDPAddrPort(d.b, d.to); err != nil {
				u.s.log.Debug("could not forward a packet over UDP", "err", err)
			}
			u.pool.Put(d)
		}
	}
}

// forwardAddr reads PORT and HOST of a SESSION CREATE; an invalid address
// says that there is no PORT.
func (c *conn) forwardAddr(cmd *Command) (none netip.AddrPort, err error) {
	port, err := cmd.Number("PORT", 0, 0xffff)
	if err != nil || port == 0 {
		return none, err
	}
	u := c.s.udp.Load()
	if u == nil {
		return none, Refusef(ResultI2PError, "PORT: no UDP here; leave PORT out and packets come on this connection")
	}
	host := cmd.Value("HOST")
	if host == "" || host == "localhost" {
		return netip.AddrPortFrom(u.ip(), uint16(port)), nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() {
		return none, Refusef(ResultI2PError, "HOST=%.40s is not 127.0.0.1 or ::1: packets would cross the network in the clear; leave PORT and HOST out", host)
	}
	return netip.AddrPortFrom(ip, uint16(port)), nil
}

// ip is the loopback address that the socket is bound to.
func (u *udpBridge) ip() netip.Addr {
	return u.conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}
