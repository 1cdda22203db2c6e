package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/raftstate"
	"github.com/onelease/onelease/raftstate/ledger"
)

const (
	// chunkSize is what a Chunk has at most.
	chunkSize = 64 << 10
	// maxBackup is more than any backup has: a state with all its limits
	// reached is under 2 MB.
	maxBackup = 16 << 20
)

// Backup implements clusterpb.ClusterServer.
func (s service) Backup(_ *clusterpb.BackupRequest, stream grpc.ServerStreamingServer[clusterpb.Chunk]) error {
	n := s.node
	if err := n.needLeader(stream.Context()); err != nil {
		return err
	}
	info, err := n.store.Backup(stream.Context(), chunkWriter{stream.Send})
	if err != nil {
		return told(err)
	}
	n.cfg.Logger.Info("backed up", "index", info.Index, "term", info.Term)
	return nil
}

// Restore implements clusterpb.ClusterServer.
func (s service) Restore(stream grpc.ClientStreamingServer[clusterpb.Chunk, clusterpb.RestoreReply]) error {
	n := s.node
	if err := n.needLeader(stream.Context()); err != nil {
		return err
	}
	backup, err := raftstate.ReadBackup(&chunkReader{recv: stream.Recv})
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	marks := n.marks()
	if err := n.store.Restore(stream.Context(), backup, time.Now()); err != nil {
		return told(err)
	}
	if err := n.markAgain(stream.Context(), marks); err != nil {
		return status.Errorf(codes.Unavailable, "the backup was restored, but nodes that were removed are let in again: remove them once more: %v", err)
	}
	n.beginAnew()
	generation := n.store.State().Generation
	n.cfg.Logger.Warn("a backup was restored", "made", backup.Created, "by", backup.Node, "generation", generation)
	return stream.SendAndClose(&clusterpb.RestoreReply{Generation: generation})
}

// marks are those of removed nodes. A restore drops them with all invitations.
func (n *Node) marks() (marks []ledger.Invite) {
	for id, invite := range n.store.State().Invites {
		if isMark(id) {
			marks = append(marks, invite)
		}
	}
	return marks
}

func (n *Node) markAgain(ctx context.Context, marks []ledger.Invite) error {
	for _, mark := range marks {
		if _, err := n.store.Apply(ctx, ledger.PutInvite(mark, time.Now())); err != nil {
			return err
		}
	}
	return nil
}

// BackupTo writes the replicated state, as the leader has it, to w. What was
// written is checked whole.
func (c *Conn) BackupTo(ctx context.Context, w io.Writer) (raftstate.BackupInfo, error) {
	var none raftstate.BackupInfo
	stream, err := c.ClusterClient.Backup(ctx, &clusterpb.BackupRequest{})
	if err != nil {
		return none, plain(err)
	}
	var file bytes.Buffer
	backup, err := raftstate.ReadBackup(io.TeeReader(&chunkReader{recv: stream.Recv}, &file))
	if err != nil {
		return none, err
	}
	_, err = w.Write(file.Bytes())
	return backup.BackupInfo, err
}

// RestoreFrom replaces the replicated state by the backup in file, and returns the
// generation that it begins.
func (c *Conn) RestoreFrom(ctx context.Context, file []byte) (uint64, error) {
	stream, err := c.ClusterClient.Restore(ctx)
	if err != nil {
		return 0, plain(err)
	}
	// Why the balancer does not take more is told by CloseAndRecv.
	if _, err := (chunkWriter{stream.Send}).Write(file); err != nil && !errors.Is(err, io.EOF) {
		return 0, plain(err)
	}
	reply, err := stream.CloseAndRecv()
	return reply.GetGeneration(), plain(err)
}

// A chunkWriter sends what is written to it.
type chunkWriter struct {
	send func(*clusterpb.Chunk) error
}

func (w chunkWriter) Write(b []byte) (n int, err error) {
	for n < len(b) {
		end := min(n+chunkSize, len(b))
		if err := w.send(&clusterpb.Chunk{Data: b[n:end]}); err != nil {
			return n, err
		}
		n = end
	}
	return n, nil
}

// A chunkReader reads what comes in.
type chunkReader struct {
	recv func() (*clusterpb.Chunk, error)
	left []byte
	got  int
}

func (r *chunkReader) Read(b []byte) (int, error) {
	for len(r.left) == 0 {
		chunk, err := r.recv()
		if errors.Is(err, io.EOF) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, plain(err)
		}
		r.left = chunk.GetData()
		if r.got += len(r.left); r.got > maxBackup {
			return 0, fmt.Errorf("over %d bytes: no backup has so many: %w", maxBackup, ErrInvalid)
		}
	}
	n := copy(b, r.left)
	r.left = r.left[n:]
	return n, nil
}

var (
	_ io.Writer = chunkWriter{}
	_ io.Reader = (*chunkReader)(nil)
)
