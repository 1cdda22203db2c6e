package raftstate

import (
	"fmt"
	"log/slog"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
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
	// Transport reaches the other nodes. Close closes it; after a failed Open
	// it must not be used. Without one this node is alone.
	Transport raft.Transport
	// Preset is the cluster's timing; the zero value is LAN.
	Preset Preset
	// Logger gets raft's log; the zero value is slog.Default.
	Logger *slog.Logger

	// noSync skips fsync, to measure what that costs.
	noSync bool
}

// Open starts a node on the state in its directory, or, if there is none, a new
// cluster of it alone. It does not wait for a leader. The errors are
// ErrInvalid, ErrVersion, ErrLocked, ErrCorrupt, ErrNotMember and those of the file system.
func Open(c Config) (*Store, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	logger := newRaftLogger(c.Logger)
	files, err := c.openFiles(logger)
	if err != nil {
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
	if err := validName("node (ID)", c.ID); err != nil {
		return err
	}
	if (c.Dir != "") == c.InMemory {
		return fmt.Errorf("state of node %q: set a directory (Dir), or InMemory: %w", c.ID, ErrInvalid)
	}
	if err := raft.ValidateConfig(c.raftConfig(nil)); err != nil {
		return fmt.Errorf("timing of node %q (Preset): %w: %w", c.ID, err, ErrInvalid)
	}
	return nil
}

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
	if err := bootstrap(rc, f, transport); err != nil {
		return nil, fmt.Errorf("start node %q: %w", c.ID, err)
	}
	replica := newReplica()
	r, err := raft.NewRaft(rc, replica, f.logs, f.stable, f.snapshots, transport)
	if err != nil {
		return nil, fmt.Errorf("start node %q: %w", c.ID, err)
	}
	s := &Store{id: c.ID, replica: replica, raft: r}
	s.close = sync.OnceValue(func() error { return s.shutdown(f.close) })
	if err := c.checkMember(r.GetConfiguration().Configuration()); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// bootstrap makes a cluster of one if there is no state.
func bootstrap(rc *raft.Config, f *files, transport raft.Transport) error {
	exists, err := raft.HasExistingState(f.logs, f.stable, f.snapshots)
	if err != nil || exists {
		return err
	}
	self := raft.Server{ID: rc.LocalID, Address: transport.LocalAddr()}
	return raft.BootstrapCluster(rc, f.logs, f.stable, f.snapshots, transport,
		raft.Configuration{Servers: []raft.Server{self}})
}

// checkMember refuses a directory in which this node could only wait forever.
func (c *Config) checkMember(cluster raft.Configuration) error {
	if len(cluster.Servers) == 0 {
		return fmt.Errorf("%s: its first start was interrupted, and nothing is in it; remove it: %w", c.Dir, ErrCorrupt)
	}
	for _, server := range cluster.Servers {
		if server.ID == raft.ServerID(c.ID) {
			return nil
		}
	}
	return fmt.Errorf("%s is the state of %q, not of node %q; use that ID or another directory: %w",
		c.Dir, cluster.Servers[0].ID, c.ID, ErrNotMember)
}
