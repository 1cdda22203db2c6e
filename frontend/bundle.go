package frontend

import "time"

// bundleGap is the least time between two LeaseSets that are given again for
// newcomers. i2pd takes in one every 200 ms (2.55 and later).
const bundleGap = 200 * time.Millisecond

// newcomer has the router bundle its own LeaseSet with what it sends next.
//
// i2pd bundles it with the first reply of a session that it began, but not of
// one that another began (ECIESX25519AEADRatchetSession's attachLeaseSetNS is
// false there): it waits for the next LeaseSet, up to Policy.OwnRefresh. Until
// then a newcomer knows only the merged one. If it resends meanwhile, it picks
// a lease anew, mostly another router's, where nobody knows its session. To give
// the same LeaseSet again counts as the next.
func (k *keeper) newcomer() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.bundling != nil {
		k.bundle = true
		return
	}
	k.bundleLocked()
	k.bundling = time.AfterFunc(bundleGap, k.nextBundle)
}

// nextBundle serves those that came within the gap.
func (k *keeper) nextBundle() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bundling = nil
	if !k.bundle {
		return
	}
	k.bundle = false
	k.bundleLocked()
	k.bundling = time.AfterFunc(bundleGap, k.nextBundle)
}

// bundleLocked leaves publishers alone: each LeaseSet restarts the 20 s that
// they put publishing off by.
func (k *keeper) bundleLocked() {
	if !k.up || !k.served || k.held == nil || k.held.merged || !k.freshLocked(time.Now()) {
		return
	}
	if err := k.giveLocked(k.held); err != nil {
		k.log.Debug("LeaseSet not given again for a newcomer", "err", err)
	}
}
