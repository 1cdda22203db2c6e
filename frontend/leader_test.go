package frontend

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/internal/memconn"
)

// balancers are fakes by address, as a ControlConfig reaches them.
type balancers struct {
	mu     sync.Mutex
	byAddr map[string]*fakeBalancer
}

func (b *balancers) add(addr string, fake *fakeBalancer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.byAddr[addr] = fake
}

// Dial is for ControlConfig.Dial.
func (b *balancers) Dial(ctx context.Context, addr string) (net.Conn, error) {
	b.mu.Lock()
	fake := b.byAddr[addr]
	b.mu.Unlock()
	if fake == nil {
		return nil, errors.New("no such balancer")
	}
	fake.mu.Lock()
	ln := fake.listener
	fake.mu.Unlock()
	if ln == nil {
		return nil, errors.New("balancer is down")
	}
	return ln.Dial(ctx)
}

// A fakeBalancer speaks the control protocol for real and decides by script:
// its fields under mu say what it does.
type fakeBalancer struct {
	controlpb.UnimplementedControlServer
	keys          *i2p.Keys
	options       i2p.Mapping
	serverOptions []grpc.ServerOption

	mu        sync.Mutex
	listener  *memconn.Listener // nil while down
	server    *grpc.Server
	leads     bool
	redirect  string // where it sends others if it does not lead
	mute      bool   // it answers nothing any more
	noSession bool   // it signs no session configurations
	noInstall bool   // it signs no LeaseSets
	term, seq uint64
	published time.Time
	stream    controlpb.Control_AttachServer // the last that attached
	hellos    []*controlpb.Hello
	pools     []*controlpb.Pool
	asked     []*controlpb.SessionRequest
	installed []*controlpb.Installed
	probes    []*controlpb.ProbeReply
	looks     []*controlpb.LookReply
	beats     int
	attaches  int
}

// startBalancer starts a fake that leads.
func startBalancer(t *testing.T, keys *i2p.Keys) *fakeBalancer {
	b := &fakeBalancer{keys: keys, leads: true, term: 1}
	b.options = i2p.Mapping{"inbound.quantity": "3", "i2cp.dontPublishLeaseSet": "true"}
	b.start()
	t.Cleanup(b.stop)
	return b
}

func (b *fakeBalancer) start() {
	ln, server := memconn.Listen("balancer"), grpc.NewServer(b.serverOptions...)
	controlpb.RegisterControlServer(server, b)
	b.mu.Lock()
	b.listener, b.server = ln, server
	b.mu.Unlock()
	go server.Serve(ln)
}

// stop ends it as a crash does.
func (b *fakeBalancer) stop() {
	b.mu.Lock()
	server := b.server
	b.listener, b.server, b.stream = nil, nil, nil
	b.mu.Unlock()
	if server != nil {
		server.Stop()
	}
}

// count reads a number that is under mu.
func (b *fakeBalancer) count(read func() int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return read()
}

func (b *fakeBalancer) lastSeq() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seq
}

// set changes the script.
func (b *fakeBalancer) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

// Attach implements controlpb.ControlServer.
func (b *fakeBalancer) Attach(stream controlpb.Control_AttachServer) error {
	b.mu.Lock()
	leads, redirect, term := b.leads, b.redirect, b.term
	b.attaches++
	b.mu.Unlock()
	if !leads {
		return stream.Send(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Redirect{Redirect: &controlpb.Redirect{Leader: redirect}}})
	}
	m, err := stream.Recv()
	if err != nil {
		return err
	}
	idKey, err := b.keys.StreamIDKey()
	if err != nil {
		return err
	}
	welcome := &controlpb.Welcome{Term: term, Destination: b.keys.Destination.Bytes(), StreamIdKey: idKey}
	if err := stream.Send(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Welcome{Welcome: welcome}}); err != nil {
		return err
	}
	b.set(func() { b.hellos, b.stream = append(b.hellos, m.GetHello()), stream })
	go b.beat(stream)
	for {
		m, err := stream.Recv()
		if err != nil {
			return nil
		}
		b.hear(stream, m)
	}
}

