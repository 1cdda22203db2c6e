package backend

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
)

// Waits between attempts to connect. The first is short since most frontends
// that go come back at once (a restart); a refusal takes a person to mend.
const (
	retryFirst   = 100 * time.Millisecond
	retryMost    = 5 * time.Second
	retryRefused = 30 * time.Second
)

// pingMost is the longest time between two PINGs: frontends take a backend with a
// name for lost that is silent for 2 s.
const pingMost = 500 * time.Millisecond

// A link is the connection to one frontend, made again whenever it is lost.
type link struct {
	host  *Host
	index int
	front Frontend
	// live is the client while the link is up.
	live atomic.Pointer[sam.PacketClient]

	in, out, dropped, hellos, connects atomic.Uint64

	// Guarded by Host.mu.
	state  LinkState
	since  time.Time
	reason error
	pace   pace
	seed   uint64 // for rank
	// draining is set while its frontend says that its router is to go.
	draining bool
	// refuge is set if its router is one: it serves the remotes that come to it,
	// and with its other key no hello by it could save a stream.
	refuge bool
	// published is the date of the LeaseSet that its router has, which hellos by it
	// bring; 0: not known.
	published uint32
}

func newLink(h *Host, index int, f Frontend) *link {
	return &link{host: h, index: index, front: f, seed: seedOf(f.name()), since: time.Now()}
}

// seedOf makes the seed from the frontend's name, so that all backends of a
// Destination, and this one after a restart, choose alike: the name that it gives
// itself, once it has told it.
func seedOf(name string) uint64 {
	seed := fnv.New64a()
	seed.Write([]byte(name))
	return seed.Sum64()
}

func (l *link) up() bool { return l.live.Load() != nil }

// run holds the link until ctx ends.
func (l *link) run(ctx context.Context) {
	for wait := retryFirst; ctx.Err() == nil; wait = min(2*wait, retryMost) {
		before, began := l.connects.Load(), time.Now()
		err := l.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if l.connects.Load() != before || time.Since(began) > retryMost {
			wait = retryFirst // it was waited for a router, and may be again
		}
		if refused(err) {
			wait = retryRefused
		}
		l.host.linkFailed(l, err)
		select {
		case <-ctx.Done():
		case <-time.After(wait/2 + rand.N(wait)): // half to one and a half
		}
	}
}

// refused reports whether trying again soon is of no use.
func refused(err error) bool {
	return errors.Is(err, ErrMismatch) || errors.Is(err, errOtherKey) || errors.Is(err, sam.ResultInvalidKey) || errors.Is(err, i2p.ErrSignature)
}

// session connects once and serves the connection until it is lost.
func (l *link) session(ctx context.Context) error {
	l.host.connecting(l)
	client, err := l.dial(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := l.host.adopt(client.Destination()); err != nil {
		return err
	}
	if err := l.host.adoptKey(client); err != nil {
		return err
	}
	l.host.linkUp(l, client)
	select {
	case <-ctx.Done():
		l.live.Store(nil) // nobody is left to say hello
		return ctx.Err()
	case <-client.Done():
		l.host.linkLost(l)
		return client.Err()
	}
}

// dial attaches a session that gets all packets, or with a Name its share. A frontend whose process is
// stopped or whose machine is gone closes nothing, so the client pings it.
func (l *link) dial(ctx context.Context) (*sam.PacketClient, error) {
	h := l.host
	h.mu.Lock()
	weight := h.weightLocked()
	h.mu.Unlock()
	return sam.Dial(ctx, sam.ClientConfig{
		Addr:         l.front.Addr,
		Dial:         l.front.Dial,
		OnPacket:     l.receive,
		SendStatus:   true,
		OnStatus:     func(id uint32, err error) { h.helloHanded(l, id, err) },
		OnDrain:      func(draining bool) { h.setDraining(l, draining) },
		OnLeaseSet:   func(published uint32) { h.setPublished(l, published) },
		Backend:      h.cfg.Name,
		Weight:       weight,
		Standby:      h.cfg.Standby,
		OnHeard:      func(remote i2p.Hash) { h.toldHeard(l, remote) },
		PingInterval: min(h.cfg.HangTimeout/4, pingMost),
		PingTimeout:  h.cfg.HangTimeout,
	})
}

// statsLocked leaves out Remotes and Stranded.
func (l *link) statsLocked() FrontendStats {
	s := FrontendStats{
		Name:     l.front.name(),
		State:    l.state,
		Since:    l.since,
		In:       l.in.Load(),
		Out:      l.out.Load(),
		Dropped:  l.dropped.Load(),
		Hellos:   l.hellos.Load(),
		Connects: l.connects.Load(),
		Draining: l.draining,
	}
	if client := l.live.Load(); client != nil {
		s.TellsApart = len(client.IDKey()) > 0
	}
	if l.reason != nil {
		s.Error = l.reason.Error()
	}
	return s
}

func (h *Host) connecting(l *link) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l.draining, l.published = false, 0 // the last session may have said it when it was over
	h.setStateLocked(l, LinkConnecting)
}

func (h *Host) setStateLocked(l *link, state LinkState) {
	if l.state != state {
		l.state, l.since = state, time.Now()
	}
}

func (h *Host) linkUp(l *link, client *sam.PacketClient) {
	h.log.Info("frontend is up", "frontend", l.front.name())
	h.mu.Lock()
	defer h.mu.Unlock()
	l.live.Store(client)
	l.refuge = client.Refuge()
	if name := client.Frontend(); name != "" {
		l.seed = seedOf(name)
	}
	if client.Weight() != h.weightLocked() { // it changed meanwhile
		h.tellWeightByLocked(client)
	}
	l.connects.Add(1)
	h.setStateLocked(l, LinkUp)
	h.adoptStrandedLocked(l)
	select {
	case <-h.ready:
	default:
		close(h.ready)
	}
	close(h.someUp)
	h.someUp = make(chan struct{})
}

// linkLost takes l out of service and strands its remotes.
func (h *Host) linkLost(l *link) {
	h.mu.Lock()
	l.live.Store(nil)
	l.draining = false
	h.mu.Unlock()
	h.strand(l)
}

// linkFailed notes why l is not up, and logs it if that is news.
func (h *Host) linkFailed(l *link, err error) {
	state := LinkWaiting
	if refused(err) {
		state = LinkRefused
	}
	h.mu.Lock()
	news := l.reason == nil || l.reason.Error() != err.Error()
	l.reason = err
	h.setStateLocked(l, state)
	h.mu.Unlock()
	if news {
		h.log.Warn("frontend is not up, trying again", "frontend", l.front.name(), "state", state.String(), "error", err)
	}
}
