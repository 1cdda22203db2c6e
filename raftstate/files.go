package raftstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"

	"github.com/onelease/onelease/raftstate/ledger"
)

// files is where raft keeps what must last.
type files struct {
	logs      raft.LogStore
	stable    raft.StableStore
	snapshots raft.SnapshotStore
	close     func() error
}

const dbName = ledger.RaftFile

// lockTimeout is how long a restarted node waits for its predecessor to let go
// of the directory.
const lockTimeout = time.Second

func (c *Config) openFiles(logger hclog.Logger) (*files, error) {
	if c.InMemory {
		store := raft.NewInmemStore()
		none := func() error { return nil }
		return &files{store, store, raft.NewInmemSnapshotStore(), none}, nil
	}
	f, err := c.openRaw(logger)
	if err != nil {
		return nil, err
	}
	err = guard(c.Dir, func() error { return checkHistory(f.logs, f.stable, f.snapshots, c.maxVersion()) })
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// openRaw opens the files of a directory and does not look into them.
func (c *Config) openRaw(logger hclog.Logger) (*files, error) {
	if _, err := os.Stat(filepath.Join(c.Dir, ledger.SoloFile)); err == nil {
		return nil, fmt.Errorf("%s is the state of a balancer that is alone (%s): use another directory: %w", c.Dir, ledger.SoloFile, ErrNotMember)
	}
	// Made here, so that raft does not make it readable for everyone.
	if err := os.MkdirAll(filepath.Join(c.Dir, snapshotDir), 0o700); err != nil {
		return nil, openError(c.Dir, err)
	}
	db, err := openDB(filepath.Join(c.Dir, dbName), c.noSync)
	if err != nil {
		return nil, err
	}
	snapshots, err := openSnapshots(c.Dir, logger)
	if err != nil {
		db.Close()
		return nil, err
	}
	return &files{db, db, snapshots, db.Close}, nil
}

func openDB(path string, noSync bool) (db *raftboltdb.BoltStore, err error) {
	err = guard(path, func() error {
		db, err = raftboltdb.New(raftboltdb.Options{
			Path: path, NoSync: noSync, BoltOptions: &bbolt.Options{Timeout: lockTimeout},
		})
		return err
	})
	return db, err
}

// guard runs f, which reads files that may be damaged, and says what is wrong
// with path. bbolt panics on damaged pages, and faults where a file has lost
// its end.
func guard(path string, f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = openError(path, fmt.Errorf("a page is unreadable: %v", p))
		}
	}()
	if err := f(); err != nil {
		return openError(path, err)
	}
	return nil
}

func openError(path string, err error) error {
	var file *fs.PathError
	switch {
	case errors.Is(err, bbolt.ErrTimeout):
		return fmt.Errorf("open %s: %w; stop the program that has it open, or use another directory", path, ledger.ErrLocked)
	case errors.Is(err, ledger.ErrVersion):
		return fmt.Errorf("open %s: %w; upgrade this program, or raise its MaxVersion", path, err)
	case errors.As(err, &file):
		return fmt.Errorf("open state: %w; make %s writable for the user that runs this, or use another directory", err, path)
	}
	return fmt.Errorf("open %s: %w: %w; restore the whole directory from one backup", path, ledger.ErrCorrupt, err)
}
