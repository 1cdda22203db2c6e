package frontend

import (
	"errors"
	"fmt"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// A leaseSet is one that a leader signed.
type leaseSet struct {
	place   fence
	merged  bool // it is the publishers', not the router's own
	raw     []byte
	keys    []i2cp.PrivateKey
	parsed  *i2p.LeaseSet2
	told    bool      // its leader knows that the router got it
	reserve *leaseSet // takes its place if no balancer is there in time; may be nil
}

// parseInstall reads and verifies what a leader hands out.
func parseInstall(m *controlpb.Install) (*leaseSet, error) {
	l := &leaseSet{place: fence{m.GetGeneration(), m.GetTerm(), m.GetSeq()}, merged: m.GetMerged(), raw: m.GetLeaseSet()}
	for _, key := range m.GetKeys() {
		l.keys = append(l.keys, i2cp.PrivateKey{Type: i2p.CryptoType(key.GetType()), Key: key.GetKey()})
	}
	if err := l.parse(); err != nil {
		return nil, fmt.Errorf("LeaseSet from the balancer: %w", err)
	}
	if r := m.GetReserve(); r != nil {
		reserve := *l
		reserve.place.Seq, reserve.raw = r.GetSeq(), r.GetLeaseSet()
		if err := reserve.parse(); err != nil {
			return nil, fmt.Errorf("reserve LeaseSet from the balancer: %w", err)
		}
		l.reserve = &reserve
	}
	return l, nil
}

// parse verifies raw and sets parsed.
func (l *leaseSet) parse() error {
	parsed, n, err := i2p.ParseLeaseSet2(l.raw)
	switch {
	case err != nil:
		return err
	case n != len(l.raw):
		return fmt.Errorf("LeaseSet2 with %d bytes after it: %w", len(l.raw)-n, i2p.ErrInvalid)
	}
	l.parsed = parsed
	return parsed.Verify()
}

// install takes a LeaseSet from the leader and gives it to the router, now or
// when it asks; events.installed says when. An error says that it is refused
// and nothing has changed.
func (k *keeper) install(l *leaseSet) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.parsed.Destination != k.dest {
		return fmt.Errorf("%w: LeaseSet of %s", errOtherDestination, l.parsed.Destination.Base32())
	}
	err := k.takeLocked(l)
	if err != nil {
		k.noteLocked("LeaseSet refused", l, err)
	}
	return err
}

// takeLocked gives the router l, if there is a session, and holds it.
func (k *keeper) takeLocked(l *leaseSet) error {
	if err := k.raiseLocked(l.place); err != nil {
		return err
	}
	err := i2cp.ErrNoSession
	if k.up {
		err = k.giveLocked(l)
	}
	if err != nil && !errors.Is(err, i2cp.ErrNoSession) && !errors.Is(err, i2cp.ErrTooEarly) {
		return err
	}
	k.held = l
	k.awaitReserveLocked()
	k.noteLocked("LeaseSet taken", l, nil)
	return nil
}

// noteLocked logs what became of l, for who follows each LeaseSet.
func (k *keeper) noteLocked(what string, l *leaseSet, err error) {
	k.log.Debug(what, "generation", l.place.Generation, "term", l.place.Term, "seq", l.place.Seq,
		"merged", l.merged, "published", l.parsed.Published.Unix(), "err", err)
}

// report is the pool as the balancers want it.
func (k *keeper) report() *controlpb.Pool {
	k.mu.Lock()
	defer k.mu.Unlock()
	m := &controlpb.Pool{Up: k.up, Requested: k.asked}
	for _, l := range k.pool {
		m.Leases = append(m.Leases, &controlpb.Lease{Gateway: l.Gateway[:], TunnelId: l.Tunnel, EndMs: l.End.UnixMilli()})
	}
	return m
}

// describe fills in what a keeper knows.
func (k *keeper) describe(s *Status) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.dest.IsZero() {
		s.Destination = k.dest.Base32()
	}
	s.RouterUp, s.Serving = k.up, k.up && k.served
	s.Pool = append([]i2p.Lease(nil), k.pool...)
	if k.held != nil {
		s.Generation, s.Term, s.Seq = k.held.place.Generation, k.held.place.Term, k.held.place.Seq
		s.Expires, s.OnReserve = k.held.parsed.Expires, k.onReserve
	}
	s.FenceError = k.fenceError
}
