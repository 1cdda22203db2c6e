package backend

import "time"

// served is a remote of a link, with the number of streams with it.
type served struct {
	*remote
	streams int
}

// servedBy are the remotes of l. It asks the Stack for its streams, so it must
// be called without Host.mu; the remotes may be another link's when it returns.
func (h *Host) servedBy(l *link) []served {
	var all []served
	h.mu.Lock()
	for _, t := range [...]*remotes{h.remotes, h.hearsay} {
		t.each(func(r *remote) {
			if r.link == l {
				all = append(all, served{remote: r})
			}
		})
	}
	h.mu.Unlock()
	if stack := h.stack(); stack != nil {
		for i := range all {
			all[i].streams = stack.Streams(all[i].hash)
		}
	}
	return all
}

// worthAHelloLocked reports whether a remote is to be brought to another link. One
// without a stream that was silent for long will start over by itself.
func (h *Host) worthAHelloLocked(r served, now time.Time) bool {
	lately := !r.heard.Before(now.Add(-h.cfg.StrandWindow))
	return r.sender != nil && h.cfg.signs() && (lately || r.streams > 0 || r.rescue != nil)
}

// strand strands the remotes that l, which is lost, served. Those that are not
// worth a hello are simply remotes without a link from now on.
func (h *Host) strand(l *link) {
	remotes := h.servedBy(l)
	for _, r := range remotes {
		if r.streams > 0 {
			h.stack().WaitAnew(r.hash)
		}
	}
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range remotes {
		if r.link == l { // still
			h.strandOneLocked(r, now)
		}
	}
	h.takeFromLocked(l, now)
	h.wake()
}

// takeFromLocked finds another link for those that l was to take from one that
// drains.
func (h *Host) takeFromLocked(l *link, now time.Time) {
	for _, rescue := range h.rescues.byID {
		if rescue.drain && !rescue.answered && rescue.via == l {
			h.rescues.redirect(rescue, h.chooseOtherLocked(rescue.remote), now)
		}
	}
}

func (h *Host) strandOneLocked(r served, now time.Time) {
	worth := h.worthAHelloLocked(r, now)
	if worth && (r.rescue == nil || r.rescue.drain || r.rescue.answered) {
		h.lost++
	}
	if worth {
		h.rescues.strand(r, now)
	}
	r.link, r.came, r.young = h.chooseLocked(r.hash), time.Time{}, time.Time{}
	if r.rescue != nil {
		r.rescue.via = r.link
	}
}

// adoptStrandedLocked gives l, which is up now, to those that have no link.
func (h *Host) adoptStrandedLocked(l *link) {
	now := time.Now()
	for _, r := range h.rescues.byID {
		if r.via != nil || (r.drain && l.draining) {
			continue
		}
		r.via = l
		if r.remote.link == nil {
			r.remote.link = l
		}
		h.rescues.schedule(r, later(r.earliest, now))
	}
	h.wake()
}
