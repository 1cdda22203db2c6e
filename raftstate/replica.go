package raftstate

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/onelease/onelease/raftstate/ledger"
)

// replica is where the state machine meets raft, which calls Apply, Snapshot
// and Restore one at a time. Readers take the state at any time.
type replica struct {
	state atomic.Pointer[ledger.State]
	// maxVersion is the highest that this node reads.
	maxVersion uint32

	once   sync.Once
	failed chan struct{} // closed once err is set
	err    error
}

func newReplica(maxVersion uint32) *replica {
	r := &replica{maxVersion: maxVersion, failed: make(chan struct{})}
	r.state.Store(ledger.New())
	return r
}

// fail ends all applying: what this node cannot read, others have applied, and
// with whatever came after it the state here would be another than theirs.
func (r *replica) fail(err error) error {
	r.once.Do(func() {
		r.err = fmt.Errorf("this node has stopped at its last good state: %w; upgrade this program, or raise its MaxVersion", err)
		close(r.failed)
	})
	return r.err
}

// failure is nil unless the replica has failed.
func (r *replica) failure() error {
	select {
	case <-r.failed:
		return r.err
	default:
		return nil
	}
}

// outcome is what Apply hands back through raft.
type outcome struct {
	result ledger.Result
	err    error
}

func (r *replica) Apply(entry *raft.Log) any {
	cmd, err := ledger.DecodeCommand(entry.Data)
	if err != nil {
		return outcome{err: err}
	}
	if err := r.readable("log entry", cmd.GetVersion()); err != nil {
		return outcome{err: err}
	}
	next, result, err := r.state.Load().Apply(entry.Term, cmd)
	if err != nil {
		return outcome{err: err}
	}
	r.state.Store(next)
	result.Index = entry.Index
	return outcome{result: result}
}

// readable fails the replica at a version that it does not know.
func (r *replica) readable(what string, version uint32) error {
	if err := r.failure(); err != nil || version <= r.maxVersion {
		return err
	}
	return r.fail(fmt.Errorf("%s of version %d, this node reads up to %d: %w", what, version, r.maxVersion, ledger.ErrVersion))
}

// Snapshot of a failed replica would say that it has applied what it has not.
func (r *replica) Snapshot() (raft.FSMSnapshot, error) {
	if err := r.failure(); err != nil {
		return nil, err
	}
	return image{r.state.Load()}, nil
}

func (r *replica) Restore(from io.ReadCloser) error {
	s, err := ledger.Read(from)
	if errors.Is(err, ledger.ErrVersion) {
		return r.fail(err)
	}
	if err != nil {
		return err
	}
	if err := r.readable("snapshot", s.Version); err != nil {
		return err
	}
	r.state.Store(s)
	return nil
}

// StoreConfiguration has raft count changes of the membership as applied, so
// that a snapshot can be taken right after one.
func (r *replica) StoreConfiguration(uint64, raft.Configuration) {}

// image is a State on its way to a snapshot. States do not change, so raft may
// apply further entries meanwhile.
type image struct{ state *ledger.State }

func (i image) Persist(sink raft.SnapshotSink) error {
	b, err := i.state.Encode()
	if err == nil {
		_, err = sink.Write(b)
	}
	if err != nil {
		sink.Cancel()
		return fmt.Errorf("write snapshot: %w", err)
	}
	return sink.Close()
}

func (i image) Release() {}

var _ raft.ConfigurationStore = (*replica)(nil)
