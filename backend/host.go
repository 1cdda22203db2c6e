package backend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/owner"
)

// A Host holds one Destination's links to its frontends, and the streams and
// PacketConns above them. Its methods may be called by many goroutines.
type Host struct {
	cfg   Config
	log   *slog.Logger
	links []*link
	// self is the Destination once it is known.
	self  atomic.Pointer[self]
	ids   atomic.Pointer[owner.IDs] // nil until a frontend tells named backends apart
	ready chan struct{}             // closed when the first link is up
	stop  chan struct{}             // closed when Run ends
	kick  chan struct{}             // there are new hellos to say

	unclaimed, invalid, overflow atomic.Uint64

	mu      sync.Mutex
	running bool
	weight  int           // see SetWeight
	listens bool          // a port was opened
	someUp  chan struct{} // closed, and replaced, when a link comes up
	// remotes are known by signatures, hearsay by what unsigned datagrams
	// claim or the netDB says. They are kept apart so that nobody can drive
	// out or lead astray a remote by sending in its name.
	remotes, hearsay     *remotes
	rescues              rescues
	greetings            greetings
	lost, moved, stalled uint64
	stalls               stalls
	visits               []visit // oldest first

	ports portTable
	loop  loop
}

// NewHost returns a Host that does nothing until Run. An error is ErrConfig.
func NewHost(cfg Config) (*Host, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	h := &Host{
		cfg:     cfg,
		log:     cfg.Logger.With("part", "backend"),
		ready:   make(chan struct{}),
		stop:    make(chan struct{}),
		kick:    make(chan struct{}, 1),
		someUp:  make(chan struct{}),
		remotes: newRemotes(cfg.MaxRemotes),
		hearsay: newRemotes(cfg.MaxRemotes),
		weight:  cfg.Weight,
	}
	h.rescues = newRescues(cfg.HelloRate, h.newID)
	if !cfg.Destination.IsZero() {
		if err := h.adopt(cfg.Destination); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
	}
	for i, f := range cfg.Frontends {
		h.links = append(h.links, newLink(h, i, f))
	}
	return h, nil
}

// Run connects to the frontends and keeps to them until ctx ends, which is no
// error. All PacketConns are closed then, and all streams reset: before the
// links, which carry the resets. It can be called once.
func (h *Host) Run(ctx context.Context) error {
	h.mu.Lock()
	again := h.running
	h.running = true
	h.mu.Unlock()
	if again {
		return errors.New("backend: Run was called before: make a new Host")
	}
	defer h.cfg.Neighbors.join(h)()
	linkCtx, stopLinks := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLinks()
	var group sync.WaitGroup
	for _, l := range h.links {
		group.Go(func() { l.run(linkCtx) })
	}
	group.Go(func() { h.tendRescues(ctx) })
	group.Go(func() { h.sweep(ctx) })
	if h.cfg.signs() {
		group.Go(func() { h.tendVisits(ctx) })
	}
	<-ctx.Done()
	close(h.stop)
	h.ports.closeAll()
	if stack := h.stack(); stack != nil {
		stack.Close()
	}
	stopLinks()
	group.Wait()
	return nil
}

// sweep forgets remotes that were not heard for long, and says again what was not
// taken. Looking one up does not mind those that are overdue, so a coarse pace will do.
func (h *Host) sweep(ctx context.Context) {
	ticker := time.NewTicker(max(h.cfg.RemoteIdle/10, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			h.forget(h.remotes, now)
			h.forget(h.hearsay, now)
			h.tellWeightAgain()
		}
	}
}

// forget drops the remotes of t that are overdue. One that has a stream, if an
// idle one, counts as heard. The Stack is asked without the lock.
func (h *Host) forget(t *remotes, now time.Time) {
	since := now.Add(-h.cfg.RemoteIdle)
	h.mu.Lock()
	overdue := t.unheard(since)
	h.mu.Unlock()
	stack := h.stack()
	for _, r := range overdue {
		keep := stack != nil && stack.Streams(r.hash) > 0
		h.mu.Lock()
		switch {
		case t.byHash[r.hash] != r || !r.heard.Before(since): // gone, or heard meanwhile
		case keep:
			t.touch(r.hash, now, h.forgetLocked)
		default:
			t.drop(r, h.forgetLocked)
		}
		h.mu.Unlock()
	}
}

// WaitReady waits until a first frontend is up and, with Config.Credentials,
// these have a permission to sign, or fails with ctx or the Host.
func (h *Host) WaitReady(ctx context.Context) error {
	select {
	case <-h.ready:
		return h.waitPermission(ctx)
	case <-h.stop:
		return net.ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("wait for a frontend: %w", context.Cause(ctx))
	}
}

// waitPermission waits until Credentials can sign. The Destination is known.
func (h *Host) waitPermission(ctx context.Context) error {
	if h.cfg.Credentials == nil {
		return nil
	}
	for {
		changed := h.cfg.Credentials.Changed()
		_, err := h.self.Load().newest()
		if err == nil {
			return nil
		}
		select {
		case <-changed:
		case <-h.stop:
			return net.ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("wait for a permission: %w; %w", err, context.Cause(ctx))
		}
	}
}

// Destination is the one that all frontends serve; zero until it is known,
// which it is after WaitReady.
func (h *Host) Destination() i2p.Destination {
	if s := h.self.Load(); s != nil {
		return s.Destination
	}
	return i2p.Destination{}
}

// Logger is Config.Logger.
func (h *Host) Logger() *slog.Logger { return h.cfg.Logger }

// Stats is a snapshot.
func (h *Host) Stats() Stats {
	s := Stats{
		Destination: h.Destination(),
		Name:        h.cfg.Name, Standby: h.cfg.Standby,
		Unclaimed: h.unclaimed.Load(),
		Invalid:   h.invalid.Load(),
		Overflow:  h.overflow.Load(),
	}
	if self := h.self.Load(); self != nil {
		s.SignsUntil, s.Unsigned = self.until(), self.unsigned.Load()
	}
	if stack := h.stack(); stack != nil {
		s.Streams = stack.Stats()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s.Weight = h.weightLocked()
	s.Lost, s.Moved, s.Stalled, s.Stalls = h.lost, h.moved, h.stalled, h.stalls.stats()
	for _, l := range h.links {
		s.Frontends = append(s.Frontends, l.statsLocked())
	}
	for _, r := range h.rescues.byID {
		if r.answered || r.drain {
			continue
		}
		s.Stranded++
		if r.via != nil {
			s.Frontends[r.via.index].Stranded++
		}
	}
	for _, t := range []*remotes{h.remotes, h.hearsay} {
		s.Remotes += len(t.byHash)
		for _, r := range t.byHash {
			if r.link != nil {
				s.Frontends[r.link.index].Remotes++
			}
		}
	}
	return s
}
