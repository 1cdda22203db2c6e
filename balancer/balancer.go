package balancer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/statepb"
)

// Store is what a balancer needs of the replicated state. *raftstate.Store is one.
type Store interface {
	// Apply commits a command. Only the leader can.
	Apply(ctx context.Context, command *statepb.Command) (ledger.Result, error)
	// State is the state as committed so far, not to be changed.
	State() *ledger.State
	// Barrier returns when State has all that earlier leaders committed.
	Barrier(ctx context.Context) error
	// EnsureGeneration begins the state's first generation, if none has begun.
	EnsureGeneration(ctx context.Context, now time.Time) error
	// Leader says who leads, and whether that is this store.
	Leader() ledger.Leader
	// LeaderCh tells when this store begins and ceases to lead. The Balancer
	// is its one reader.
	LeaderCh() <-chan bool
	// LeaderChanged is closed when another leads, or nobody any more.
	LeaderChanged() <-chan struct{}
}

// Config is what a Balancer is made of.
type Config struct {
	// Keys are the Destination's, with its signing key. Required.
	Keys *i2p.Keys
	// Store is the replicated state. Required.
	Store Store
	// Policy has times and sizes; zero fields take DefaultPolicy's. What the
	// replicated state has a policy for goes by that.
	Policy Policy
	// Session are I2CP options for the routers' sessions in place of the Policy's
	// and besides them, such as "outbound.quantity". Those that decide what is
	// published and how messages are handed over are the Balancer's.
	Session i2p.Mapping
	// LeaseSet are the options of the LeaseSets, such as service records.
	LeaseSet i2p.Mapping
	// Expect is how many members there are to be, if that is known. The first
	// LeaseSet then waits for that many, for Policy.FirstWait at most.
	Expect int
	// LookEvery is how often a frontend is asked to look the Destination up in the
	// netDB, once something is published, for Status to tell; 0: never. Looked up sooner
	// is what was not found.
	LookEvery time.Duration
	// Authorize says whether the caller of the control service may act as the
	// named frontend or backend. Nil allows everybody, for a service that only
	// this process can reach.
	Authorize func(ctx context.Context, role, name string) error
	// Now is the machine's clock, time.Now if nil; for tests of what wrong clocks do.
	Now func() time.Time
	// Logger is slog.Default if nil.
	Logger *slog.Logger
}

// Roles of those who call the control service, for Config.Authorize.
const (
	RoleFrontend = "frontend"
	RoleBackend  = "backend"
)

// A Balancer does the leader's work while its Store leads. Make one with New,
// give Control to a gRPC server, and call Run.
type Balancer struct {
	cfg   Config
	hash  i2p.Hash
	idKey []byte // of stream IDs
	log   *slog.Logger
	kicks chan struct{}

	// roles is held from reading a frontend's replicated roles to taking over
	// what was committed of them. It is locked before mu.
	roles sync.Mutex

	mu         sync.Mutex
	inOffice   bool          // took over, and was not dismissed since
	office     chan struct{} // closed, and replaced, when inOffice changes
	clock      clock
	policy     Policy         // in force
	policyOf   *ledger.Policy // what it was made from, besides cfg.Policy
	frontends  map[string]*frontend
	merged     *sealed   // the last of this term of office
	mergedAt   time.Time // when the last was issued, by an earlier leader maybe; zero: never
	graceEnds  time.Time // until then the frontends have time to come over from an earlier leader
	continues  bool      // they did, with the tunnels that it knew
	generation uint64    // of the state, since takeOver
	firstPool  time.Time // when the first member had a tunnel
	rotateAt   time.Time // when the next key epoch begins; zero: not planned
	rotatedAt  time.Time // when the last key epoch began; zero: not since New
	// refugeUntil is until when a refuge is listed in place of the members. It
	// outlives a term of office: an operator may change the policy meanwhile.
	refugeUntil time.Time
	publishes   uint64
	takenAt     time.Time // when the first publisher's router was given merged; zero: none was
	netDB       netDB
	probes      uint64
	questions   uint64 // of the netDB
}

