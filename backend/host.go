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
)

// A Host holds one Destination's links to its frontends, and the PacketConns
// above them. Its methods may be called by many goroutines.
type Host struct {
	cfg   Config
	log   *slog.Logger
	links []*link
	// self is the Destination once it is known.
	self  atomic.Pointer[self]
	ready chan struct{} // closed when the first link is up
	stop  chan struct{} // closed when Run ends
	kick  chan struct{} // there are new hellos to say

	unclaimed, invalid, overflow atomic.Uint64

	mu      sync.Mutex
	running bool
	// remotes are known by signatures, hearsay by what unsigned datagrams
	// claim or the netDB says. They are kept apart so that nobody can drive
	// out or lead astray a remote by sending in its name.
	remotes, hearsay    *remotes
	rescues             rescues
	lost, moved, stalls uint64

	ports portTable
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
		remotes: newRemotes(cfg.MaxRemotes),
		hearsay: newRemotes(cfg.MaxRemotes),
		rescues: newRescues(cfg.HelloRate),
	}
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
// error. All PacketConns are closed then. It can be called once.
func (h *Host) Run(ctx context.Context) error {
	h.mu.Lock()
	again := h.running
	h.running = true
	h.mu.Unlock()
	if again {
		return errors.New("backend: Run was called before: make a new Host")
	}
	var group sync.WaitGroup
	for _, l := range h.links {
		group.Go(func() { l.run(ctx) })
	}
	group.Go(func() { h.sayHellos(ctx) })
	group.Go(func() { h.sweep(ctx) })
	<-ctx.Done()
	close(h.stop)
	h.ports.closeAll()
	group.Wait()
	return nil
}

// sweep forgets remotes that were not heard for long. Looking one up does not
// mind those that are overdue, so a coarse pace will do.
func (h *Host) sweep(ctx context.Context) {
	ticker := time.NewTicker(max(h.cfg.RemoteIdle/10, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			h.mu.Lock()
			for _, t := range []*remotes{h.remotes, h.hearsay} {
				t.expire(now.Add(-h.cfg.RemoteIdle), h.forgetLocked)
			}
			h.mu.Unlock()
		}
	}
}

// WaitReady waits until a first frontend is up, or fails with ctx or the Host.
func (h *Host) WaitReady(ctx context.Context) error {
	select {
	case <-h.ready:
		return nil
	case <-h.stop:
		return net.ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("wait for a frontend: %w", context.Cause(ctx))
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

// Lookup resolves a b32 address or a host name through one of the frontends.
// It fails with ErrNoFrontend, or as sam.PacketClient.Lookup does.
func (h *Host) Lookup(ctx context.Context, name string) (i2p.Destination, error) {
	client := h.anyClient()
	if client == nil {
		return i2p.Destination{}, fmt.Errorf("look up %.60q: %w", name, ErrNoFrontend)
	}
	return client.Lookup(ctx, name)
}

// Stats is a snapshot.
func (h *Host) Stats() Stats {
	s := Stats{
		Destination: h.Destination(),
		Unclaimed:   h.unclaimed.Load(),
		Invalid:     h.invalid.Load(),
		Overflow:    h.overflow.Load(),
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s.Lost, s.Moved, s.Stalled = h.lost, h.moved, h.stalls
	s.Stranded = len(h.rescues.byNonce)
	for _, l := range h.links {
		s.Frontends = append(s.Frontends, l.statsLocked())
	}
	for _, t := range []*remotes{h.remotes, h.hearsay} {
		s.Remotes += len(t.byHash)
		for _, r := range t.byHash {
			if r.link == nil {
				continue
			}
			s.Frontends[r.link.index].Remotes++
			if r.rescue != nil {
				s.Frontends[r.link.index].Stranded++
			}
		}
	}
	return s
}
