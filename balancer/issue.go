package balancer

import (
	"context"
	"crypto/ecdh"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate"
)

// A draft is a LeaseSet that is due but has no `published` yet.
type draft struct {
	// frontend is the member whose own LeaseSet it is; empty for the merged one.
	frontend string
	leases   []i2p.Lease
	life     time.Duration
	epoch    uint64
}

func (d draft) merged() bool { return d.frontend == "" }

// A sealed LeaseSet is one that was committed and signed.
type sealed struct {
	draft
	leaseSet *i2p.LeaseSet2
	install  *controlpb.Install
}

// issue commits the drafts in one step, signs exactly what was committed and
// returns it. A balancer that does not lead any more cannot commit, and so
// signs nothing.
func (b *Balancer) issue(ctx context.Context, drafts []draft, now time.Time) ([]sealed, error) {
	key, err := b.cfg.Keys.EpochKey(b.issued().Epoch)
	if err != nil {
		return nil, fmt.Errorf("key of the epoch: %w", err)
	}
	made, records, err := b.build(drafts, key, now)
	if err != nil {
		return nil, err
	}
	result, err := b.cfg.Store.Apply(ctx, raftstate.Issue(b.hash, records...))
	if err != nil {
		return nil, fmt.Errorf("commit %d LeaseSets: %w", len(drafts), err)
	}
	for i := range made {
		if err := b.sign(&made[i], result.Term, key); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// build makes the LeaseSets of drafts, each newer than the one before, and
// their records.
func (b *Balancer) build(drafts []draft, key *ecdh.PrivateKey, now time.Time) ([]sealed, []raftstate.Record, error) {
	seq, published := b.issued().Next(now)
	made := make([]sealed, len(drafts))
	records := make([]raftstate.Record, len(drafts))
	for i, d := range drafts {
		n := uint32(i)
		leaseSet := b.leaseSet(d, key, now, time.Unix(int64(published+n), 0))
		body, err := leaseSet.AppendBody(nil)
		if err != nil {
			return nil, nil, err
		}
		install := &controlpb.Install{Seq: seq + uint64(n), Merged: d.merged()}
		made[i] = sealed{draft: d, leaseSet: leaseSet, install: install}
		records[i] = raftstate.Record{
			Seq:       install.Seq,
			Published: published + n,
			Expires:   uint32(leaseSet.Expires.Unix()),
			Frontend:  d.frontend,
			Digest:    sha256.Sum256(body),
		}
	}
	return made, records, nil
}

// leaseSet is the unsigned LeaseSet of d.
func (b *Balancer) leaseSet(d draft, key *ecdh.PrivateKey, now, published time.Time) *i2p.LeaseSet2 {
	leases := clip(d.leases, now.Add(d.life))
	shuffle(leases)
	expires := published
	for _, l := range leases {
		expires = later(expires, l.End)
	}
	expires = expires.Truncate(time.Second)
	if limit := published.Add(i2p.MaxLeaseSetLife); expires.After(limit) {
		expires = limit
	}
	return &i2p.LeaseSet2{
		Destination: b.cfg.Keys.Destination,
		Published:   published,
		Expires:     expires,
		Keys:        []i2p.EncryptionKey{{Type: i2p.CryptoX25519, Key: key.PublicKey().Bytes()}},
		Leases:      leases,
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// sign completes s as committed in the given term.
func (b *Balancer) sign(s *sealed, term uint64, key *ecdh.PrivateKey) error {
	signed, err := s.leaseSet.Sign(b.cfg.Keys)
	if err != nil {
		return err
	}
	s.install.Term = term
	s.install.LeaseSet = signed
	s.install.Keys = []*controlpb.PrivateKey{{Type: uint32(i2p.CryptoX25519), Key: key.Bytes()}}
	return nil
}