// New checks cfg and makes a Balancer that does nothing yet.
func New(cfg Config) (*Balancer, error) {
	if cfg.Keys == nil || cfg.Store == nil {
		return nil, errors.New("balancer: Config needs Keys and Store")
	}
	if _, err := cfg.Keys.Sign(nil); err != nil {
		return nil, fmt.Errorf("balancer: keys of type %v cannot sign LeaseSets: %w", cfg.Keys.SigType(), err)
	}
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	idKey, err := cfg.Keys.StreamIDKey()
	if err != nil {
		return nil, fmt.Errorf("balancer: %w", err)
	}
	b := &Balancer{
		cfg:       cfg,
		idKey:     idKey,
		hash:      cfg.Keys.Destination.Hash(),
		log:       cfg.Logger.With("part", "balancer"),
		kicks:     make(chan struct{}, 1),
		office:    make(chan struct{}),
		clock:     newClock(cfg.Now()),
		frontends: map[string]*frontend{},
	}
	b.policy, err = b.policyFrom(nil)
	return b, err
}

// retryTime is how long a step that failed rests, so that a store that cannot
// commit is not asked without end.
const retryTime = 200 * time.Millisecond

// Run does the leader's work until ctx ends. It returns nil then, and the
// frontends go to whoever leads next.
func (b *Balancer) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	defer b.dismiss()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-b.cfg.Store.LeaderCh():
			b.dismiss() // if it leads again, another may have in between
		case <-b.kicks:
		case <-timer.C:
		}
		next, err := b.step(ctx, b.cfg.Now())
		if err != nil && ctx.Err() == nil {
			b.log.Warn("LeaseSets not signed, trying again", "error", err)
			next = b.cfg.Now().Add(retryTime)
		}
		timer.Reset(time.Until(next))
	}
}

// kick makes Run look at once at what is due.
func (b *Balancer) kick() {
	select {
	case b.kicks <- struct{}{}:
	default:
	}
}

// step does all that is due at now, and returns when something will be again.
func (b *Balancer) step(ctx context.Context, now time.Time) (time.Time, error) {
	if !b.cfg.Store.Leader().Self {
		b.dismiss()
		return now.Add(retryTime), nil
	}
	if !b.leads() || b.outdated() {
		if err := b.takeOver(ctx, now); err != nil {
			return now, err
		}
	}
	b.loseSilent(ctx, now)
	b.look(now)
	b.sendHeld(now)
	if err := b.rotate(ctx, now); err != nil {
		return now, err
	}
	drafts, next := b.plan(now)
	if len(drafts) == 0 {
		return next, nil
	}
	for some := range slices.Chunk(drafts, maxDrafts) {
		made, err := b.issue(ctx, some, now)
		if err != nil {
			return now, err
		}
		b.handOut(made, now)
	}
	return now, nil
}

// issued is what the Destination's last LeaseSet was.
func (b *Balancer) issued() ledger.Destination {
	return b.cfg.Store.State().Destination(b.hash)
}

// rotate begins a key epoch if one is due: every LeaseSet gets a new key.
func (b *Balancer) rotate(ctx context.Context, now time.Time) error {
	b.mu.Lock()
	due := !b.rotateAt.IsZero() && !now.Before(b.rotateAt)
	b.mu.Unlock()
	if !due {
		return nil
	}
	epoch := b.issued().Epoch + 1
	if _, err := b.cfg.Store.Apply(ctx, ledger.SetEpoch(b.hash, epoch, "a member was lost")); err != nil {
		return fmt.Errorf("begin key epoch %d: %w", epoch, err)
	}
	b.log.Info("key epoch begins", "epoch", epoch)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rotateAt, b.rotatedAt = time.Time{}, now
	return nil
}

// handOut sends signed LeaseSets to the frontends that they are for.
func (b *Balancer) handOut(made []sealed, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range made {
		s := &made[i]
		if s.merged() {
			b.publishLocked(s, now)
		} else if f := b.frontends[s.frontend]; f != nil && f.holdsBack() {
			f.setOwnLocked(s, now)
			f.heldUntil = now.Add(holdTime)
		} else if f != nil {
			f.installLocked(s, now)
		}
	}
}

func (b *Balancer) publishLocked(s *sealed, now time.Time) {
	b.merged, b.mergedAt, b.takenAt = s, now, time.Time{}
	b.publishes++
	b.publishedLocked(now)
	for _, f := range b.frontends {
		if f.publisher && f.up {
			f.installLocked(s, now)
		}
	}
	b.log.Info("LeaseSet published", "term", s.install.Term, "seq", s.install.Seq, "leases", len(s.leaseSet.Leases))
}
