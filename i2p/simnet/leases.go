package simnet

import (
	"time"

	"github.com/onelease/onelease/i2p"
)

// remoteLeases is what a destination knows of another's LeaseSet.
type remoteLeases struct {
	hash      i2p.Hash
	raw       []byte
	published time.Time
	until     time.Time // the latest of `expires` and the leases' ends
	static    staticKey
	leases    []*remoteLease
}

// A remoteLease outlives its LeaseSet while a path holds it; its end is then
// zero (i2pd LeaseSet.cpp, UpdateLeasesEnd).
type remoteLease struct {
	key tunnelKey
	end time.Time
}

// findLeaseSetLocked returns the known LeaseSet of hash, and looks it up again
// if it ends soon (i2pd Destination.cpp, FindLeaseSet).
func (d *destination) findLeaseSetLocked(hash i2p.Hash) *remoteLeases {
	remote := d.remotes[hash]
	if remote == nil {
		return nil
	}
	left := time.Until(remote.until)
	if left < -d.profile().Leases.Outlives || len(remote.leases) == 0 {
		delete(d.remotes, hash)
		return nil
	}
	if left <= d.profile().Leases.Soon {
		d.lookupLocked(hash, nil)
	}
	return remote
}

// takeLeaseSetLocked stores a LeaseSet that the netDB returned or that a
// message on session from brought. One already known gives way only to a
// newer `published` (i2pd Destination.cpp, HandleDatabaseStoreMessage).
func (d *destination) takeLeaseSetLocked(raw []byte, from *ratchet) {
	ls, _, err := i2p.ParseLeaseSet2(raw)
	if err != nil || ls.Destination == d.dest {
		return
	}
	hash := ls.Destination.Hash()
	known := d.remotes[hash]
	if known != nil && !ls.Published.After(known.published) {
		return
	}
	static, ok := x25519Of(ls)
	if _, err := checkLeaseSet(raw); err != nil || !ok {
		delete(d.remotes, hash)
		return
	}
	if known == nil {
		if from != nil && d.profile().Ratchet.ChecksBundledKey && from.remote != static {
			return
		}
		known = &remoteLeases{hash: hash}
		d.remotes[hash] = known
	}
	known.update(raw, ls, static, d.profile().Leases.Grace)
}

// update replaces what is known. Leases that stay are the same values, so
// that paths which hold them go on; the others end.
func (r *remoteLeases) update(raw []byte, ls *i2p.LeaseSet2, static staticKey, grace time.Duration) {
	r.raw, r.published, r.until, r.static = raw, ls.Published, ls.Expires, static
	old := map[tunnelKey]*remoteLease{}
	for _, lease := range r.leases {
		old[lease.key] = lease
	}
	r.leases = nil
	for _, l := range ls.Leases {
		if time.Now().After(l.End.Add(grace)) {
			continue
		}
		key := tunnelKey{l.Gateway, l.Tunnel}
		lease := old[key]
		if lease == nil {
			lease = &remoteLease{key: key}
		}
		delete(old, key)
		lease.end = l.End
		r.leases = append(r.leases, lease)
		if l.End.After(r.until) {
			r.until = l.End
		}
	}
	for _, lease := range old {
		lease.end = time.Time{}
	}
}

// chooseLeaseLocked draws a lease; nil if all have ended. If none has much
// life left it takes any (i2pd I2CP.cpp, SendMsg).
func (d *destination) chooseLeaseLocked(remote *remoteLeases) *remoteLease {
	rules := &d.profile().Leases
	leases := remote.endingAfter(time.Now().Add(rules.NearEnd - rules.PastEnd))
	if len(leases) == 0 {
		if rules.NearLooksUp {
			d.lookupLocked(remote.hash, nil)
		}
		leases = remote.endingAfter(time.Now().Add(-rules.Grace))
	}
	if len(leases) == 0 {
		return nil
	}
	return leases[d.rng.IntN(len(leases))]
}

func (r *remoteLeases) endingAfter(t time.Time) []*remoteLease {
	var leases []*remoteLease
	for _, lease := range r.leases {
		if lease.end.After(t) {
			leases = append(leases, lease)
		}
	}
	return leases
}
