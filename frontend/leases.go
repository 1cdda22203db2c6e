package frontend

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
)

const (
	// wellAhead is how long a LeaseSet must live on to be given again when
	// the router asks and no balancer has answered yet.
	wellAhead = 20 * time.Second
	// lastMoment is when the router gets what there is, though a better one
	// was hoped for: i2pd closes the session at 10 s.
	lastMoment = 8 * time.Second
)

// ErrOlder says that a LeaseSet comes from an earlier term or place in the
// order than one that is held already: its balancer does not lead any more.
var ErrOlder = errors.New("LeaseSet is older than the one that is held")

// keeperEvents is what a keeper needs of its surroundings. It is called with
// the keeper locked, and must not call back.
type keeperEvents interface {
	// give hands a LeaseSet to the router.
	give(l *leaseSet) error
	// poolChanged says that there is a pool to report.
	poolChanged()
	// installed says that l was given to the router for the first time.
	installed(l *leaseSet)
	// serves says that serving has become true.
	serves()
}

// A keeper knows the router's tunnels and the newest LeaseSet, and sees to it
// that the router has its answer in time.
type keeper struct {
	log    *slog.Logger
	events keeperEvents

	mu     sync.Mutex
	dest   i2p.Destination // zero until somebody told it
	up     bool            // there is a session
	asked  bool            // the router waits for a LeaseSet
	served bool            // it got one in this session
	pool   []i2p.Lease
	own    map[tunnel]time.Time // every tunnel that was in the pool, to its end
	held   *leaseSet            // the newest that was accepted, or nil
	last   *time.Timer          // for lastMoment, while asked

	// The order of LeaseSets: see fence.
	dir        string    // where highest is kept, or empty
	left       fenceFile // by an earlier run
	highest    fence
	fenceError string

	reserveTimer *time.Timer // until held's reserve takes its place, or nil
	onReserve    bool        // held was a reserve
	stopped      bool

	bundling *time.Timer // until the next newcomer gets a LeaseSet, or nil
	bundle   bool        // one waits for that
}

// A tunnel is a lease without its end.
type tunnel struct {
	gateway i2p.Hash
	id      uint32
}

func tunnelOf(l i2p.Lease) tunnel { return tunnel{l.Gateway, l.Tunnel} }

func newKeeper(log *slog.Logger, events keeperEvents) *keeper {
	return &keeper{log: log, events: events, own: make(map[tunnel]time.Time)}
}

// host sets the Destination, which does not change later.
func (k *keeper) host(dest i2p.Destination) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.dest.IsZero() && k.dest != dest {
		return fmt.Errorf("%w: %s was hosted so far, now it is to be %s: start the frontend anew if that is meant",
			errOtherDestination, k.dest.Base32(), dest.Base32())
	}
	if k.dest.IsZero() {
		k.fencedLocked(dest)
	}
	k.dest = dest
	return nil
}

var errOtherDestination = errors.New("another Destination")

// sessionUp notes a new session, which has no tunnels yet.
func (k *keeper) sessionUp() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.resetLocked(true)
}

// sessionDown notes that there is none, and says whether there was one.
func (k *keeper) sessionDown() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	was := k.up
	if was {
		k.resetLocked(false)
	}
	return was
}

func (k *keeper) resetLocked(up bool) {
	k.answeredLocked()
	k.up, k.served, k.pool = up, false, nil
	k.events.poolChanged()
}

// answeredLocked ends the router's wait.
func (k *keeper) answeredLocked() {
	k.asked = false
	if k.last != nil {
		k.last.Stop()
		k.last = nil
	}
}

// request is the router's: these are the tunnels, give me a LeaseSet.
func (k *keeper) request(leases []i2p.Lease) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	k.rememberLocked(leases, now)
	k.asked = true
	if k.held != nil && k.freshLocked(now) {
		k.giveLocked(k.held)
	}
	if k.asked && k.last == nil {
		k.last = time.AfterFunc(lastMoment, k.atLast)
	}
	k.events.poolChanged()
}

func (k *keeper) rememberLocked(leases []i2p.Lease, now time.Time) {
	k.pool = append(k.pool[:0:0], leases...)
	for t, end := range k.own {
		if end.Before(now) {
			delete(k.own, t)
		}
	}
	for _, l := range leases {
		k.own[tunnelOf(l)] = l.End
	}
}

// freshLocked reports whether the router can have the held LeaseSet again: it
// lives on for a while and lists no tunnel of the router's that is gone.
func (k *keeper) freshLocked(now time.Time) bool {
	_, gone := k.ownLeasesLocked()
	return gone == 0 && k.held.parsed.Expires.After(now.Add(wellAhead))
}

// ownLeasesLocked counts the router's own leases in the held LeaseSet. Other
// routers' are beyond what a frontend can judge.
func (k *keeper) ownLeasesLocked() (alive, gone int) {
	pool := make(map[tunnel]bool, len(k.pool))
	for _, l := range k.pool {
		pool[tunnelOf(l)] = true
	}
	for _, l := range k.held.parsed.Leases {
		if pool[tunnelOf(l)] {
			alive++
		} else if _, was := k.own[tunnelOf(l)]; was {
			gone++
		}
	}
	return alive, gone
}

// atLast gives the router the LeaseSet that it has already, so that it does
// not close the session, though some tunnels in it are gone. Where all are, it
// would only lead remotes astray.
func (k *keeper) atLast() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.asked {
		return
	}
	k.last = nil
	if k.held == nil || !k.held.parsed.Expires.After(time.Now()) {
		k.log.Warn("the router waits for a LeaseSet and there is no valid one: it may close the session")
		return
	}
	if alive, gone := k.ownLeasesLocked(); alive > 0 || gone == 0 {
		k.log.Info("no balancer answers, the router gets its last LeaseSet again")
		k.giveLocked(k.held)
	}
}

// giveLocked hands l to the router.
func (k *keeper) giveLocked(l *leaseSet) error {
	if err := k.events.give(l); err != nil {
		return err
	}
	k.answeredLocked()
	if !k.served {
		k.served = true
		k.events.serves()
	}
	if !l.told {
		l.told = true
		k.events.installed(l)
	}
	return nil
}

// serving is the Destination, and whether backends may attach.
func (k *keeper) serving() (i2p.Destination, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dest, k.up && k.served
}

// valid reports whether the held LeaseSet could be given to a router that has
// no tunnels yet.
func (k *keeper) valid() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.held != nil && k.freshLocked(time.Now())
}
