package frontend

import "time"

// reserveAhead is how long before a LeaseSet runs out its reserve takes its
// place: i2pd counts a lease as near its end 51 s before it, looks for others,
// and asks the netDB.
const reserveAhead = 55 * time.Second

// While no balancer can be reached the router goes on with the reserve: a
// LeaseSet that was signed together with the one that it holds, is newer, and
// lists the same tunnels for as long as they live, up to ten minutes.
//
//	served by a leader --reserveAhead before the end--> on reserve --Install--> served
//
// Lives that long in the LeaseSets of every day would have remotes hold on to a
// router that is lost for as long.

// awaitReserveLocked begins the wait for a newer LeaseSet than k.held.
func (k *keeper) awaitReserveLocked() {
	if k.reserveTimer != nil {
		k.reserveTimer.Stop()
		k.reserveTimer = nil
	}
	k.onReserve = false
	if held := k.held; held.reserve != nil {
		at := time.Until(held.parsed.Expires.Add(-reserveAhead))
		k.reserveTimer = time.AfterFunc(max(0, at), func() { k.useReserve(held) })
	}
}

// useReserve puts held's reserve in its place, if that is held still.
func (k *keeper) useReserve(held *leaseSet) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held != held || k.stopped {
		return
	}
	if err := k.takeLocked(held.reserve); err != nil {
		k.log.Warn("reserve LeaseSet not given to the router", "err", err)
		return
	}
	k.onReserve = true
	k.log.Warn("no balancer has sent a newer LeaseSet: the router goes on with the reserve", "expires", k.held.parsed.Expires)
}

// stop ends the timers.
func (k *keeper) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopped = true
	for _, timer := range []*time.Timer{k.reserveTimer, k.last, k.bundling} {
		if timer != nil {
			timer.Stop()
		}
	}
}
