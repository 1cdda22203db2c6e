package raftstate

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/statepb"
)

// A backup file is a magic of 16 bytes, 1 byte version of the file, a
// statepb.Backup, and the SHA-256 of all before it.
const (
	backupMagic   = "onelease backup\n"
	backupVersion = 1
	backupHead    = len(backupMagic) + 1
	maxBackupSize = ledger.MaxSnapshotSize + 4096
)

// BackupInfo says what a backup has.
type BackupInfo struct {
	// Cluster it is of, and Node that wrote it.
	Cluster, Node string
	// Index and Term of the last raft log entry that is in it.
	Index, Term uint64
	// Generation of the state.
	Generation uint64
	// Created has whole milliseconds.
	Created time.Time
}

// A Backup is the state of a cluster at one point of its log.
type Backup struct {
	BackupInfo
	State *ledger.State
}

// Backup writes the state to w while the node runs. On a leader it has all that
// was committed before; a follower writes what it has, and the Index says how
// much that is. It holds no keys and no secrets. The errors are ErrNoState,
// ErrUncertain, ErrClosed and those of w, which then has part of a file.
func (s *Store) Backup(ctx context.Context, w io.Writer) (BackupInfo, error) {
	if s.Leader().Self {
		if err := s.Barrier(ctx); err != nil {
			return BackupInfo{}, fmt.Errorf("back up: %w", err)
		}
	}
	if err := s.enter(); err != nil {
		return BackupInfo{}, fmt.Errorf("back up: %w", err)
	}
	defer s.inFlight.Done()
	b, err := s.takeBackup()
	if err == nil {
		err = b.write(w)
	}
	if err != nil {
		return BackupInfo{}, fmt.Errorf("back up: %w", err)
	}
	return b.BackupInfo, nil
}

// takeBackup takes a snapshot, which has state and index from one moment.
func (s *Store) takeBackup() (*Backup, error) {
	meta, content, err := s.newestSnapshot()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	state, err := ledger.Read(content)
	if err != nil {
		return nil, err
	}
	return &Backup{State: state, BackupInfo: BackupInfo{
		Cluster: s.cluster, Node: s.id, Index: meta.Index, Term: meta.Term,
		Generation: state.Generation, Created: time.UnixMilli(time.Now().UnixMilli()),
	}}, nil
}

// newestSnapshot takes one, or opens the one there is if nothing was applied
// since the node's start.
func (s *Store) newestSnapshot() (*raft.SnapshotMeta, io.ReadCloser, error) {
	future := s.raft.Snapshot()
	err := future.Error()
	if err == nil {
		return future.Open()
	}
	if !errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return nil, nil, err
	}
	metas, err := s.files.snapshots.List()
	if err == nil && len(metas) == 0 {
		err = fmt.Errorf("node %q %w", s.id, ErrNoState)
	}
	if err != nil {
		return nil, nil, err
	}
	return s.files.snapshots.Open(metas[0].ID)
}

func (b *Backup) write(w io.Writer) error {
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(&statepb.Backup{
		Cluster: b.Cluster, Node: b.Node, Index: b.Index, Term: b.Term,
		CreatedMs: uint64(b.Created.UnixMilli()), State: b.State.ToPB(),
	})
	if err != nil {
		return err
	}
	file := append([]byte(backupMagic), backupVersion)
	file = append(file, body...)
	digest := sha256.Sum256(file)
	_, err = w.Write(append(file, digest[:]...))
	return err
}

// ReadBackup reads what Store.Backup has written, and checks all of it. The
// errors are ErrCorrupt, ErrVersion and those of r.
func ReadBackup(r io.Reader) (*Backup, error) {
	file, err := io.ReadAll(io.LimitReader(r, maxBackupSize+1))
	if err != nil {
		return nil, fmt.Errorf("read backup: %w", err)
	}
	b, err := parseBackup(file)
	if err != nil {
		return nil, fmt.Errorf("read backup: %w", err)
	}
	return b, nil
}

// parseBackup looks at the version before the digest, which a later version may
// have elsewhere.
func parseBackup(file []byte) (*Backup, error) {
	if len(file) < backupHead || !bytes.HasPrefix(file, []byte(backupMagic)) {
		return nil, fmt.Errorf("%w: it is no backup of onelease; give the file that a backup has written", ledger.ErrCorrupt)
	}
	if v := file[backupHead-1]; v != backupVersion {
		return nil, fmt.Errorf("it is of version %d, this program knows %d; use the program that wrote it, or a newer one: %w", v, backupVersion, ledger.ErrVersion)
	}
	body := len(file) - sha256.Size
	if body < backupHead || len(file) > maxBackupSize || sha256.Sum256(file[:body]) != [sha256.Size]byte(file[body:]) {
		return nil, fmt.Errorf("%w: its digest is not that of its content, so it was changed or cut short; use another backup", ledger.ErrCorrupt)
	}
	return decodeBackup(file[backupHead:body])
}

func decodeBackup(body []byte) (*Backup, error) {
	pb := new(statepb.Backup)
	if err := proto.Unmarshal(body, pb); err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrCorrupt, err)
	}
	if v := pb.GetState().GetVersion(); v > ledger.Version {
		return nil, fmt.Errorf("its state is of version %d, this program knows %d; use the program that wrote it, or a newer one: %w", v, ledger.Version, ledger.ErrVersion)
	}
	state, err := ledger.FromPB(pb.GetState())
	if err == nil {
		err = cmp.Or(ledger.ValidName("node", pb.GetNode()), validCluster(pb.GetCluster()))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrCorrupt, err)
	}
	return &Backup{State: state, BackupInfo: BackupInfo{
		Cluster: pb.GetCluster(), Node: pb.GetNode(), Index: pb.GetIndex(), Term: pb.GetTerm(),
		Generation: state.Generation, Created: time.UnixMilli(int64(pb.GetCreatedMs())),
	}}, nil
}
