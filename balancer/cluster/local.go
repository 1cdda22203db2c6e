package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/memconn"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/raftstate"
	"github.com/onelease/onelease/raftstate/ledger"
)

// A LocalConfig is what a Local is made of.
type LocalConfig struct {
	// Dir keeps a directory for each balancer and each other node.
	Dir string
	// Balancers is how many there are, 1 to 9.
	Balancers int
	// Keys are the Destination's. They are held in memory, and not in Dir.
	Keys   *i2p.Keys
	Policy balancer.Policy
	Preset raftstate.Preset
	// LookEvery is Config's.
	LookEvery time.Duration
	Logger    *slog.Logger
}

// A Local is a whole cluster in one process, connected through memory and for
// the rest as any other: to see what happens when a leader is lost, and for
// tests. It can be the onelease.Config.Balancers of a program.
type Local struct {
	cfg LocalConfig

	mu        sync.Mutex
	nodes     []*Node
	listeners map[string]*memconn.Listener
}

// StartLocal makes the cluster, or starts the one that is in Dir, and returns
// when all its balancers are members.
func StartLocal(ctx context.Context, cfg LocalConfig) (*Local, error) {
	if cfg.Balancers < 1 || cfg.Balancers > 9 {
		return nil, fmt.Errorf("%d balancers: want 1 to 9: %w", cfg.Balancers, ErrInvalid)
	}
	if _, err := os.Stat(filepath.Join(cfg.Dir, ledger.SoloFile)); err == nil {
		return nil, fmt.Errorf("%s is the directory of a balancer that is alone (%s): use another one: %w", cfg.Dir, ledger.SoloFile, ErrExists)
	}
	l := &Local{cfg: cfg, listeners: map[string]*memconn.Listener{}}
	for i := range cfg.Balancers {
		if err := l.add(ctx, fmt.Sprintf("b%d", i+1)); err != nil {
			l.Close()
			return nil, fmt.Errorf("balancer %d: %w", i+1, err)
		}
	}
	return l, nil
}

// add starts a balancer, which is made if it is not there.
func (l *Local) add(ctx context.Context, name string) error {
	dir, addr := l.dirOf(pki.Balancer, name), localAddr(name)
	_, err := nodedir.Read(dir)
	switch {
	case err == nil:
	case name == "b1":
		err = Init(InitConfig{Dir: dir, ID: name, Address: addr, Keys: l.cfg.Keys})
	default:
		err = l.join(ctx, pki.Balancer, name, addr)
	}
	if err != nil {
		return err
	}
	if err := l.start(dir, addr); err != nil {
		return err
	}
	return l.await(ctx, func(m *clusterpb.MembersReply) bool { return m.GetLeader() != "" && isVoter(m, name) })
}

func isVoter(m *clusterpb.MembersReply, name string) bool {
	for _, member := range m.GetMembers() {
		if member.GetId() == name {
			return member.GetVoter()
		}
	}
	return false
}

