package raftstate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	"google.golang.org/protobuf/proto"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/statepb"
)

// A Store is one node of the replicated state. Its methods may be called from
// any goroutine. Open makes one.
type Store struct {
	id        string
	cluster   string
	heartbeat time.Duration // of the Preset
	logger    *slog.Logger
	replica   *replica
	raft      *raft.Raft
	files     *files
	transport *Transport // nil if it is another kind
	close     func() error

	observed chan raft.Observation
	closing  chan struct{}
	watched  chan struct{} // closed when watch has ended

	mu        sync.Mutex
	stopped   error          // why nothing may be begun any more, or now
	inFlight  sync.WaitGroup // grows only while stopped is nil
	changed   chan struct{}  // closed at the next change of the leader
	wasMember bool           // when last looked
}

func newStore(c *Config, replica *replica, r *raft.Raft, f *files) *Store {
	s := &Store{
		id: c.ID, cluster: c.Cluster, heartbeat: c.Preset.orLAN().Heartbeat, logger: c.logger(), replica: replica, raft: r, files: f,
		observed: make(chan raft.Observation, 16), closing: make(chan struct{}), watched: make(chan struct{}),
		changed: make(chan struct{}),
	}
	s.close = sync.OnceValue(s.shutdown)
	if t, ok := c.Transport.(*Transport); ok {
		s.transport = t
		t.serve(s.memberAt, s.hasState)
	}
	r.RegisterObserver(raft.NewObserver(s.observed, false, isLeaderChange))
	go s.watch()
	return s
}

// State returns the state as this node has it, without waiting. On a leader it
// includes all that its Apply has returned; what earlier leaders committed it
// has for certain after a Barrier.
func (s *Store) State() *ledger.State { return s.replica.state.Load() }

// Leader returns the node that leads as far as this one knows. A node that has
// failed knows none.
func (s *Store) Leader() ledger.Leader {
	if s.replica.failure() != nil {
		return ledger.Leader{}
	}
	addr, id := s.raft.LeaderWithID()
	return ledger.Leader{ID: string(id), Addr: string(addr), Self: string(id) == s.id}
}

// LeaderCh tells when this node begins (true) and ceases (false) to lead. There
// is one channel, for one reader, and it holds the latest change only: true
// after true means that another may have led in between. It is never closed.
func (s *Store) LeaderCh() <-chan bool { return s.raft.LeaderCh() }

// Apply commits cmd and returns its Result once a majority of the cluster has
// it on disk and this node has applied it. It does not change cmd. The errors
// are ErrInvalid, ErrVersion, ErrStale, ErrUnknownFrontend, ErrUnknownInvite,
// ErrInviteExpired, ErrNotLeader, ErrUncertain and ErrClosed.
//
// When ctx ends, Apply returns at once with ErrUncertain and the cause; if it
// had ended before, with the cause alone, and nothing was done.
func (s *Store) Apply(ctx context.Context, cmd *statepb.Command) (ledger.Result, error) {
	if err := ledger.Validate(cmd); err != nil {
		return ledger.Result{}, err
	}
	stamped, err := s.stamp(cmd)
	if err != nil {
		return ledger.Result{}, err
	}
	data, err := proto.Marshal(stamped)
	if err != nil {
		return ledger.Result{}, fmt.Errorf("encode command: %w: %w", err, ledger.ErrInvalid)
	}
	var future raft.ApplyFuture
	err = s.do(ctx, func() raft.Future {
		future = s.raft.Apply(data, 0)
		return future
	})
	if err != nil {
		return ledger.Result{}, fmt.Errorf("commit command: %w", err)
	}
	o := future.Response().(outcome)
	return o.result, o.err
}

// Barrier returns when State has all that was committed before, by any leader.
// A new leader calls it before it acts on State. The errors are ErrNotLeader,
// ErrUncertain, which here means not now, and ErrClosed.
func (s *Store) Barrier(ctx context.Context) error {
	err := s.do(ctx, func() raft.Future { return s.raft.Barrier(0) })
	if err != nil {
		return fmt.Errorf("raft barrier: %w", err)
	}
	return nil
}

// Snapshot writes the state to a snapshot now, and drops the old part of the
// log that it replaces. Raft does so by itself from time to time.
func (s *Store) Snapshot() error {
	if err := s.enter(); err != nil {
		return fmt.Errorf("take snapshot: %w", err)
	}
	defer s.inFlight.Done()
	err := s.raft.Snapshot().Error()
	if err != nil && !errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return fmt.Errorf("take snapshot: %w", err)
	}
	return nil
}

// Close stops the node, waits for its goroutines and closes its files and its
// transport. State keeps returning the last state. Further calls do nothing.
func (s *Store) Close() error { return s.close() }

// shutdown is what Close does the first time. Commands under way come first:
// raft forgets the futures of those that it has committed and not yet applied
// when it is shut down, and who waits for one would wait forever. They end by
// themselves, at the latest when a leader without a majority steps down. The
// files come last, when nothing writes to them any more.
func (s *Store) shutdown() error {
	close(s.closing)
	<-s.watched
	err := s.halt(ledger.ErrClosed)
	return errors.Join(err, s.files.close())
}

// halt stops raft, in that order, so that from here on no one begins anything.
// Raft would close the transport last, and before that wait for answers of
// nodes that may be dead.
func (s *Store) halt(why error) error {
	s.drain(why)
	ended := s.raft.Shutdown()
	if s.transport != nil {
		s.transport.Close()
	}
	return ended.Error()
}

// drain lets no command begin and waits for those under way.
func (s *Store) drain(why error) {
	s.mu.Lock()
	s.stopped = why
	s.mu.Unlock()
	s.inFlight.Wait()
}

// pause is drain that ends with resume. It fails if the Store is stopped.
func (s *Store) pause(why error) error {
	s.mu.Lock()
	if s.stopped != nil {
		defer s.mu.Unlock()
		return s.stopped
	}
	s.stopped = why
	s.mu.Unlock()
	s.inFlight.Wait()
	return nil
}

// resume lets commands begin, unless the Store was stopped meanwhile.
func (s *Store) resume(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped == why {
		s.stopped = nil
	}
}

// enter counts a command in, unless the Store is stopped.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped != nil {
		return s.stopped
	}
	s.inFlight.Add(1)
	return nil
}

// do submits something to raft and waits for it, no longer than ctx.
func (s *Store) do(ctx context.Context, submit func() raft.Future) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := s.enter(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		defer s.inFlight.Done()
		done <- submit().Error()
	}()
	select {
	case err := <-done:
		return fromRaft(err)
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ledger.ErrUncertain, context.Cause(ctx))
	}
}

// fromRaft puts raft's errors in our words. Only of those that it gives before
// it has written anything is the outcome certain.
func fromRaft(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return ledger.ErrNotLeader
	}
	return fmt.Errorf("%w: %w", ledger.ErrUncertain, err)
}
