package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/onelease/onelease/internal/lobby"
	"github.com/onelease/onelease/internal/pki"
)

// The protocols on a balancer's port, by ALPN.
const (
	alpnRaft = "onelease-raft/1"
	alpnGRPC = "h2"
)

const (
	// shakeTime is how long a TLS handshake may take.
	shakeTime = 5 * time.Second
	// joinTime is how long who has no certificate may stay: it only joins.
	joinTime = 30 * time.Second
	// acceptPause is waited after an error of the listener, such as too many
	// open files.
	acceptPause = 10 * time.Millisecond
)

// A port is one listener on which raft and the services are told apart.
type port struct {
	ln         net.Listener
	tls        *tls.Config
	log        *slog.Logger
	raft, grpc *queue
	strangers  lobby.Lobby
	shaking    sync.WaitGroup
	closed     chan struct{}

	mu    sync.Mutex
	conns map[net.Conn]*x509.Certificate // all that are open, nil for strangers'; nil when closed
}

func newPort(ln net.Listener, creds *pki.Reloader, log *slog.Logger) *port {
	p := &port{
		ln: ln, tls: pki.ServerTLS(creds, alpnRaft, alpnGRPC), log: log,
		raft: newQueue(ln.Addr()), grpc: newQueue(ln.Addr()),
		closed: make(chan struct{}), conns: map[net.Conn]*x509.Certificate{},
	}
	p.shaking.Go(p.accept)
	return p
}

func (p *port) accept() {
	for {
		conn, err := p.ln.Accept()
		if err != nil {
			if p.pause(err) {
				continue
			}
			return
		}
		if !p.track(conn) {
			return
		}
		p.strangers.Enter(conn)
		p.shaking.Go(func() {
			if err := p.sort(conn); err != nil {
				p.log.Debug("connection refused", "from", conn.RemoteAddr(), "error", err)
				conn.Close()
				p.forget(conn)
			}
		})
	}
}

// pause waits a moment after an error of the listener, unless the port is closed.
func (p *port) pause(err error) bool {
	select {
	case <-p.closed:
		return false
	case <-time.After(acceptPause):
		p.log.Warn("connection not accepted", "error", err)
		return true
	}
}

// sort shakes hands and passes the connection on.
func (p *port) sort(raw net.Conn) error {
	conn := &trackedConn{Conn: tls.Server(raw, p.tls), port: p, raw: raw}
	ctx, cancel := context.WithTimeout(context.Background(), shakeTime)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	state := conn.ConnectionState()
	id, known := pki.PeerIdentity(state)
	if known {
		p.identified(raw, state.PeerCertificates[0])
	} else {
		conn.leave = time.AfterFunc(joinTime, func() { raw.Close() })
	}
	switch {
	case state.NegotiatedProtocol == alpnGRPC:
		return p.grpc.put(conn)
	case state.NegotiatedProtocol == alpnRaft && known && id.Role == pki.Balancer:
		return p.raft.put(conn)
	}
	return fmt.Errorf("%v speaks %q: raft is for balancers only", id, state.NegotiatedProtocol)
}

// track notes an open connection, unless the port is closed.
func (p *port) track(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		conn.Close()
		return false
	}
	p.conns[conn] = nil
	return true
}

// identified notes whose connection it is: a stranger's no more.
func (p *port) identified(conn net.Conn, cert *x509.Certificate) {
	p.strangers.Leave(conn)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns != nil {
		p.conns[conn] = cert
	}
}

func (p *port) forget(conn net.Conn) {
	p.strangers.Leave(conn)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}

// expel closes the connections of those that are refused by now.
func (p *port) expel(refused func(*x509.Certificate) error) {
	for conn, cert := range p.open() {
		if err := refused(cert); err != nil {
			p.log.Info("connection closed", "from", conn.RemoteAddr(), "reason", err)
			conn.Close()
		}
	}
}

// open are the connections of those who have shown a certificate.
func (p *port) open() map[net.Conn]*x509.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	conns := map[net.Conn]*x509.Certificate{}
	for conn, cert := range p.conns {
		if cert != nil {
			conns[conn] = cert
		}
	}
	return conns
}

// close closes the listener and all connections, as the end of a process does.
func (p *port) close() {
	close(p.closed)
	p.ln.Close()
	p.mu.Lock()
	conns := p.conns
	p.conns = nil
	p.mu.Unlock()
	for conn := range conns {
		conn.Close()
	}
	p.raft.Close()
	p.grpc.Close()
	p.shaking.Wait()
}

// A trackedConn tells its port when it is closed.
type trackedConn struct {
	*tls.Conn
	port  *port
	raw   net.Conn
	leave *time.Timer // of a stranger
}

// Read ends quietly when the port closes the connection: raft logs other errors
// than io.EOF.
func (c *trackedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, net.ErrClosed) {
		err = io.EOF
	}
	return n, err
}

func (c *trackedConn) Close() error {
	if c.leave != nil {
		c.leave.Stop()
	}
	c.port.forget(c.raw)
	return c.Conn.Close()
}

// A queue is a net.Listener whose connections come from a port.
type queue struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newQueue(addr net.Addr) *queue {
	q := &queue{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
	q.close = sync.OnceFunc(func() { close(q.closed) })
	return q
}

func (q *queue) put(conn net.Conn) error {
	select {
	case q.conns <- conn:
		return nil
	case <-q.closed:
		return net.ErrClosed
	}
}

func (q *queue) Accept() (net.Conn, error) {
	select {
	case conn := <-q.conns:
		return conn, nil
	case <-q.closed:
		return nil, net.ErrClosed
	}
}

func (q *queue) Addr() net.Addr { return q.addr }

func (q *queue) Close() error {
	q.close()
	return nil
}

// shaken are gRPC's credentials of connections that a port has shaken hands on.
type shaken struct {
	credentials.TransportCredentials
}

func (shaken) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	c, ok := conn.(*trackedConn)
	if !ok {
		return nil, nil, fmt.Errorf("connection of type %T", conn)
	}
	return conn, credentials.TLSInfo{
		State:          c.ConnectionState(),
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}, nil
}

func (shaken) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

func (s shaken) Clone() credentials.TransportCredentials { return s }

var (
	_ net.Listener                     = (*queue)(nil)
	_ credentials.TransportCredentials = shaken{}
)
