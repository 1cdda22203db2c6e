package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"

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
	// maxShakes is how many may be under way; more connections wait.
	maxShakes = 256
)

// A port is one listener on which raft and the services are told apart.
type port struct {
	ln         net.Listener
	tls        *tls.Config
	log        *slog.Logger
	raft, grpc *queue
	shakes     chan struct{}
	shaking    sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool // all that are open; nil when closed
}

func newPort(ln net.Listener, creds *pki.Reloader, log *slog.Logger) *port {
	p := &port{
		ln: ln, tls: pki.ServerTLS(creds, alpnRaft, alpnGRPC), log: log,
		raft: newQueue(ln.Addr()), grpc: newQueue(ln.Addr()),
		shakes: make(chan struct{}, maxShakes), conns: map[net.Conn]bool{},
	}
	p.shaking.Go(p.accept)
	return p
}

func (p *port) accept() {
	for {
		conn, err := p.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			p.log.Warn("connection not accepted", "error", err)
			time.Sleep(10 * time.Millisecond) // too many open files, say
			continue
		}
		if !p.track(conn) {
			return
		}
		p.shakes <- struct{}{}
		p.shaking.Go(func() {
			defer func() { <-p.shakes }()
			if err := p.sort(conn); err != nil {
				p.log.Debug("connection refused", "from", conn.RemoteAddr(), "error", err)
				conn.Close()
				p.forget(conn)
			}
		})
	}
}

// sort shakes hands and passes the connection on.
func (p *port) sort(raw net.Conn) error {
	conn := &trackedConn{tls.Server(raw, p.tls), p, raw}
	ctx, cancel := context.WithTimeout(context.Background(), shakeTime)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	state := conn.ConnectionState()
	switch id, ok := pki.PeerIdentity(state); {
	case state.NegotiatedProtocol == alpnGRPC:
		return p.grpc.put(conn)
	case !ok || id.Role != pki.Balancer:
		return fmt.Errorf("%v speaks raft: only balancers may", id)
	}
	return p.raft.put(conn)
}

// track notes an open connection, unless the port is closed.
func (p *port) track(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		conn.Close()
		return false
	}
	p.conns[conn] = true
	return true
}

func (p *port) forget(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
}

// close closes the listener and all connections, as the end of a process does.
func (p *port) close() {
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
	port *port
	raw  net.Conn
}

func (c *trackedConn) Close() error {
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
