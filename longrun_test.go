package onelease_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

// TestLongRun serves for half an hour: every tunnel is rebuilt three times,
// others fail, and 2 % of all messages are lost.
func TestLongRun(t *testing.T) {
	const linkLoss = 0.02
	issued := &issuedLeaseSets{t: t, byPublished: map[time.Time][]byte{}}
	cfg := simnet.Config{
		Seed: 1, Link: simnet.Link{Loss: linkLoss}, PeerLife: time.Hour, Observe: issued.observe,
	}
	inWorld(t, cfg, simnet.I2PD245, func(w *world) {
		issued.dest = w.keys.Destination.Hash()
		defer w.start(w.config())()
		w.untilPublished(memberA, memberB)
		w.addRemotes(2)
		finish := w.asking(time.Second)
		w.untilAnswered(2 * time.Minute)
		finish()

		finish = w.asking(time.Second)
		longest := w.watchNetDB(30 * time.Minute)
		q := finish()
		lost := float64(q.Lost) / float64(q.Sent)
		stats := w.network.Stats()
		t.Logf("%+v, %.1f %% lost; %d tunnels built, %d failed; %d LeaseSets, %d in the netDB; dead lease for %v at most",
			q, 100*lost, stats.TunnelsBuilt, stats.TunnelsLost, len(issued.byPublished), issued.published, longest)
		if lost > 2*2*linkLoss { // a request and its answer, and twice that for what hangs on lost handshakes
			t.Errorf("%.1f %% of requests lost", 100*lost)
		}
		if stats.TunnelsLost < 3 || issued.published < 40 {
			t.Errorf("%d tunnels failed, %d LeaseSets were published: too little happened", stats.TunnelsLost, issued.published)
		}
	})
}

// deadLimit is how long the netDB may list a tunnel that is gone: the change
// waits for the balancer's PublishGap; then for 20 s, if the publisher's router
// has just stored what it got for a tunnel of its own; a store may be lost,
// which is noticed after 5 s; and there is the way to the floodfill, and 1 s
// between looks.
const deadLimit = 21*time.Second + 20*time.Second + 5*time.Second + 2*time.Second

// watchNetDB looks at the netDB every second, and returns for how long it had
// a lease of a tunnel that was gone.
func (w *world) watchNetDB(during time.Duration) (longest time.Duration) {
	w.t.Helper()
	deadSince := map[i2p.Hash]time.Time{} // by gateway
	last := time.Time{}
	for began := time.Now(); time.Since(began) < during; time.Sleep(time.Second) {
		ls := w.leaseSet()
		if ls == nil {
			w.t.Errorf("%v: the netDB has no LeaseSet", time.Since(began))
			continue
		}
		if ls.Published.Before(last) {
			w.t.Errorf("%v: published %v after %v", time.Since(began), ls.Published, last)
		}
		last = ls.Published
		dead := w.deadLeases(ls)
		for gateway := range deadSince {
			if !dead[gateway] {
				delete(deadSince, gateway)
			}
		}
		for gateway := range dead {
			if deadSince[gateway].IsZero() {
				deadSince[gateway] = time.Now()
			}
			age := time.Since(deadSince[gateway])
			longest = max(longest, age)
			if age > deadLimit {
				w.t.Errorf("%v: a lease is listed whose tunnel is gone for %v", time.Since(began), age)
			}
		}
	}
	return longest
}

// deadLeases are the gateways of leases that lead to no tunnel of a member.
func (w *world) deadLeases(ls *i2p.LeaseSet2) map[i2p.Hash]bool {
	alive := map[i2p.Hash]bool{}
	for _, m := range []string{memberA, memberB} {
		for _, l := range w.node.Frontend(m).Status().Pool {
			alive[l.Gateway] = true
		}
	}
	dead := map[i2p.Hash]bool{}
	for _, l := range ls.Leases {
		if !alive[l.Gateway] && l.End.After(time.Now()) {
			dead[l.Gateway] = true
		}
	}
	return dead
}

// issuedLeaseSets checks that no two LeaseSets have the same `published`, and
// that it rises on each router and in the netDB.
type issuedLeaseSets struct {
	t    *testing.T
	dest i2p.Hash

	mu          sync.Mutex
	byPublished map[time.Time][]byte
	last        map[string]time.Time // by router, and in the netDB
	published   int
}

func (s *issuedLeaseSets) observe(e simnet.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Destination != s.dest || e.LeaseSet == nil || e.Kind == simnet.EventRefused {
		return
	}
	ls, _, err := i2p.ParseLeaseSet2(e.LeaseSet)
	if err != nil {
		s.t.Error(err)
		return
	}
	if old := s.byPublished[ls.Published]; old != nil && !bytes.Equal(old, e.LeaseSet) {
		s.t.Errorf("two LeaseSets were published at %v", ls.Published)
	}
	s.byPublished[ls.Published] = e.LeaseSet
	where := e.Router
	if e.Kind == simnet.EventPublished {
		where = "netDB"
		s.published++
	}
	if s.last == nil {
		s.last = map[string]time.Time{}
	}
	if ls.Published.Before(s.last[where]) {
		s.t.Errorf("%s: published %v after %v", where, ls.Published, s.last[where])
	}
	s.last[where] = ls.Published
}
