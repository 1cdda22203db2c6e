package solo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/statepb"
)

// A Store is the state in one directory, or in memory. Its methods may be called
// from any goroutine.
type Store struct {
	dir   string // empty: in memory
	term  uint64
	lock  *os.File // nil without dir
	state atomic.Pointer[ledger.State]
	leads chan bool
	never chan struct{} // nobody else comes to lead

	commits  sync.Mutex // held from reading the state to replacing it
	mu       sync.Mutex
	closed   bool
	inFlight sync.WaitGroup // grows only while closed is false
}

// Open begins a term of the state in dir, which is made if it is not there. The
// errors are ledger.ErrLocked, ErrCorrupt, ErrVersion, ErrInvalid for a directory
// that raft uses, and those of the file system.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a directory for the balancer's state: %w", err)
	}
	if err := refuseRaft(dir); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := newStore(dir)
	s.lock = lock
	if err := s.begin(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

func newStore(dir string) *Store {
	s := &Store{dir: dir, leads: make(chan bool, 1), never: make(chan struct{})}
	s.leads <- true
	return s
}

// begin reads what there is, and has the new term on the disk before anything is
// committed in it.
func (s *Store) begin() error {
	removeStaged(s.dir)
	term, state, err := read(s.dir)
	if err != nil {
		return err
	}
	s.term = term + 1
	s.state.Store(state)
	return write(s.dir, s.term, state)
}

// Apply commits cmd and returns once it is on the disk. The errors are those of
// ledger.State.Apply, ErrClosed, and ErrUncertain if the disk fails or ctx ends
// while the command is under way; if ctx had ended before, its cause alone.
func (s *Store) Apply(ctx context.Context, cmd *statepb.Command) (ledger.Result, error) {
	if ctx.Err() != nil {
		return ledger.Result{}, context.Cause(ctx)
	}
	if err := s.enter(); err != nil {
		return ledger.Result{}, err
	}
	if s.dir == "" {
		defer s.inFlight.Done()
		return s.commit(cmd)
	}
	type outcome struct {
		result ledger.Result
		err    error
	}
	done := make(chan outcome, 1)
	go func() { // since a disk that hangs minds no context
		defer s.inFlight.Done()
		result, err := s.commit(cmd)
		done <- outcome{result, err}
	}()
	select {
	case o := <-done:
		return o.result, o.err
	case <-ctx.Done():
		return ledger.Result{}, fmt.Errorf("commit command: %w: %w", ledger.ErrUncertain, context.Cause(ctx))
	}
}

// commit puts the state after cmd in the place of the one before. If the disk
// fails either may be on it; the one before is gone on with, which repeats nothing,
// since nobody was told of the other.
func (s *Store) commit(cmd *statepb.Command) (ledger.Result, error) {
	s.commits.Lock()
	defer s.commits.Unlock()
	next, result, err := s.State().Apply(s.term, cmd)
	if err != nil {
		return ledger.Result{}, err
	}
	if s.dir != "" {
		if err := write(s.dir, s.term, next); err != nil {
			return ledger.Result{}, fmt.Errorf("commit command: %w: %w", ledger.ErrUncertain, err)
		}
	}
	s.state.Store(next)
	return result, nil
}

// State is the state as committed so far, not to be changed.
func (s *Store) State() *ledger.State { return s.state.Load() }

// Barrier has nothing to wait for. The error is ErrClosed.
func (s *Store) Barrier(context.Context) error {
	if err := s.enter(); err != nil {
		return err
	}
	s.inFlight.Done()
	return nil
}

// EnsureGeneration begins the first generation, if none has begun. The errors are
// those of Apply.
func (s *Store) EnsureGeneration(ctx context.Context, now time.Time) error {
	if s.State().Generation != 0 {
		return nil
	}
	_, err := s.Apply(ctx, ledger.SetGeneration(uint64(now.UnixMilli())))
	if errors.Is(err, ledger.ErrStale) {
		return nil // another caller was faster
	}
	return err
}

// Leader is this Store, until it is closed.
func (s *Store) Leader() ledger.Leader {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ledger.Leader{}
	}
	return ledger.Leader{ID: "local", Self: true}
}

// LeaderCh says once that this Store leads.
func (s *Store) LeaderCh() <-chan bool { return s.leads }

// LeaderChanged is never closed: nobody else comes to lead.
func (s *Store) LeaderChanged() <-chan struct{} { return s.never }

// Close waits for what is under way and lets go of the directory. Further calls
// do nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	s.inFlight.Wait()
	if s.lock == nil {
		return nil
	}
	return s.lock.Close()
}

// enter counts a command in, unless the Store is closed.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ledger.ErrClosed
	}
	s.inFlight.Add(1)
	return nil
}

var _ balancer.Store = (*Store)(nil)
