package raftstate

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/hashicorp/raft"

	"github.com/onelease/onelease/raftstate/ledger"
)

// A TransportConfig says how a node reaches the others of its cluster and is
// reached by them. All but Authorize, Logger and the timeouts must be set.
type TransportConfig struct {
	// ID of this node, as in Config.
	ID string
	// Cluster is the ID of the cluster, 1 to 64 characters of a-z 0-9 . - _
	// Nodes of another one are refused, on both sides.
	Cluster string
	// Advertise is the host:port that the others reach this node by.
	Advertise string
	// Listener accepts their connections, which must be authenticated and
	// private, as TLS with client certificates is. Close closes it.
	Listener net.Listener
	// Dial connects to another node, likewise.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// Authorize says why the node at the other end of conn cannot be peerID,
	// whose name its certificate must have. Without it any node that the
	// connection has let in may claim any ID.
	Authorize func(conn net.Conn, peerID string) error
	// MaxVersion that this node reads, as in Config; 0 for Version.
	MaxVersion uint32
	// DialTimeout is for a connection and the hellos on it; 0 for 3 s.
	DialTimeout time.Duration
	// Timeout is for a request and its answer, the other's fsync included;
	// 0 for 5 s. A snapshot has as much for every 256 KiB.
	Timeout time.Duration
	// Logger is slog.Default if nil.
	Logger *slog.Logger
}

const (
	defaultDialTimeout = 3 * time.Second
	defaultTimeout     = 5 * time.Second
	// connections kept to each node: heartbeats, log and a vote.
	poolSize = 3
)

// A Transport is how a Store speaks to the other nodes. It belongs to one Store,
// which closes it.
type Transport struct {
	*raft.NetworkTransport
	stream   *stream
	contacts *contacts
}

// NewTransport starts to accept connections. Its error is ErrInvalid.
func NewTransport(c TransportConfig) (*Transport, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.MaxVersion = cmp.Or(c.MaxVersion, ledger.Version)
	c.DialTimeout = cmp.Or(c.DialTimeout, defaultDialTimeout)
	t := &Transport{contacts: &contacts{}}
	t.stream = newStream(c, t.contacts)
	t.NetworkTransport = raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		// With pipelining, raft v1.7.3 can stop to replicate to a follower for as
		// long as the leader leads, and its shutdown then never ends: when an
		// answer fails, pipelineDecode returns, and a sender that waits for
		// room in the pipeline is woken by nobody. TestNothingIsIssuedTwiceOrLost
		// finds it at once, and others have (github.com/hashicorp/raft issue 612).
		// One request at a time costs us nothing: raft batches.
		MaxRPCsInFlight: 1,
		Stream:          t.stream, MaxPool: poolSize, Timeout: cmp.Or(c.Timeout, defaultTimeout),
		Logger: newRaftLogger(c.Logger),
	})
	return t, nil
}

func (c *TransportConfig) validate() error {
	if err := cmp.Or(ledger.ValidName("node (ID)", c.ID), ledger.ValidName("cluster (Cluster)", c.Cluster), validAddr(c.Advertise)); err != nil {
		return err
	}
	if c.Listener == nil || c.Dial == nil {
		return fmt.Errorf("transport of node %q: set Listener and Dial: %w", c.ID, ledger.ErrInvalid)
	}
	if c.MaxVersion > ledger.Version {
		return fmt.Errorf("transport of node %q: MaxVersion %d, this program knows up to %d: %w", c.ID, c.MaxVersion, ledger.Version, ledger.ErrInvalid)
	}
	return nil
}

// maxAddrLength is what DNS allows for a host, and a port.
const maxAddrLength = 253 + 1 + 5

// validAddr wants a host that others can dial.
func validAddr(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	if err != nil || len(addr) > maxAddrLength || host == "" || port == "" || port == "0" || ip.IsUnspecified() {
		return fmt.Errorf("address %.80q: want host:port, such as 192.0.2.1:7650, by which the other nodes reach it: %w", addr, ledger.ErrInvalid)
	}
	return nil
}

// AppendEntries is raft's; it also notes that the node was heard.
func (t *Transport) AppendEntries(id raft.ServerID, addr raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	err := t.NetworkTransport.AppendEntries(id, addr, args, resp)
	if err == nil {
		t.contacts.answered(id, args, resp)
	}
	return err
}

// A Peer is what a node says of itself.
type Peer struct {
	ID string
	// Version is the highest that it reads.
	Version uint32
	// HasState is whether it is, or was, a member of some cluster.
	HasState bool
}

// Probe asks the node at addr, which need not be a member, who it is. It
// refuses whom a connection for raft would be refused to or by.
func (t *Transport) Probe(ctx context.Context, addr string) (Peer, error) {
	conn, peer, err := t.stream.connect(ctx, addr)
	if err != nil {
		return Peer{}, err
	}
	return Peer{ID: peer.ID, Version: peer.MaxVersion, HasState: peer.HasState}, conn.Close()
}

// serve tells what only the Store knows: which node is expected at an address,
// "" for any, where another one is refused, and whether this one has state.
func (t *Transport) serve(nodeAt func(addr string) string, hasState func() bool) {
	t.stream.nodeAt.Store(&nodeAt)
	t.stream.hasState.Store(&hasState)
}

var (
	_ raft.Transport   = (*Transport)(nil)
	_ raft.WithPreVote = (*Transport)(nil)
	_ raft.WithClose   = (*Transport)(nil)
)
