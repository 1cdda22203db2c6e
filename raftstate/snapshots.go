package raftstate

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"

	"github.com/onelease/onelease/raftstate/ledger"
)

// snapshotDir is raft's name for it.
const snapshotDir = "snapshots"

// keepSnapshots is how many snapshots there are at most: the last, and the one
// before should the last be damaged.
const keepSnapshots = 2

// privateSnapshots are file snapshots that only their owner can read; raft
// leaves that to the umask.
type privateSnapshots struct {
	raft.SnapshotStore
	dir string
}

func openSnapshots(dir string, logger hclog.Logger) (raft.SnapshotStore, error) {
	store, err := raft.NewFileSnapshotStoreWithLogger(dir, keepSnapshots, logger)
	if err != nil {
		return nil, fmt.Errorf("state directory %s: %w; make it writable for the user that runs this", dir, err)
	}
	return privateSnapshots{store, filepath.Join(dir, snapshotDir)}, nil
}

// Create narrows the modes of what raft has just made. Nobody could have
// looked before: the directory above is closed to others.
func (p privateSnapshots) Create(version raft.SnapshotVersion, index, term uint64,
	cluster raft.Configuration, clusterIndex uint64, transport raft.Transport) (raft.SnapshotSink, error) {
	sink, err := p.SnapshotStore.Create(version, index, term, cluster, clusterIndex, transport)
	if err != nil {
		return nil, err
	}
	made := filepath.Join(p.dir, sink.ID()+".tmp")
	err = os.Chmod(made, 0o700)
	for _, file := range []string{"meta.json", "state.bin"} {
		err = errors.Join(err, os.Chmod(filepath.Join(made, file), 0o600))
	}
	if err != nil {
		sink.Cancel()
		return nil, fmt.Errorf("make snapshot private: %w", err)
	}
	return sink, nil
}

// checkHistory finds files that are damaged, or of which a part has been lost
// or replaced. Raft takes the newest snapshot that it can read and the log from
// there. It would panic at a gap between them, forget what only an unreadable
// snapshot has, and with an older raft.db use terms again that it has used.
func checkHistory(logs raft.LogStore, stable raft.StableStore, snapshots raft.SnapshotStore, maxVersion uint32) error {
	newest, readable, err := findSnapshots(snapshots, maxVersion)
	if err != nil {
		return err
	}
	last, err := checkLog(logs, readable.Index, maxVersion)
	if err != nil {
		return err
	}
	if max(last, readable.Index) < newest.Index {
		return fmt.Errorf("snapshot %s is unreadable, and the log ends before it", newest.ID)
	}
	term, err := stable.GetUint64([]byte("CurrentTerm"))
	if err != nil && !errors.Is(err, raftboltdb.ErrKeyNotFound) {
		return err
	}
	if term < newest.Term {
		return fmt.Errorf("raft.db is of term %d, snapshot %s of a later one", term, newest.ID)
	}
	return nil
}

// checkLog reads the whole log, as raft will, and returns its last index. Only
// what the snapshot covers may be missing.
func checkLog(db raft.LogStore, snapshot uint64, maxVersion uint32) (last uint64, err error) {
	first, err := db.FirstIndex()
	if err != nil {
		return 0, err
	}
	last, err = db.LastIndex()
	if err != nil {
		return 0, err
	}
	for i := min(first, snapshot+1); i <= last; i++ {
		err := checkEntry(db, i, maxVersion)
		if err != nil && !(i <= snapshot && errors.Is(err, raft.ErrLogNotFound)) {
			return 0, fmt.Errorf("log entry %d: %w", i, err)
		}
	}
	return last, nil
}

// checkEntry also finds commands of a newer version: the node would only stop
// when it comes to them.
func checkEntry(db raft.LogStore, index uint64, maxVersion uint32) error {
	entry := new(raft.Log)
	if err := db.GetLog(index, entry); err != nil || entry.Type != raft.LogCommand {
		return err
	}
	cmd, err := ledger.DecodeCommand(entry.Data)
	return cmp.Or(err, ledger.Validate(cmd), checkVersion(cmd.GetVersion(), maxVersion))
}

func checkVersion(version, most uint32) error {
	if version > most {
		return fmt.Errorf("version %d, and this node reads up to %d: %w", version, most, ledger.ErrVersion)
	}
	return nil
}

// findSnapshots returns the newest snapshot there is and the newest that can be
// read, which is the one that raft will take; without any, zero values.
func findSnapshots(snapshots raft.SnapshotStore, maxVersion uint32) (newest, readable *raft.SnapshotMeta, err error) {
	metas, err := snapshots.List()
	if err != nil || len(metas) == 0 {
		return &raft.SnapshotMeta{}, &raft.SnapshotMeta{}, err
	}
	var errs []error
	for _, meta := range metas {
		err := tryRead(snapshots, meta.ID, maxVersion)
		if err == nil {
			return metas[0], meta, nil
		}
		if errors.Is(err, ledger.ErrVersion) {
			return nil, nil, fmt.Errorf("snapshot %s: %w", meta.ID, err) // an older one would not do
		}
		errs = append(errs, fmt.Errorf("snapshot %s: %w", meta.ID, err))
	}
	return nil, nil, errors.Join(errs...)
}

func tryRead(snapshots raft.SnapshotStore, id string, maxVersion uint32) error {
	_, content, err := snapshots.Open(id)
	if err != nil {
		return err
	}
	defer content.Close()
	s, err := ledger.Read(content)
	if err != nil {
		return err
	}
	return checkVersion(s.Version, maxVersion)
}
