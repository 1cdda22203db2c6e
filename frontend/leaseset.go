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
	term, seq uint64
	merged    bool // it is the publishers', not the router's own
	raw       []byte
	keys      []i2cp.PrivateKey
	parsed    *i2p.LeaseSet2
	told      bool // its leader knows that the router got it
}

// parseInstall reads and verifies what a leader hands out.
func parseInstall(m *controlpb.Install) (*leaseSet, error) {
	parsed, n, err := i2p.ParseLeaseSet2(m.GetLeaseSet())
	if err == nil && n != len(m.GetLeaseSet()) {
		err = fmt.Errorf("LeaseSet2 with %d bytes after it: %w", len(m.GetLeaseSet())-n, i2p.ErrInvalid)
	}
	if err == nil {
		err = parsed.Verify()
	}
	if err != nil {
		return nil, fmt.Errorf("LeaseSet from the balancer: %w", err)
	}
	l := &leaseSet{term: m.GetTerm(), seq: m.GetSeq(), merged: m.GetMerged(), raw: m.GetLeaseSet(), parsed: parsed}
	for _, key := range m.GetKeys() {
		l.keys = append(l.keys, i2cp.PrivateKey{Type: i2p.CryptoType(key.GetType()), Key: key.GetKey()})
	}
	return l, nil
}

// olderThan compares terms, then places in the order.
func (l *leaseSet) olderThan(o *leaseSet) bool {
	return l.term < o.term || l.term == o.term && l.seq < o.seq
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
	if k.held != nil && l.olderThan(k.held) {
		return fmt.Errorf("%w: term %d, seq %d, after term %d, seq %d", ErrOlder, l.term, l.seq, k.held.term, k.held.seq)
	}
	err := i2cp.ErrNoSession
	if k.up {
		err = k.giveLocked(l)
	}
	if err != nil && !errors.Is(err, i2cp.ErrNoSession) && !errors.Is(err, i2cp.ErrTooEarly) {
		return err
	}
	k.held = l
	return nil
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
		s.Term, s.Seq, s.Expires = k.held.term, k.held.seq, k.held.parsed.Expires
	}
}
