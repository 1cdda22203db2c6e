package backend

import (
	"container/heap"
	"crypto/rand"
	"time"
)

const (
	// helloAfter is when the first hello goes out after a loss: when the
	// survivor's router has had time to get a LeaseSet that is newer than the
	// lost member's. The remote takes no older one, and i2pd 2.58 drops all
	// hellos after the first until that is replied to.
	helloAfter = 100 * time.Millisecond
	// helloFor is how long a stranded remote is said hello to. A router takes a
	// new session for an old one only when that is 120 s old (i2pd, Java).
	helloFor = 150 * time.Second
	// helloMost is the longest wait between two hellos to a remote.
	helloMost = 8 * time.Second
)

// helloWaits are the waits after the first hellos: a loss in the tunnels is
// made good soon, a remote that cannot be moved yet costs little.
var helloWaits = [...]time.Duration{
	100 * time.Millisecond, 400 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 4 * time.Second,
}

// helloWait is the wait after a number of hellos.
func helloWait(said int) time.Duration {
	if said <= len(helloWaits) {
		return helloWaits[said-1]
	}
	return helloMost
}

// A rescue is the work on one stranded remote: hellos through remote.link
// until it is heard, on whatever link, or the time is up. While no link is up
// it waits for one.
type rescue struct {
	remote *remote
	lost   *link // where it was heard before
	nonce  helloNonce
	packet []byte // the hello; made at first use, by sayHellos alone
	said   int
	due    time.Time
	paced  bool // due is a moment reserved from the link's pace
	until  time.Time
	place  int // in the heap; -1 while it is not in it
}

// rescues are all of them; Host.mu guards them.
type rescues struct {
	every   time.Duration // between two hellos of a link
	byNonce map[helloNonce]*rescue
	queue   rescueQueue
}

func newRescues(rate int) rescues {
	return rescues{every: time.Second / time.Duration(rate), byNonce: map[helloNonce]*rescue{}}
}

// end takes r off the list of the stranded.
func (rs *rescues) end(r *remote) {
	delete(rs.byNonce, r.rescue.nonce)
	if r.rescue.place >= 0 {
		heap.Remove(&rs.queue, r.rescue.place)
	}
	r.rescue = nil
}

// begin puts r on the list, or back to the start of the schedule.
func (rs *rescues) begin(r *remote, now time.Time) {
	if r.rescue == nil {
		r.rescue = &rescue{remote: r, lost: r.link, place: -1}
		rand.Read(r.rescue.nonce[:])
		r.rescue.nonce[0] |= 1 // its start is a stream ID, and 0 is none
		rs.byNonce[r.rescue.nonce] = r.rescue
	}
	r.rescue.said, r.rescue.paced = 0, false
	r.rescue.until = now.Add(helloFor)
	rs.schedule(r.rescue, now.Add(helloAfter))
}

func (rs *rescues) schedule(r *rescue, due time.Time) {
	r.due = due
	if r.place >= 0 {
		heap.Fix(&rs.queue, r.place)
	} else {
		heap.Push(&rs.queue, r)
	}
}

// strandLocked strands the remotes that l served and that were heard lately.
// The others are simply remotes without a link from now on.
func (h *Host) strandLocked(l *link) {
	now := time.Now()
	lately := now.Add(-h.cfg.StrandWindow)
	for _, t := range [...]*remotes{h.remotes, h.hearsay} {
		t.each(func(r *remote) {
			if r.link == l {
				h.strandOneLocked(r, now, !r.heard.Before(lately) || r.rescue != nil)
			}
		})
	}
	h.wake()
}

func (h *Host) strandOneLocked(r *remote, now time.Time, lately bool) {
	if lately && r.sender != nil && h.cfg.Signer != nil {
		if r.rescue == nil {
			h.lost++
		}
		h.rescues.begin(r, now)
	}
	r.link = h.chooseLocked(r.hash)
}

// adoptStrandedLocked gives l, which is up now, to those that have no link.
func (h *Host) adoptStrandedLocked(l *link) {
	now := time.Now()
	for _, r := range h.rescues.byNonce {
		if r.remote.link == nil {
			r.remote.link = l
			h.rescues.schedule(r, now)
		}
	}
	h.wake()
}
