package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

// StreamsReport is what became of the remotes' downloads.
type StreamsReport struct {
	Opened int `json:"opened"`
	// Survived lost the router or the frontend that served them and came to their
	// end; drained ones as well.
	Survived int `json:"survived"`
	// Broken had a way to survive, or never lost anything, and did not end right.
	Broken int `json:"broken"`
	// Unreachable lost their router, and no stock router leaves a way on: their
	// remote's LeaseSet is in no netDB.
	Unreachable int `json:"unreachable"`
	// BackendLost ended with their backend, which was killed.
	BackendLost int   `json:"backend_lost,omitempty"`
	Bytes       int64 `json:"bytes"`
	// HashOK: what came is what was sent, also where a stream did not end.
	HashOK bool `json:"hash_ok"`
}

// downloading are the clients that download: none if a plugin serves.
func (w *world) downloading() []*client {
	if w.probes != nil {
		return nil
	}
	return w.clients
}

// streams sums up the downloads as they are now.
func (w *world) streams() StreamsReport {
	s := StreamsReport{HashOK: true}
	for _, c := range w.downloading() {
		c.download.addTo(&s)
	}
	return s
}

// moveTime is how long after a loss a stranded remote may take: its session must
// be two minutes old for another router to take it over, and a hello must come
// after that.
const moveTime = simnet.TakeoverAge + 30*time.Second

// endTime is how long after the last request downloads may take that lost nothing.
const endTime = 15 * time.Second

// awaitStreams waits for the downloads, for those that wait for their sessions
// to be old enough as well.
func (r *run) awaitStreams(ctx context.Context) error {
	until := time.Now().Add(endTime)
	for _, e := range r.events {
		if last := e.at.Add(moveTime); last.After(until) {
			until = last
		}
	}
	for !r.world.downloadsOver() && time.Now().Before(until) {
		if err := r.watch(ctx, time.Now().Add(lookEvery)); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) downloadsOver() bool {
	for _, c := range w.downloading() {
		if !c.download.over() {
			return false
		}
	}
	return true
}

// strike notes which downloads lose their member with e. After a drain they
// are served on.
func (r *run) strike(e *event) {
	for _, c := range r.world.downloading() {
		if !c.servedBy(e.leases) {
			continue
		}
		_, found := r.world.network.Lookup(c.remote.Destination().Hash())
		c.download.strike(e.report.Kind != killDrain && !found)
	}
}

// servedBy says whether those leases are most of the LeaseSet by which the
// remote sends: a member's own has no others.
func (c *client) servedBy(leases []i2p.Lease) bool {
	raw, _ := c.remote.LeaseSet(c.hash)
	ls, _, err := i2p.ParseLeaseSet2(raw)
	if err != nil {
		return false
	}
	n := 0
	for _, l := range ls.Leases {
		for _, other := range leases {
			if l.SameTunnel(other) {
				n++
			}
		}
	}
	return 2*n > len(ls.Leases)
}

// waiting says how many downloads wait, and how long until the youngest of
// their sessions may be taken over.
func (w *world) waiting(now time.Time) (streams int, left time.Duration) {
	for _, c := range w.downloading() {
		if !c.download.waits(now) {
			continue
		}
		streams++
		if age, ok := c.remote.SessionAge(c.hash); ok {
			left = max(left, simnet.TakeoverAge-age)
		}
	}
	return streams, left
}

// streamsLine is the state of the downloads in a few words.
func (w *world) streamsLine(now time.Time) string {
	s := w.streams()
	waiting, left := w.waiting(now)
	line := fmt.Sprintf("streams: %d opened, %.1f MB", s.Opened, float64(s.Bytes)/1e6)
	switch {
	case waiting > 0 && left > 0:
		line += fmt.Sprintf(", %d wait until their sessions are two minutes old (%.0f s)", waiting, left.Seconds())
	case waiting > 0:
		line += fmt.Sprintf(", %d wait", waiting)
	}
	return line
}