// beat says that it lives and leads, while it does.
func (b *fakeBalancer) beat(stream controlpb.Control_AttachServer) {
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-stream.Context().Done():
			return
		case <-ticker.C:
		}
		b.mu.Lock()
		if b.leads && !b.mute {
			stream.Send(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Heartbeat{Heartbeat: &controlpb.Heartbeat{}}})
		}
		b.mu.Unlock()
	}
}

func (b *fakeBalancer) hear(stream controlpb.Control_AttachServer, m *controlpb.FrontendMessage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch kind := m.GetKind().(type) {
	case *controlpb.FrontendMessage_SessionRequest:
		b.asked = append(b.asked, kind.SessionRequest)
		if !b.noSession {
			stream.Send(b.session())
		}
	case *controlpb.FrontendMessage_Pool:
		b.pools = append(b.pools, kind.Pool)
		if !b.noInstall && len(kind.Pool.GetLeases()) > 0 {
			stream.Send(b.signLocked(kind.Pool.GetLeases(), 5*time.Minute))
		}
	case *controlpb.FrontendMessage_Installed:
		b.installed = append(b.installed, kind.Installed)
	case *controlpb.FrontendMessage_ProbeReply:
		b.probes = append(b.probes, kind.ProbeReply)
	case *controlpb.FrontendMessage_LookReply:
		b.looks = append(b.looks, kind.LookReply)
	case *controlpb.FrontendMessage_Heartbeat:
		b.beats++
	}
}

func (b *fakeBalancer) session() *controlpb.BalancerMessage {
	config, err := i2cp.BuildSessionConfig(b.keys, b.keys.Destination, b.options, time.Now())
	if err != nil {
		panic(err)
	}
	return &controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Session{Session: &controlpb.Session{Config: config}}}
}

// signLocked signs the next LeaseSet.
func (b *fakeBalancer) signLocked(leases []*controlpb.Lease, life time.Duration) *controlpb.BalancerMessage {
	now := time.Now().Truncate(time.Second)
	if !now.After(b.published) {
		now = b.published.Add(time.Second)
	}
	b.published, b.seq = now, b.seq+1
	key, err := b.keys.EpochKey(0)
	if err != nil {
		panic(err)
	}
	ls := &i2p.LeaseSet2{
		Destination: b.keys.Destination, Published: now, Expires: now.Add(life),
		Keys: []i2p.EncryptionKey{{Type: i2p.CryptoX25519, Key: key.PublicKey().Bytes()}},
	}
	for _, l := range leases {
		ls.Leases = append(ls.Leases, i2p.Lease{Gateway: i2p.Hash(l.GetGateway()), Tunnel: l.GetTunnelId(), End: time.UnixMilli(l.GetEndMs())})
	}
	raw, err := ls.Sign(b.keys)
	if err != nil {
		panic(err)
	}
	return &controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Install{Install: &controlpb.Install{
		Term: b.term, Seq: b.seq, LeaseSet: raw,
		Keys: []*controlpb.PrivateKey{{Type: uint32(i2p.CryptoX25519), Key: key.Bytes()}},
	}}}
}

// send says m to the frontend.
func (b *fakeBalancer) send(m *controlpb.BalancerMessage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stream.Send(m)
}

// lastPool is what the frontend reported last, nil if it has not.
func (b *fakeBalancer) lastPool() *controlpb.Pool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.pools) == 0 {
		return nil
	}
	return b.pools[len(b.pools)-1]
}

// lastInstalled is its last answer to an Install.
func (b *fakeBalancer) lastInstalled() *controlpb.Installed {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.installed) == 0 {
		return nil
	}
	return b.installed[len(b.installed)-1]
}
