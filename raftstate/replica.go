package raftstate

import (
	"fmt"
	"io"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// replica is where the state machine meets raft, which calls Apply, Snapshot
// and Restore one at a time. Readers take the state at any time.
type replica struct {
	state atomic.Pointer[State]
}

func newReplica() *replica {
	r := new(replica)
	r.state.Store(newState())
	return r
}

// outcome is what Apply hands back through raft.
type outcome struct {
	result Result
	err    error
}

func (r *replica) Apply(entry *raft.Log) any {
	cmd, err := decodeCommand(entry.Data)
	if err != nil {
		return outcome{err: err}
	}
	next, result, err := r.state.Load().apply(entry.Term, cmd)
	if err != nil {
		return outcome{err: err}
	}
	r.state.Store(next)
	result.Index = entry.Index
	return outcome{result: result}
}

func (r *replica) Snapshot() (raft.FSMSnapshot, error) {
	return image{r.state.Load()}, nil
}

func (r *replica) Restore(from io.ReadCloser) error {
	s, err := readState(from)
	if err != nil {
		return err
	}
	r.state.Store(s)
	return nil
}

// image is a State on its way to a snapshot. States do not change, so raft may
// apply further entries meanwhile.
type image struct{ state *State }

func (i image) Persist(sink raft.SnapshotSink) error {
	b, err := i.state.encode()
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

var _ raft.FSM = (*replica)(nil)
