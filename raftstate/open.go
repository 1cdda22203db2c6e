package raftstate

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/onelease/onelease/raftstate/ledger"
)

// Config is how a Store is opened. ID must be set, and one of Dir and InMemory.
type Config struct {
	// ID names this node for good: 1 to 64 characters of a-z 0-9 . - _
	ID string
	// Dir keeps the state: raft.db and snapshots, readable by their owner only.
	// It is made if it is not there.
	Dir string
	// InMemory keeps the state in memory, for tests and throw-away services.
	InMemory bool
	// Transport reaches the other nodes: a *Transport. Close closes it; after a
	// failed Open it must not be used. Without one this node is alone.
	Transport raft.Transport
	// Cluster is the ID of the cluster, that of the Transport if empty. A
	// directory keeps the one that it was first opened with.
	Cluster string
	// Bootstrap makes a cluster of this node alone if it has no state, which
	// others are then added to. Without it, such a node waits to be added, by
	// AddMember on the leader; or for BootstrapWith. A node without a
	// Transport always does.
	Bootstrap bool
	// MaxVersion holds the node, and with it the cluster, to an older version of
	// commands and snapshots, so that an older program can still read its
	// directory. 0 is Version.
	MaxVersion uint32
	// Preset is the cluster's timing; the zero value is LAN.
	Preset Preset
	// Logger gets raft's log; the zero value is slog.Default.
	Logger *slog.Logger

	// noSync skips fsync, to measure what that costs.
	noSync bool
}

// Open starts a node on the state in its directory. If there is none, the node
// becomes a cluster of one or waits to be added: see Config.Bootstrap. It does
// not wait for a leader. The errors are ErrInvalid, ErrVersion, ErrLocked,
// ErrCorrupt, ErrNotMember and those of the file system.
func Open(c Config) (*Store, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	logger := newRaftLogger(c.Logger)
	files, err := c.openFiles(logger)
	if err != nil {
		return nil, err
	}
	if err := c.recoverFromPeers(files, logger); err != nil {
		files.close()
		return nil, err
	}
	s, err := c.start(files, logger)
	if err != nil {
		files.close()
		return nil, err
	}
	return s, nil
}

func (c *Config) validate() error {
	if err := ledger.ValidName("node (ID)", c.ID); err != nil {
		return err
	}
	if (c.Dir != "") == c.InMemory {
		return fmt.Errorf("state of node %q: set a directory (Dir), or InMemory: %w", c.ID, ledger.ErrInvalid)
	}
	if c.MaxVersion > ledger.Version {
		return fmt.Errorf("node %q: MaxVersion %d, this program knows up to %d: %w", c.ID, c.MaxVersion, ledger.Version, ledger.ErrInvalid)
	}
	if err := cmp.Or(validCluster(c.Cluster), c.checkTransport()); err != nil {
		return err
	}
	if err := raft.ValidateConfig(c.raftConfig(nil)); err != nil {
		return fmt.Errorf("timing of node %q (Preset): %w: %w", c.ID, err, ledger.ErrInvalid)
	}
	return nil
}

// checkTransport also takes the cluster's ID from it.
func (c *Config) checkTransport() error {
	t, ok := c.Transport.(*Transport)
	if !ok {
		return nil
	}
	c.Cluster = cmp.Or(c.Cluster, t.stream.config.Cluster)
	of := t.stream.config
	if of.ID != c.ID || of.Cluster != c.Cluster || of.MaxVersion != c.maxVersion() {
		return fmt.Errorf("node %q of cluster %q at MaxVersion %d has a Transport of node %q, %q, %d; make them the same: %w",
			c.ID, c.Cluster, c.maxVersion(), of.ID, of.Cluster, of.MaxVersion, ledger.ErrInvalid)
	}
	return nil
}

func (c *Config) maxVersion() uint32 { return cmp.Or(c.MaxVersion, ledger.Version) }

