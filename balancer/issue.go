package balancer

import (
	"context"
	"crypto/ecdh"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/ledger"
)

// A draft is a LeaseSet that is due but has no `published` yet.
type draft struct {
	// frontend is the member whose own LeaseSet it is; empty for the merged one.
	frontend string
	leases   []i2p.Lease
	life     time.Duration
	epoch    uint64
	late     bool // it is this member's turn to have a reserve
}

func (d draft) merged() bool { return d.frontend == "" }

// A sealed LeaseSet is one that was committed and signed.
type sealed struct {
	draft
	key      *ecdh.PrivateKey // of draft.epoch
	leaseSet *i2p.LeaseSet2
	reserve  *i2p.LeaseSet2 // of the same tunnels; see controlpb.Reserve; nil: there is none
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
	result, err := b.cfg.Store.Apply(ctx, ledger.Issue(b.hash, records...))
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
const maxDrafts = ledger.MaxRecords / 2

// reserveAhead is how far `published` may be ahead of the clock for a LeaseSet to
// get a reserve, and lateAhead the same if it is late: the one before had none, and
// it was that member's turn, which comes every lateEach times their number: so
// those who are renewed first do not take them all. Where members are lost one after the other all LeaseSets are renewed each time; with
// twice as many dates the newer ones, which hellos need, would have to wait
// (MaxAhead).
const (
	reserveAhead = 5 * time.Second
	lateAhead    = 15 * time.Second
	lateEach     = 4 * perIssue
)

// build makes the LeaseSets of drafts, with the reserve of each if there is time
// for that, and the records of all.
func (b *Balancer) build(drafts []draft, now time.Time) ([]sealed, []ledger.Record, error) {
	b.mu.Lock()
	now = b.wallLocked(now)
	b.mu.Unlock()
	keys, err := b.epochKeys(drafts)
	if err != nil {
		return nil, nil, err
	}
	order := &order{b: b, now: now}
	order.seq, order.published = b.issued().Next(now)
	made := make([]sealed, len(drafts))
	for i, d := range drafts {
		made[i] = sealed{draft: d, key: keys[d.epoch], install: &controlpb.Install{Merged: d.merged()}}
		if err := order.place(&made[i]); err != nil {
			return nil, nil, err
		}
	}
	return made, order.records, nil
}

// An order gives LeaseSets their places, each newer than the one before.
type order struct {
	b         *Balancer
	now       time.Time
	seq       uint64 // of the next
	published uint32
	records   []ledger.Record
}

// place makes s's LeaseSet, and if there is time for it the reserve, one newer,
// in which leases live as long as their tunnels.
func (o *order) place(s *sealed) (err error) {
	most := reserveAhead
	if s.late {
		most = lateAhead
	}
	ahead := time.Unix(int64(o.published), 0).Sub(o.now)
	s.install.Seq = o.seq
	if s.leaseSet, err = o.add(s.draft, s.key); err != nil || ahead > most {
		return err
	}
	s.install.Reserve = &controlpb.Reserve{Seq: o.seq}
	longer := s.draft
	longer.life = i2p.MaxLeaseSetLife
	s.reserve, err = o.add(longer, s.key)
	return err
}

func (o *order) add(d draft, key *ecdh.PrivateKey) (*i2p.LeaseSet2, error) {
	leaseSet := o.b.leaseSet(d, key, o.now, time.Unix(int64(o.published), 0))
	body, err := leaseSet.AppendBody(nil)
	o.records = append(o.records, ledger.Record{
		Seq: o.seq, Published: o.published, Expires: uint32(leaseSet.Expires.Unix()),
		Frontend: d.frontend, Digest: sha256.Sum256(body),
	})
	o.seq++
	o.published++
	return leaseSet, err
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
		Offline:     b.cfg.Keys.Offline,
		Options:     b.cfg.LeaseSet,
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
	var err error
	if s.install.LeaseSet, err = s.leaseSet.Sign(b.cfg.Keys); err != nil {
		return err
	}
	if s.reserve != nil {
		if s.install.Reserve.LeaseSet, err = s.reserve.Sign(b.cfg.Keys); err != nil {
			return err
		}
	}
	s.install.Term, s.install.Generation = term, b.generation
	s.install.Keys = []*controlpb.PrivateKey{{Type: uint32(i2p.CryptoX25519), Key: s.key.Bytes()}}
	return nil
}
