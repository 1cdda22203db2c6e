package cluster

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/balancer/keystore"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/raftstate"
)

// A Node is one balancer of a cluster. Start makes one; it runs until Close or
// Kill.
type Node struct {
	cfg    Config
	info   nodedir.Info
	dest   i2p.Destination
	ca     atomic.Pointer[pki.CA] // nil while it is sealed
	creds  *pki.Reloader
	port   *port
	store  *raftstate.Store
	memory *keystore.Memory
	server *grpc.Server

	opened chan struct{}                     // closed when store is set
	leader atomic.Pointer[balancer.Balancer] // nil while it could not lead
	idle   atomic.Value                      // string: why it could not
	anew   chan struct{}                     // the leader's work is to begin anew

	settling sync.Mutex
	settled  <-chan struct{} // store.LeaderChanged of when settle last had all

	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
	once    sync.Once
}

// Start runs the balancer in a directory that Init or Join made. It returns when
// the balancer can be reached; whether it is a member, and leads, comes later.
// The errors are ErrInvalid, and those of packages pki, keystore and raftstate.
func Start(cfg Config) (*Node, error) {
	if cfg.Dir == "" {
		return nil, fmt.Errorf("no directory (Dir): %w", ErrInvalid)
	}
	info, err := nodedir.Read(cfg.Dir)
	if err != nil {
		return nil, err
	}
	n := &Node{cfg: cfg.withDefaults(info), info: info, opened: make(chan struct{}), anew: make(chan struct{}, 1)}
	n.ctx, n.stop = context.WithCancel(context.Background())
	n.idle.Store("starting")
	for _, step := range []func() error{n.load, n.unlock, n.listen, n.open} {
		if err := step(); err != nil {
			n.abandon()
			return nil, err
		}
	}
	n.serve()
	if !n.cfg.inProcess {
		n.serveSocket()
	}
	n.running.Go(n.enter)
	n.running.Go(n.work)
	n.running.Go(n.renew)
	n.running.Go(n.watchCompany)
	n.running.Go(n.patrol)
	return n, nil
}

// load reads the directory but for the keys and the state.
func (n *Node) load() (err error) {
	if n.info.Role != string(pki.Balancer) {
		return fmt.Errorf("%s is the directory of a %s: a balancer's is wanted: %w", n.cfg.Dir, n.info.Role, ErrInvalid)
	}
	if n.dest, err = n.info.ParseDestination(); err != nil {
		return err
	}
	if n.creds, err = pki.NewReloader(n.cfg.Dir); err != nil {
		return err
	}
	if got := n.creds.Credentials().Identity(); got != n.info.Identity() {
		return fmt.Errorf("%s has the certificate of %v, and its %s is of %v: %w", n.cfg.Dir, got, nodedir.FileName, n.info.Identity(), ErrInvalid)
	}
	return n.findCA()
}

// unlock opens the sealed keys, if it is told how.
func (n *Node) unlock() error {
	n.memory = keystore.NewMemory(n.dest.Hash())
	if n.cfg.Secret == nil {
		return nil
	}
	path := filepath.Join(n.cfg.Dir, keysName)
	keys, err := keystore.Open(path, n.cfg.Secret)
	if err != nil {
		return err
	}
	if err := n.Unlock(keys); err != nil {
		return fmt.Errorf("%s: %w; take another balancer's", path, err)
	}
	return nil
}

func (n *Node) listen() (err error) {
	ln := n.cfg.Listener
	if ln == nil {
		if ln, err = net.Listen("tcp", n.cfg.Listen); err != nil {
			return fmt.Errorf("listen for balancers and frontends: %w", err)
		}
	}
	n.port = newPort(ln, n.creds, n.cfg.Logger)
	return nil
}