func (c *Config) raftConfig(logger hclog.Logger) *raft.Config {
	rc := raft.DefaultConfig()
	rc.LocalID = raft.ServerID(c.ID)
	rc.Logger = logger
	rc.NoLegacyTelemetry = true
	// A node that is removed becomes idle. Only Close ends it, in its order.
	rc.ShutdownOnRemove = false
	// A snapshot costs a few 100 KB at most, a long log a slow start. The log
	// kept behind it lets a node that was away catch up without a snapshot,
	// and stands in for the last snapshot should that be damaged.
	rc.SnapshotThreshold, rc.TrailingLogs = 1024, 4096
	c.Preset.configure(rc)
	return rc
}

func (c *Config) start(f *files, logger hclog.Logger) (*Store, error) {
	transport := c.Transport
	if transport == nil {
		_, transport = raft.NewInmemTransport(raft.ServerAddress(c.ID))
	}
	rc := c.raftConfig(logger)
	if err := c.prepare(rc, f, transport); err != nil {
		return nil, fmt.Errorf("start node %q: %w", c.ID, err)
	}
	replica := newReplica(c.maxVersion())
	r, err := raft.NewRaft(rc, replica, f.logs, f.stable, f.snapshots, transport)
	if err != nil {
		return nil, fmt.Errorf("start node %q: %w", c.ID, err)
	}
	s := newStore(c, replica, r, f)
	if err := c.checkMember(r.GetConfiguration().Configuration()); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// prepare makes files without state those of this node, and a cluster if that
// is wanted, and refuses those of another node.
func (c *Config) prepare(rc *raft.Config, f *files, transport raft.Transport) error {
	exists, err := raft.HasExistingState(f.logs, f.stable, f.snapshots)
	if err != nil {
		return err
	}
	if err := c.checkIdentity(f.stable, exists); err != nil || exists || !c.bootstraps() {
		return err
	}
	self := raft.Server{ID: rc.LocalID, Address: transport.LocalAddr()}
	return raft.BootstrapCluster(rc, f.logs, f.stable, f.snapshots, transport,
		raft.Configuration{Servers: []raft.Server{self}})
}

func (c *Config) bootstraps() bool { return c.Bootstrap || c.Transport == nil }

// Keys of the stable store, beside raft's.
var (
	keyNode    = []byte("OneleaseNode")
	keyCluster = []byte("OneleaseCluster")
)

// checkIdentity compares with the names that the files were first opened with,
// and writes down what is not there yet.
func (c *Config) checkIdentity(stable raft.StableStore, exists bool) error {
	for _, name := range []struct {
		of   string
		key  []byte
		want string
	}{{"node", keyNode, c.ID}, {"cluster", keyCluster, c.Cluster}} {
		kept, _ := stable.Get(name.key) // an error, or nothing, if there is none
		switch {
		case name.want == "" || string(kept) == name.want:
		case exists && len(kept) > 0:
			return fmt.Errorf("%s is the state of %s %q, not %q; use that ID or another directory: %w",
				c.Dir, name.of, kept, name.want, ErrNotMember)
		default:
			if err := stable.Set(name.key, []byte(name.want)); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkMember refuses a directory in which this node could only wait forever.
// With others it may have been removed, or wait to be added: that shows in
// Members.
func (c *Config) checkMember(cluster raft.Configuration) error {
	if len(cluster.Servers) == 0 && c.bootstraps() {
		return fmt.Errorf("%s: its first start was interrupted, and nothing is in it; remove it: %w", c.Dir, ledger.ErrCorrupt)
	}
	if c.Transport != nil || isMember(cluster, c.ID) {
		return nil
	}
	return fmt.Errorf("%s is the state of %q, not of node %q; use that ID or another directory: %w",
		c.Dir, cluster.Servers[0].ID, c.ID, ErrNotMember)
}

func isMember(cluster raft.Configuration, id string) bool {
	return slices.ContainsFunc(cluster.Servers, func(s raft.Server) bool { return s.ID == raft.ServerID(id) })
}
