package plugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/internal/memconn"
)

// A memNode is a backend.Node without a network: streams are connections through memory.
type memNode struct {
	dest i2p.Destination
	log  *slog.Logger

	mu      sync.Mutex
	ports   map[uint16]*memListener
	packets map[portKey]*memPackets
}

func newMemNode(t testing.TB, log *slog.Logger) *memNode {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return &memNode{dest: keys.Destination, log: log, ports: make(map[uint16]*memListener), packets: make(map[portKey]*memPackets)}
}

func (n *memNode) Destination() i2p.Destination { return n.dest }
func (n *memNode) Logger() *slog.Logger         { return n.log }

// Lookup knows itself only.
func (n *memNode) Lookup(_ context.Context, name string) (i2p.Destination, error) {
	if name != "self.i2p" {
		return i2p.Destination{}, sam.ResultKeyNotFound
	}
	return n.dest, nil
}

func (n *memNode) Listen(port uint16) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ports[port] != nil {
		return nil, streaming.ErrPortInUse
	}
	l := &memListener{Listener: memconn.Listen(fmt.Sprint("port ", port)), node: n, port: port}
	n.ports[port] = l
	return l, nil
}

// DialContext dials "self.i2p:port", and is silent for "nobody.i2p:1".
func (n *memNode) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	if strings.HasPrefix(address, "nobody") {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	var port uint16
	if _, err := fmt.Sscanf(address, "self.i2p:%d", &port); err != nil {
		return nil, sam.ResultKeyNotFound
	}
	return n.dial(ctx, port)
}

func (n *memNode) dial(ctx context.Context, port uint16) (net.Conn, error) {
	n.mu.Lock()
	l := n.ports[port]
	n.mu.Unlock()
	if l == nil {
		return nil, streaming.ErrRefused
	}
	c, err := l.Dial(ctx)
	if err != nil {
		return nil, streaming.ErrRefused
	}
	return memStream{c.(*memconn.Conn), n}, nil
}

type memListener struct {
	*memconn.Listener
	node *memNode
	port uint16
}

func (l *memListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return memStream{c.(*memconn.Conn), l.node}, nil
}

func (l *memListener) Close() error {
	l.node.mu.Lock()
	if l.node.ports[l.port] == l {
		delete(l.node.ports, l.port)
	}
	l.node.mu.Unlock()
	return l.Listener.Close()
}

type memStream struct {
	*memconn.Conn
	node *memNode
}

func (s memStream) LocalAddr() net.Addr  { return i2p.NewAddr(s.node.dest, 1) }
func (s memStream) RemoteAddr() net.Addr { return i2p.NewAddr(s.node.dest, 2) }
func (s memStream) Reset() error         { s.Conn.Reset(); return nil }

func (n *memNode) ListenPacket(kind backend.Kind, port uint16) (net.PacketConn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := portKey{kind, port}
	if n.packets[key] != nil {
		return nil, backend.ErrPortInUse
	}
	p := &memPackets{node: n, key: key, in: make(chan []byte, 1024), out: make(chan []byte, 1<<16), closed: make(chan struct{})}
	n.packets[key] = p
	return p, nil
}

// memPackets has datagrams from and to one address.
type memPackets struct {
	net.PacketConn
	node    *memNode
	key     portKey
	in, out chan []byte
	closed  chan struct{}
	once    sync.Once
}

func (p *memPackets) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case packet := <-p.in:
		return copy(b, packet), i2p.NewAddr(p.node.dest, 3), nil
	case <-p.closed:
		return 0, nil, net.ErrClosed
	}
}

func (p *memPackets) WriteTo(b []byte, to net.Addr) (int, error) {
	if to.(*i2p.Addr).Port != 3 {
		return 0, sam.ResultKeyNotFound
	}
	select {
	case p.out <- bytes.Clone(b):
		return len(b), nil
	default:
		return 0, errors.New("full")
	}
}

func (p *memPackets) LocalAddr() net.Addr { return i2p.NewAddr(p.node.dest, p.key.number) }

func (p *memPackets) Close() error {
	p.once.Do(func() {
		p.node.mu.Lock()
		delete(p.node.packets, p.key)
		p.node.mu.Unlock()
		close(p.closed)
	})
	return nil
}

// await dials a port until it is open, as a remote would that is patient.
func (n *memNode) await(t testing.TB, port uint16) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		if c, err := n.dial(ctx, port); err == nil {
			return c
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("port %d is not open", port)
		}
	}
}

// echo sends over a stream and wants it back.
func echo(t testing.TB, c net.Conn, text string) {
	t.Helper()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("%q came back, %v; want %q", got, err, text)
	}
}

var _ backend.Node = (*memNode)(nil)