func (l *Local) start(dir, addr string) error {
	ln := memconn.Listen(addr)
	node, err := Start(Config{
		Dir: dir, Listener: ln, Dial: l.Dial, Policy: l.cfg.Policy, Preset: l.cfg.Preset, LookEvery: l.cfg.LookEvery, Logger: l.cfg.Logger,
		inProcess: true,
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.nodes = append(slices.DeleteFunc(l.nodes, func(n *Node) bool { return n.Address() == addr }), node)
	l.listeners[addr] = ln
	l.mu.Unlock()
	return node.Unlock(l.cfg.Keys)
}

// Restart starts a balancer that was ended, by Kill, say.
func (l *Local) Restart(name string) error {
	return l.start(l.dirOf(pki.Balancer, name), localAddr(name))
}

func localAddr(name string) string { return name + ":7660" }

// join gets a node a certificate, as any other would.
func (l *Local) join(ctx context.Context, role pki.Role, name, addr string) error {
	operator, err := l.operator()
	if err != nil {
		return err
	}
	leader, err := operator.Leader(ctx)
	if err != nil {
		return err
	}
	defer leader.Close()
	reply, err := leader.Invite(ctx, &clusterpb.InviteRequest{Role: string(role), Name: name})
	if err != nil {
		return plain(err)
	}
	token, err := pki.ParseToken(reply.GetToken())
	if err != nil {
		return err
	}
	return Join(ctx, JoinConfig{Dir: l.dirOf(role, name), Address: addr, Token: token, Dial: l.Dial})
}

func (l *Local) dirOf(role pki.Role, name string) string {
	if role == pki.Balancer {
		return filepath.Join(l.cfg.Dir, name)
	}
	return filepath.Join(l.cfg.Dir, string(role)+"-"+name)
}

// client has the certificate of the first balancer.
func (l *Local) client() *Client {
	return &Client{creds: l.Nodes()[0].creds, addrs: l.Addresses(), dial: l.Dial}
}

// operator gives commands, by a certificate of the first balancer that runs.
func (l *Local) operator() (*Client, error) {
	for _, n := range l.Nodes() {
		if n.ctx.Err() != nil {
			continue
		}
		pass, err := newPass(n.creds.Credentials(), n.pass)
		if err != nil {
			return nil, plain(err)
		}
		return &Client{creds: pki.Static(pass), addrs: l.Addresses(), dial: l.Dial}, nil
	}
	return nil, ErrNoLeader
}

// await polls until ok.
func (l *Local) await(ctx context.Context, ok func(*clusterpb.MembersReply) bool) error {
	for {
		m, err := l.client().Members(ctx)
		if err == nil && ok(m) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cluster not ready: %w", context.Cause(ctx))
		case <-l.Nodes()[0].store.LeaderChanged():
		case <-time.After(lookAgain / 20):
		}
	}
}

// Join gets a frontend or a backend a certificate, unless it has one, and
// returns its credentials.
func (l *Local) Join(ctx context.Context, role pki.Role, name string) (*pki.Reloader, error) {
	dir := l.dirOf(role, name)
	if _, err := nodedir.Read(dir); err != nil {
		if err := l.join(ctx, role, name, ""); err != nil {
			return nil, err
		}
	}
	return pki.NewReloader(dir)
}

// Dial connects to a balancer.
func (l *Local) Dial(ctx context.Context, addr string) (net.Conn, error) {
	l.mu.Lock()
	ln := l.listeners[addr]
	l.mu.Unlock()
	if ln == nil {
		return nil, fmt.Errorf("no balancer at %s", addr)
	}
	return ln.Dial(ctx)
}

// Nodes are those that were started.
func (l *Local) Nodes() []*Node {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*Node(nil), l.nodes...)
}

// Addresses are those of all balancers.
func (l *Local) Addresses() []string {
	var addrs []string
	for _, n := range l.Nodes() {
		addrs = append(addrs, n.Address())
	}
	return addrs
}

// Leader is the balancer that leads and works; nil while none does.
func (l *Local) Leader() *Node {
	for _, n := range l.Nodes() {
		if b := n.Balancer(); b != nil && b.Status().GetLeader() {
			return n
		}
	}
	return nil
}

// Balancer is the one that leads and works; nil while none does.
func (l *Local) Balancer() *balancer.Balancer {
	if node := l.Leader(); node != nil {
		return node.Balancer()
	}
	return nil
}

// Control is how the frontend of that name reaches the balancers. It gets it a
// certificate, unless it has one.
func (l *Local) Control(ctx context.Context, name string) (frontend.ControlConfig, error) {
	creds, err := l.Join(ctx, pki.Frontend, name)
	if err != nil {
		return frontend.ControlConfig{}, err
	}
	return frontend.ControlConfig{
		Balancers: l.Addresses(), Dial: l.Dial, TLS: pki.ClientTLS(creds, pki.Balancer, ""),
	}, nil
}

// Issued is the place of the newest LeaseSet that was signed, as far as one of the
// balancers knows.
func (l *Local) Issued() (term, seq uint64) {
	for _, n := range l.Nodes() {
		for _, d := range n.store.State().Destinations {
			if d.LastSeq > seq {
				term, seq = d.LastTerm, d.LastSeq
			}
		}
	}
	return term, seq
}

// Close ends all balancers, the leader last, so that none has to be elected.
func (l *Local) Close() error {
	var errs []error
	leader := l.Leader()
	for _, n := range l.Nodes() {
		if n != leader {
			errs = append(errs, n.end())
		}
	}
	if leader != nil {
		errs = append(errs, leader.end())
	}
	return errors.Join(errs...)
}
