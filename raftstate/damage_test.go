package raftstate

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"google.golang.org/protobuf/proto"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
	"github.com/onelease/onelease/raftstate/statepb"
)

// editLog opens the log of a directory that no Store has open.
func editLog(t *testing.T, dir string, edit func(*raftboltdb.BoltStore) error) {
	t.Helper()
	db, err := raftboltdb.NewBoltStore(filepath.Join(dir, dbName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := edit(db); err != nil {
		t.Fatal(err)
	}
}

// truncateLog drops the first n entries.
func truncateLog(t *testing.T, dir string, n uint64) {
	t.Helper()
	editLog(t, dir, func(db *raftboltdb.BoltStore) error { return db.DeleteRange(1, n) })
}

// replaceCommand makes data the last entry.
func replaceCommand(t *testing.T, dir string, data []byte) {
	t.Helper()
	editLog(t, dir, func(db *raftboltdb.BoltStore) error {
		last, err := db.LastIndex()
		if err != nil {
			return err
		}
		return db.StoreLog(&raft.Log{Index: last, Term: 2, Type: raft.LogCommand, Data: data})
	})
}

// editFile changes the newest file of the name anywhere in dir.
func editFile(t *testing.T, dir, name string, edit func([]byte) []byte) {
	t.Helper()
	var path string
	filepath.WalkDir(dir, func(p string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == name {
			path = p
		}
		return err
	})
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, edit(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func flip(b []byte) []byte {
	b[len(b)/2] ^= 0x55
	return b
}

// makeState makes a directory with a snapshot up to seq 5 and a log up to seq 10.
func makeState(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	defer s.Close()
	apply(t, s, ledgertest.Records(1, 5)...)
	if err := s.Snapshot(); err != nil {
		t.Fatal(err)
	}
	apply(t, s, ledgertest.Records(6, 5)...)
	return dir
}

func TestDamagedStateIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string)
		want   error
	}{
		"raft.db is another file": {func(t *testing.T, dir string) {
			editFile(t, dir, "raft.db", func(b []byte) []byte { return bytes.Repeat([]byte("text"), len(b)/4) })
		}, ledger.ErrCorrupt},
		"raft.db is short": {func(t *testing.T, dir string) {
			editFile(t, dir, "raft.db", func(b []byte) []byte { return b[:100] })
		}, ledger.ErrCorrupt},
		"raft.db has lost its end": {func(t *testing.T, dir string) {
			editFile(t, dir, "raft.db", func(b []byte) []byte { return b[:3*os.Getpagesize()] })
		}, ledger.ErrCorrupt},
		"raft.db has bad pages": {func(t *testing.T, dir string) {
			editFile(t, dir, "raft.db", func(b []byte) []byte {
				head := 2 * os.Getpagesize()
				return append(b[:head], bytes.Repeat([]byte{0xff}, len(b)-head)...)
			})
		}, ledger.ErrCorrupt},
		"raft.db is gone": {func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, dbName)) }, ledger.ErrCorrupt},
		"the snapshots are gone": {func(t *testing.T, dir string) {
			truncateLog(t, dir, 4)
			os.RemoveAll(filepath.Join(dir, snapshotDir))
		}, ledger.ErrCorrupt},
		"the only snapshot is bad": {func(t *testing.T, dir string) { editFile(t, dir, "state.bin", flip) }, ledger.ErrCorrupt},
		"a log entry is bad":       {func(t *testing.T, dir string) { replaceCommand(t, dir, []byte("\xff\xff")) }, ledger.ErrCorrupt},
		"a newer log": {func(t *testing.T, dir string) {
			newer, _ := proto.Marshal(&statepb.Command{Version: ledger.Version + 1})
			replaceCommand(t, dir, newer)
		}, ledger.ErrVersion},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := makeState(t)
				c.damage(t, dir)
				s, err := Open(Config{ID: "node-1", Dir: dir, Logger: quiet})
				if err == nil {
					s.Close()
				}
				if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), dir) {
					t.Errorf("error %v, want %v that names the directory", err, c.want)
				}
			})
		})
	}
}

// makeSecondSnapshot makes one of all that is in dir, and damages it.
func makeSecondSnapshot(t *testing.T, dir string) {
	t.Helper()
	s := open(t, Config{Dir: dir})
	defer s.Close()
	if err := s.Barrier(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Snapshot(); err != nil {
		t.Fatal(err)
	}
	editFile(t, dir, "state.bin", flip)
}

func TestOlderSnapshotStandsInIfTheLogIsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := makeState(t)
		makeSecondSnapshot(t, dir)
		if s, _ := reopen(t, dir); s.Destination(ledgertest.Hash(1)).LastSeq != 10 {
			t.Errorf("restored seq %d, want 10", s.Destination(ledgertest.Hash(1)).LastSeq)
		}
	})
	for name, lost := range map[string][2]uint64{"middle": {8, 9}, "end": {9, 100}, "all": {1, 100}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := makeState(t)
				makeSecondSnapshot(t, dir)
				editLog(t, dir, func(db *raftboltdb.BoltStore) error { return db.DeleteRange(lost[0], lost[1]) })
				s, err := Open(Config{ID: "node-1", Dir: dir, Logger: quiet})
				if err == nil {
					s.Close()
				}
				if !errors.Is(err, ledger.ErrCorrupt) {
					t.Errorf("error %v, want ErrCorrupt", err)
				}
			})
		})
	}
}

func TestOpenTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, Config{Dir: dir})
		defer s.Close()
		_, err := Open(Config{ID: "node-1", Dir: dir, Logger: quiet})
		if !errors.Is(err, ledger.ErrLocked) || !strings.Contains(err.Error(), filepath.Join(dir, dbName)) {
			t.Errorf("error %v, want ErrLocked that names the file", err)
		}
	})
}

func TestOpenStateOfAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := makeState(t)
		_, err := Open(Config{ID: "node-2", Dir: dir, Logger: quiet})
		if !errors.Is(err, ErrNotMember) || !strings.Contains(err.Error(), "node-1") {
			t.Errorf("error %v, want ErrNotMember that names node-1", err)
		}
	})
}

func TestOpenAfterInterruptedFirstStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		editLog(t, dir, func(db *raftboltdb.BoltStore) error { return db.SetUint64([]byte("CurrentTerm"), 1) })
		if _, err := Open(Config{ID: "node-1", Dir: dir, Logger: quiet}); !errors.Is(err, ledger.ErrCorrupt) {
			t.Errorf("error %v, want ErrCorrupt", err)
		}
	})
}

func TestOpenWhereItCannotWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(Config{ID: "node-1", Dir: filepath.Join(file, "dir"), Logger: quiet})
	if err == nil || !strings.Contains(err.Error(), "writable") || errors.Is(err, ledger.ErrCorrupt) {
		t.Errorf("error %v, want one that says what to do", err)
	}
	if os.Geteuid() == 0 {
		return // root may write anywhere
	}
	locked := t.TempDir()
	if err := os.Chmod(locked, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err = Open(Config{ID: "node-1", Dir: locked, Logger: quiet})
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "writable") {
		t.Errorf("error %v, want one that says what to do", err)
	}
}
