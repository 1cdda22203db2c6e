package raftstate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/onelease/onelease/raftstate/ledger"
)

// HasState is whether the directory has the state of a node, which Open would
// start from. No Store may have it open. The errors are ErrLocked, ErrCorrupt
// and those of the file system.
func HasState(dir string) (bool, error) {
	if _, err := os.Stat(filepath.Join(dir, dbName)); errors.Is(err, fs.ErrNotExist) {
		snapshots, err := os.ReadDir(filepath.Join(dir, snapshotDir))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return len(snapshots) > 0, err
	}
	f, err := (&Config{Dir: dir}).openRaw(hclog.NewNullLogger())
	if err != nil {
		return false, err
	}
	defer f.close()
	exists := false
	err = guard(dir, func() error {
		exists, err = raft.HasExistingState(f.logs, f.stable, f.snapshots)
		return err
	})
	return exists, err
}

// Recover gives the state in the directory of node id another membership, for
// a cluster that has lost its majority for good. All nodes must be down, and
// it is done on each that is among the members, with the same members, or on
// one alone, to which others are added with empty directories. Choose the node
// with the longest log: what it does not have is lost, and what it has counts
// as committed. The errors are ErrInvalid, ErrNoState, ErrNotMember and those
// of Open.
func Recover(dir, id string, members []Member) error {
	c := &Config{ID: id, Dir: dir}
	logger := newRaftLogger(slog.New(slog.DiscardHandler))
	if err := c.validate(); err != nil {
		return fmt.Errorf("recover %s: %w", dir, err)
	}
	if exists, err := HasState(dir); err != nil || !exists {
		if err == nil {
			err = fmt.Errorf("it %w; give the directory of a node that was a member", ErrNoState)
		}
		return fmt.Errorf("recover %s: %w", dir, err)
	}
	f, err := c.openFiles(logger)
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	err = c.recover(f, logger, members)
	return wrap(errors.Join(err, f.close()), "recover %s", dir)
}

// recover is Recover on open files.
func (c *Config) recover(f *files, logger hclog.Logger, members []Member) error {
	if err := validMembers(members); err != nil {
		return err
	}
	self, ok := find(members, c.ID)
	if !ok {
		return fmt.Errorf("node %q is not among the members; name it, or recover on another: %w", c.ID, ledger.ErrInvalid)
	}
	exists, err := raft.HasExistingState(f.logs, f.stable, f.snapshots)
	if err == nil && !exists {
		err = fmt.Errorf("it %w: there is nothing to recover", ErrNoState)
	}
	if err != nil {
		return err
	}
	if err := c.checkIdentity(f.stable, true); err != nil {
		return err
	}
	_, transport := raft.NewInmemTransport(raft.ServerAddress(self.Addr))
	return raft.RecoverCluster(c.raftConfig(logger), newReplica(c.maxVersion()), f.logs, f.stable, f.snapshots,
		transport, configuration(members))
}

// peersName is a file that an operator puts into the directory in place of
// calling Recover, as with Consul and rqlite.
const peersName = "peers.json"

const peersExample = `[{"id":"balancer-1","address":"192.0.2.1:7650","non_voter":false}]`

type peer struct {
	ID       string `json:"id"`
	Address  string `json:"address"`
	NonVoter bool   `json:"non_voter"`
}

// recoverFromPeers does what a peers.json says, once.
func (c *Config) recoverFromPeers(f *files, logger hclog.Logger) error {
	if c.InMemory {
		return nil
	}
	path := filepath.Join(c.Dir, peersName)
	members, err := readPeers(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = c.recover(f, logger, members)
	}
	if err != nil {
		return fmt.Errorf("%s: %w; correct it, or remove it; nothing was changed", path, err)
	}
	applied := fmt.Sprintf("%s.applied-%d", path, time.Now().Unix())
	if err := os.Rename(path, applied); err != nil {
		return fmt.Errorf("%s was applied, and must be removed before the next start: %w", path, err)
	}
	c.logger().Warn("the membership was replaced by that of peers.json", "members", len(members), "kept_as", applied)
	return nil
}

func readPeers(path string) ([]Member, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	members, err := parsePeers(content)
	if err != nil {
		return nil, fmt.Errorf("%w; it must be like %s", err, peersExample)
	}
	return members, nil
}

func parsePeers(content []byte) ([]Member, error) {
	var peers []peer
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&peers); err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrInvalid, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: there is more after the list", ledger.ErrInvalid)
	}
	var members []Member
	for _, p := range peers {
		members = append(members, Member{ID: p.ID, Addr: p.Address, Voter: !p.NonVoter})
	}
	return members, validMembers(members)
}

func (c *Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.Default()
	}
	return c.Logger
}
