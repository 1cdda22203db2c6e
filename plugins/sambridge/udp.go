package sambridge

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/onelease/onelease/i2p/sam"
)

// udp is the bridge's UDP: clients send datagrams to its port, and it forwards them to
// those that want it.
//
// SAM has no authorization there, but each datagram names a session. So who sends is
// told by where from: a session of the user without a name may be used by anybody on
// this machine, as on other bridges; one of a user with a password only by the very
// address that its own datagrams are forwarded to, which nobody else can send from.
type udp struct {
	b *Bridge

	mu      sync.Mutex
	port    *net.UDPConn // Config.Packets, nil if there is none
	sockets [3]*net.UDPConn
	closed  bool
	// forwards are the sessions of users with a name that have a forward.
	forwards map[forwardKey]*session

	cmd sam.Command // read's
}

// A forwardKey is where datagrams for a session are forwarded to, and its ID.
type forwardKey struct {
	addr netip.AddrPort
	id   string
}

// Where sockets are bound that only forward.
var forwardFrom = [3]struct{ network, addr string }{
	{"udp4", "127.0.0.1:0"}, {"udp6", "[::1]:0"}, {"udp", ":0"},
}

// The places in forwardFrom.
const (
	fromLoopback4 = iota
	fromLoopback6
	fromAnywhere
)

// receiveBuffer is what the kernel is asked to keep of what comes at once, in bytes.
const receiveBuffer = 1 << 20

// servePackets serves Config.Packets until stop is called, which waits for its end.
func (b *Bridge) servePackets() (stop func(), err error) {
	u := &b.udp
	if b.cfg.Packets == nil {
		return u.close, nil
	}
	port, ok := b.cfg.Packets.(*net.UDPConn)
	if !ok {
		return nil, fmt.Errorf("%w: Packets is a %T: want a *net.UDPConn", ErrConfig, b.cfg.Packets)
	}
	port.SetReadBuffer(receiveBuffer) // less will do
	u.mu.Lock()
	u.port = port
	u.mu.Unlock()
	done := make(chan struct{})
	go func() {
		u.read(port)
		close(done)
	}()
	return func() {
		u.close()
		<-done
	}, nil
}

// close closes all sockets and lets none open any more.
func (u *udp) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	for _, socket := range append(u.sockets[:], u.port) {
		if socket != nil {
			socket.Close()
		}
	}
}

// socketFor is the socket to forward to ip by: the port that clients send to if that can,
// since some hear nobody else.
func (u *udp) socketFor(ip netip.Addr) (*net.UDPConn, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil, net.ErrClosed
	}
	if u.port != nil && ip.IsLoopback() {
		if from := u.port.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(); from.Is4() == ip.Is4() {
			return u.port, nil
		}
	}
	at := fromAnywhere
	switch {
	case ip.IsLoopback() && ip.Is4():
		at = fromLoopback4
	case ip.IsLoopback():
		at = fromLoopback6
	}
	if u.sockets[at] == nil {
		socket, err := net.ListenPacket(forwardFrom[at].network, forwardFrom[at].addr)
		if err != nil {
			return nil, err
		}
		u.sockets[at] = socket.(*net.UDPConn)
	}
	return u.sockets[at], nil
}

// enter notes where a session is forwarded to, leave that it is no more.
func (u *udp) enter(s *session) {
	if s.User == "" {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.forwards == nil {
		u.forwards = map[forwardKey]*session{}
	}
	u.forwards[forwardKey{s.packets.forward, s.ID}] = s
}

func (u *udp) leave(s *session) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if key := (forwardKey{s.packets.forward, s.ID}); u.forwards[key] == s {
		delete(u.forwards, key)
	}
}

// find is the session of that ID that who sends from there may use, or nil.
func (u *udp) find(id []byte, from netip.AddrPort) *session {
	if s := u.b.sessions.findNameless(id); s != nil {
		return s
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if s := u.forwards[forwardKey{from, string(id)}]; s != nil && s.ready.Load() {
		return s
	}
	return nil
}

// read takes datagrams in until the socket is closed. Any other error is of one datagram.
func (u *udp) read(port *net.UDPConn) {
	b := make([]byte, sam.MaxLine+sam.MaxPayload)
	for {
		n, from, err := port.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			err = u.receive(b[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		}
		if err != nil {
			u.b.stats.badDatagrams.Add(1)
			u.b.log.Debug("datagram from UDP not sent", "error", err)
		}
	}
}

var (
	errNoSession = errors.New("no such session, or not for who sent this")
	errNoPackets = errors.New("the session is for streams")
)

// receive takes a datagram of a client's. It keeps nothing of b.
func (u *udp) receive(b []byte, from netip.AddrPort) error {
	id, to, payload, err := u.cmd.ParseDatagram(b)
	if err != nil {
		return err
	}
	s := u.find(id, from)
	switch {
	case s == nil:
		return errNoSession
	case !s.Style.datagrams():
		return errNoPackets
	}
	out, err := s.outgoing(&u.cmd, to)
	if err != nil {
		return err
	}
	return s.sendPacket(out, payload, nil)
}
