package balancer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
)

// GetStatus serves Status over the control service.
func (c control) GetStatus(context.Context, *controlpb.StatusRequest) (*controlpb.Status, error) {
	return c.balancer.Status(), nil
}

// Status is what the balancer knows right now.
func (b *Balancer) Status() *controlpb.Status {
	issued := b.issued()
	s := &controlpb.Status{
		Term:        issued.LastTerm,
		Destination: b.hash.Base32(),
		Epoch:       issued.Epoch,
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.cfg.Now()
	if b.refugeUntil.After(now) {
		s.RefugeUntilMs = b.wallLocked(b.refugeUntil).UnixMilli()
	}
	if s.Leader, s.Publishes = b.inOffice, b.publishes; s.Leader {
		leader := b.cfg.Store.Leader()
		s.LeaderName, s.LeaderAddress = leader.ID, leader.Addr
	}
	for _, name := range b.namesLocked() {
		s.Frontends = append(s.Frontends, b.statusOfLocked(b.frontends[name]))
	}
	if b.merged != nil {
		s.Merged = b.merged.status(b.poolsLocked(now))
		s.Publication = b.publicationLocked()
	}
	s.NetDb = b.netDBStatusLocked()
	return s
}

// publicationLocked is what became of merged.
func (b *Balancer) publicationLocked() *controlpb.Publication {
	p := &controlpb.Publication{AtMs: b.wallLocked(b.mergedAt).UnixMilli()}
	if !b.takenAt.IsZero() {
		p.TakenMs = b.wallLocked(b.takenAt).UnixMilli()
	}
	for _, name := range b.namesLocked() {
		f := b.frontends[name]
		if !f.publisher || !f.attached || !f.up {
			continue
		}
		p.Publishers = append(p.Publishers, name)
		if b.hasMergedLocked(f) {
			p.TakenBy = append(p.TakenBy, name)
		}
	}
	return p
}

// hasMergedLocked reports whether f is a publisher whose router was given merged.
func (b *Balancer) hasMergedLocked(f *frontend) bool {
	return f.publisher && b.merged != nil && f.installedSeq >= b.merged.install.Seq
}

func (b *Balancer) statusOfLocked(f *frontend) *controlpb.FrontendStatus {
	s := &controlpb.FrontendStatus{
		Name:         f.name,
		Member:       f.lists(),
		Publisher:    f.publisher,
		Attached:     f.attached,
		Up:           f.up,
		Leases:       leaseMessages(f.leases),
		InstalledSeq: f.installedSeq,
		Error:        f.failure,
		Draining:     f.drains(),
		DrainUntilMs: b.drainUntilMsLocked(f),
		Refuge:       f.refuge,
		Listed:       uint32(b.listedLocked(f)),
		ClockKnown:   f.clockKnown,
		ClockOffMs:   f.clockOff.Milliseconds(),
	}
	if f.own != nil {
		s.Own = f.own.describe()
	}
	return s
}

// listedLocked is how many of f's leases merged has.
func (b *Balancer) listedLocked(f *frontend) (count int) {
	if b.merged == nil {
		return 0
	}
	listed := tunnelsOf(b.merged.leaseSet.Leases)
	for _, l := range f.leases {
		if listed[keyOf(l)] {
			count++
		}
	}
	return count
}

// status describes s; pools tell how many routers its leases are of.
func (s *sealed) status(pools []pool) *controlpb.LeaseSetStatus {
	listed := tunnelsOf(s.leaseSet.Leases)
	routers := 0
	for _, p := range pools {
		if anyListed(p.leases, listed) {
			routers++
		}
	}
	described := s.describe()
	described.Routers, described.LeaseSet = uint32(routers), s.install.LeaseSet
	return described
}

// describe has what can be told of s alone.
func (s *sealed) describe() *controlpb.LeaseSetStatus {
	return &controlpb.LeaseSetStatus{
		Term:      s.install.Term,
		Seq:       s.install.Seq,
		Published: s.leaseSet.Published.Unix(),
		Expires:   s.leaseSet.Expires.Unix(),
		Leases:    uint32(len(s.leaseSet.Leases)),
	}
}

func anyListed(leases []i2p.Lease, listed map[tunnelKey]bool) bool {
	for _, l := range leases {
		if listed[keyOf(l)] {
			return true
		}
	}
	return false
}

// probeTime is how long a frontend has for a probe: two sessions on its
// router, each of which builds tunnels first.
const probeTime = 2 * time.Minute

// ErrNotAttached says that no frontend of that name is attached.
var ErrNotAttached = errors.New("frontend is not attached")

// Probe lets a frontend look what its router and the netDB really do: whether
// i2cp.dontPublishLeaseSet means what it says, and whether a stranger's lookup
// finds the Destination. It takes up to two minutes.
func (b *Balancer) Probe(ctx context.Context, name string) (*controlpb.ProbeReply, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	reply := make(chan *controlpb.ProbeReply, 1)
	if err := b.askProbe(name, reply); err != nil {
		return nil, err
	}
	select {
	case r := <-reply:
		if r.GetError() != "" {
			return nil, fmt.Errorf("probe by %s: %s", name, r.GetError())
		}
		return r, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("probe by %s: %w", name, ctx.Err())
	}
}

func (b *Balancer) askProbe(name string, reply chan *controlpb.ProbeReply) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.frontends[name]
	if f == nil || !f.attached {
		return fmt.Errorf("probe by %s: %w", name, ErrNotAttached)
	}
	b.probes++
	f.probe, f.probeID = reply, b.probes
	f.sendLocked(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Probe{
		Probe: &controlpb.Probe{Id: b.probes},
	}})
	return nil
}

// hearProbe passes the reply to who asked last; older ones have given up.
func (b *Balancer) hearProbe(f *frontend, reply *controlpb.ProbeReply) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f.probe != nil && reply.GetId() == f.probeID {
		f.probe <- reply
		f.probe = nil
	}
}
