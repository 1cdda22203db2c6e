package cluster_test

import (
	"fmt"
	"time"
)

// sameDateLocked finds LeaseSets that differ and have the same date.
func (h *history) sameDateLocked() (faults []string) {
	byDate := map[int64]string{}
	for _, s := range h.seen {
		if other, known := byDate[s.published]; known && other != s.raw {
			faults = append(faults, fmt.Sprintf("two LeaseSets were published at %d", s.published))
		}
		byDate[s.published] = s.raw
	}
	placeOf := map[int64]place{}
	for _, o := range h.offers {
		if other, known := placeOf[o.published]; known && other != o.place {
			faults = append(faults, fmt.Sprintf("LeaseSets %v and %v have the same date %d", other, o.place, o.published))
		}
		placeOf[o.published] = o.place
	}
	return faults
}

// fallingLocked finds routers, and the netDB, that were brought back to an older
// LeaseSet.
func (h *history) fallingLocked() (faults []string) {
	last := map[string]int64{}
	for _, s := range h.seen {
		if s.published < last[s.where] {
			faults = append(faults, fmt.Sprintf("%s: a LeaseSet of %d after one of %d", s.where, s.published, last[s.where]))
		}
		last[s.where] = s.published
	}
	return faults
}

// lossGrace is how long after a router was killed a merged LeaseSet may still
// list it: its frontend notices, and another leader may have to take over, which
// waits for frontends of an earlier one.
const lossGrace = 12 * time.Second

// deadLocked finds merged LeaseSets that were taken after a router was lost, and
// list it.
func (h *history) deadLocked() (faults []string) {
	for _, o := range h.offers {
		for _, l := range h.losses {
			if o.merged && !o.refused && o.at.After(l.at.Add(lossGrace)) && h.listsLocked(o.published, l) {
				faults = append(faults, fmt.Sprintf("%s: LeaseSet %v of %v after a router was lost lists it",
					o.frontend, o.place, o.at.Sub(l.at).Round(time.Millisecond)))
			}
		}
	}
	return faults
}

func (h *history) listsLocked(published int64, l loss) bool {
	for _, s := range h.seen {
		if s.published != published {
			continue
		}
		for _, lease := range s.leases {
			if l.lists(lease) {
				return true
			}
		}
	}
	return false
}