// open joins the replicated state.
func (n *Node) open() error {
	transport, err := raftstate.NewTransport(raftstate.TransportConfig{
		ID: n.info.Name, Cluster: n.info.Cluster, Advertise: n.info.Address,
		Listener: n.port.raft, Dial: n.dialRaft, Authorize: n.authorizePeer,
		MaxVersion: n.cfg.MaxVersion, Logger: n.cfg.Logger,
	})
	if err != nil {
		return err
	}
	n.store, err = raftstate.Open(raftstate.Config{
		ID: n.info.Name, Dir: filepath.Join(n.cfg.Dir, stateName), Transport: transport,
		Bootstrap: n.info.First, MaxVersion: n.cfg.MaxVersion, Preset: n.cfg.Preset, Logger: n.cfg.Logger,
	})
	if err != nil {
		n.stop() // who waits for the store waits in vain
		transport.Close()
		return err
	}
	close(n.opened)
	return nil
}

// dialRaft connects to another balancer's raft.
func (n *Node) dialRaft(ctx context.Context, addr string) (net.Conn, error) {
	raw, err := n.cfg.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, pki.ClientTLS(n.creds, pki.Balancer, "", alpnRaft))
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}

// Limits of the services. Most messages have some hundred bytes; a Chunk has 64 KiB.
const (
	maxMessage = 256 << 10
	maxHeaders = 16 << 10
	maxStreams = 64 // of one connection
)

// pulse finds connections whose other end is gone without a word.
var pulse = keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}

// serve answers frontends, backends, operators and balancers.
func (n *Node) serve() {
	n.server = grpc.NewServer(
		grpc.Creds(shaken{}),
		grpc.UnaryInterceptor(n.guardUnary),
		grpc.StreamInterceptor(n.guardStream),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.ConnectionTimeout(shakeTime),
		grpc.KeepaliveParams(pulse),
		grpc.WaitForHandlers(true), // they use the store, which is closed after them
	)
	controlpb.RegisterControlServer(n.server, control{node: n})
	clusterpb.RegisterClusterServer(n.server, service{node: n})
	n.running.Go(func() { _ = n.server.Serve(n.port.grpc) }) // ends with the port
}

// abandon takes back what a failed Start has done.
func (n *Node) abandon() {
	n.stop()
	if n.store != nil {
		n.store.Close()
	}
	if n.port != nil {
		n.port.close()
	}
}

// stepDownTime is how long a leader that is closed has to hand over.
const stepDownTime = 2 * time.Second

// Close ends the balancer in order: it hands the lead over, which sends the
// frontends to the next leader, and then goes. The error is that of the state.
func (n *Node) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stepDownTime)
	defer cancel()
	if err := n.store.StepDown(ctx); err != nil {
		n.cfg.Logger.Warn("the lead was not handed over: the others will elect", "error", err)
	}
	return n.end()
}

// Kill ends the balancer as a crash does: nobody is told.
func (n *Node) Kill() { _ = n.end() }

// end closes the connections first, so that nothing that still goes on waits
// for an answer to or from them. The state goes last: commands under way end
// with it.
func (n *Node) end() (err error) {
	n.once.Do(func() {
		n.stop()
		n.port.close()
		n.server.Stop()
		n.running.Wait()
		err = n.store.Close()
		n.memory.Lock()
	})
	return err
}

// Failed is closed if the balancer cannot go on, as when it meets state of a
// newer version; Err then says why. Close it.
func (n *Node) Failed() <-chan struct{} { return n.store.Failed() }

// Err is why the balancer has failed, or nil.
func (n *Node) Err() error { return n.store.Err() }

// Name is the balancer's ID.
func (n *Node) Name() string { return n.info.Name }

// Address is where the others reach it.
func (n *Node) Address() string { return n.info.Address }

// Store is its copy of the replicated state.
func (n *Node) Store() *raftstate.Store { return n.store }

// Balancer does the leader's work while this node leads; nil while it could not,
// having no keys.
func (n *Node) Balancer() *balancer.Balancer { return n.leader.Load() }

// Unlock takes the Destination's keys, to be held in memory, and opens the CA's with
// them. The errors are ErrInvalid for transient ones, and those of keystore.Memory and of
// pki.LoadSealed.
func (n *Node) Unlock(keys *i2p.Keys) error {
	if keys.Offline != nil {
		return fmt.Errorf("%w: %w", errTransient, ErrInvalid)
	}
	if err := n.memory.Set(keys); err != nil {
		return err
	}
	return n.openCA(keys)
}

// Reload reads the certificates again.
func (n *Node) Reload() error { return n.creds.Reload() }
