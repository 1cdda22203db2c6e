package balancer

import (
	"context"
	"crypto/ecdh"
	"crypto/sha256"
	"errors"
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
	key      *ecdh.PrivateKey // of draft.epoch
	leaseSet *i2p.LeaseSet2
	reserve  *i2p.LeaseSet2 // of the same tunnels; see controlpb.Reserve
	install  *controlpb.Install
}

// issue commits the drafts in one step, signs exactly what was committed and
// returns it. A balancer that does not lead any more cannot commit, and so
// signs nothing.
func (b *Balancer) issue(ctx context.Context, drafts []draft, now time.Time) ([]sealed, error) {
	made, records, err := b.build(drafts, now)
	if err != nil {
		return nil, err
	}
	result, err := b.cfg.Store.Apply(ctx, raftstate.Issue(b.hash, records...))
	if err != nil {
		return nil, fmt.Errorf("commit %d LeaseSets: %w", len(drafts), err)
	}
	for i := range made {
		if err := b.sign(&made[i], result.Term); err != nil {
			return nil, err
		}
	}
	return made, nil
}

// maxDrafts is how many drafts fit into one Issue: each has its reserve.
const maxDrafts = raftstate.MaxRecords / 2

// build makes the LeaseSets of drafts and, one newer each, their reserves, in
// which leases live as long as their tunnels; and the records of all.
func (b *Balancer) build(drafts []draft, now time.Time) ([]sealed, []raftstate.Record, error) {
	b.mu.Lock()
	now = b.wallLocked(now)
	b.mu.Unlock()
	seq, published := b.issued().Next(now)
	keys, err := b.epochKeys(drafts)
	if err != nil {
		return nil, nil, err
	}
	made := make([]sealed, len(drafts))
	records := make([]raftstate.Record, 0, 2*len(drafts))
	add := func(d draft, key *ecdh.PrivateKey) (*i2p.LeaseSet2, error) {
		n := uint32(len(records))
		leaseSet := b.leaseSet(d, key, now, time.Unix(int64(published+n), 0))
		body, err := leaseSet.AppendBody(nil)
		records = append(records, raftstate.Record{
			Seq:       seq + uint64(n),
			Published: published + n,
			Expires:   uint32(leaseSet.Expires.Unix()),
			Frontend:  d.frontend,
			Digest:    sha256.Sum256(body),
		})
		return leaseSet, err
	}
	for i, d := range drafts {
		s := &made[i]
		s.draft, s.install = d, &controlpb.Install{Merged: d.merged(), Seq: seq + uint64(len(records))}
		var err, reserveErr error
		s.key = keys[d.epoch]
		s.leaseSet, err = add(d, s.key)
		d.life = i2p.MaxLeaseSetLife
		s.install.Reserve = &controlpb.Reserve{Seq: s.install.Seq + 1}
		s.reserve, reserveErr = add(d, s.key)
		if err := errors.Join(err, reserveErr); err != nil {
			return nil, nil, err
		}
	}
	return made, records, nil
}

// epochKeys are the keys of the drafts' epochs.
func (b *Balancer) epochKeys(drafts []draft) (map[uint64]*ecdh.PrivateKey, error) {
	keys := map[uint64]*ecdh.PrivateKey{}
	for _, d := range drafts {
		if keys[d.epoch] != nil {
			continue
		}
		key, err := b.cfg.Keys.EpochKey(d.epoch)
		if err != nil {
			return nil, fmt.Errorf("key of epoch %d: %w", d.epoch, err)
		}
		keys[d.epoch] = key
	}
	return keys, nil
}

// leaseSet is the unsigned LeaseSet of d, dated by a clock that reads now.
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
func (b *Balancer) sign(s *sealed, term uint64) error {
	var err, reserveErr error
	s.install.LeaseSet, err = s.leaseSet.Sign(b.cfg.Keys)
	s.install.Reserve.LeaseSet, reserveErr = s.reserve.Sign(b.cfg.Keys)
	if err := errors.Join(err, reserveErr); err != nil {
		return err
	}
	s.install.Term, s.install.Generation = term, b.generation
	s.install.Keys = []*controlpb.PrivateKey{{Type: uint32(i2p.CryptoX25519), Key: s.key.Bytes()}}
	return nil
}
