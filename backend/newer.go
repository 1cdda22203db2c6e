package backend

import "time"

// A remote takes the LeaseSet that a hello brings only if that is newer than the one
// that it holds: the lost member's last, or what a hello by another link has brought.
// If not, it takes the session of the one and sends to the leases of the other, whose
// router cannot read that, and nothing passes until it lets itself be moved again:
// after 120 s. So a hello waits until its router has a newer LeaseSet, or goes
// by another that has one.

// setPublished is told by l's frontend of what date the router's LeaseSet is.
func (h *Host) setPublished(l *link, published uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l.published = published
}

// mayHold notes that the remote may hold l's LeaseSet.
func (r *rescue) mayHold(l *link) {
	if l != nil {
		r.newest = max(r.newest, l.published)
	}
}

// newer reports whether the LeaseSet that l brings is newer than what r's remote may
// hold, as far as is known.
func (l *link) newer(r *rescue) bool { return l.published == 0 || l.published > r.newest }

// waitsForNewerLocked reports whether r's hello, which is due, is to wait, and then
// has scheduled it, by another link maybe.
func (h *Host) waitsForNewerLocked(r *rescue, now time.Time) bool {
	if r.drain || r.via.newer(r) || r.greeted {
		r.patience = time.Time{}
		return false
	}
	if r.patience.IsZero() {
		r.patience = now.Add(newerWait)
	}
	left := r.patience.Sub(now)
	if left <= 0 {
		r.patience = time.Time{}
		return false
	}
	if left <= newerWait-newerHere {
		if other := h.nextLocked(r, func(l *link) bool { return l.newer(r) }); other != nil {
			h.rescues.redirect(r, other, now)
			return true
		}
	}
	h.rescues.schedule(r, now.Add(helloAfter))
	return true
}
