package backend

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// hellos has the frontends note who says hello and when, counted from now. What it
// returns may be read after a synctest.Wait.
func (r *rig) hellos() *[]spoken {
	var mu sync.Mutex
	var all []spoken
	began := time.Now()
	for i, f := range r.frontends {
		f.OnSend(func(p sam.Packet) {
			var ping streaming.Packet
			if isHello(p) && ping.Parse(p.Data) == nil && ping.Flags&streaming.FlagEcho != 0 {
				mu.Lock()
				all = append(all, spoken{i, time.Since(began)})
				mu.Unlock()
			}
		})
	}
	return &all
}

type spoken struct {
	frontend int
	at       time.Duration
}

// byRank are the frontends but for the first, in the order that a remote would
// get them in.
func (r *rig) byRank(remote *backendtest.Remote) []int {
	hash := remote.Destination.Hash()
	order := []int{}
	for i := 1; i < len(r.frontends); i++ {
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int {
		if r.host.links[a].rank(hash) > r.host.links[b].rank(hash) {
			return -1
		}
		return 1
	})
	return order
}

// A remote takes no older LeaseSet than that of the member that it has lost.
func TestAHelloWaitsForANewerLeaseSet(t *testing.T) {
	for name, test := range map[string]struct {
		renewed int           // which of the two survivors gets a newer one; -1: none
		after   time.Duration // the loss
		by      int           // who then says hello
		at      time.Duration
	}{
		"it comes":                   {0, 450 * time.Millisecond, 0, 450 * time.Millisecond},
		"another has one":            {1, 0, 1, helloAfter + newerHere},
		"another has got one":        {1, 3 * time.Second, 1, 3 * time.Second},
		"no balancer has signed one": {-1, 0, 0, helloAfter + newerWait},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 3, nil)
				defer r.stop()
				r.listen(Datagram, 7)
				remote := r.remote()
				r.hear(0, remote)
				order := r.byRank(remote)
				for i, published := range []uint32{100, 90, 91} {
					r.frontends[i].SetPublished(published)
				}
				synctest.Wait()
				said := r.hellos()
				r.frontends[0].Kill()
				time.Sleep(test.after)
				if test.renewed >= 0 {
					r.frontends[order[test.renewed]].SetPublished(101)
				}
				time.Sleep(15 * time.Second)
				synctest.Wait()
				if len(*said) == 0 {
					t.Fatal("no hello")
				}
				first := (*said)[0]
				if first.frontend != order[test.by] || first.at < test.at || first.at > test.at+2*helloAfter {
					t.Errorf("the first hello by %d after %v, want %d after %v", first.frontend, first.at, order[test.by], test.at)
				}
			})
		})
	}
}

// What one hello has brought is what the next must be newer than.
func TestTheNextHelloIsNewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3, nil)
		defer r.stop()
		r.listen(Datagram, 7)
		remote := r.remote()
		r.hear(0, remote)
		order := r.byRank(remote)
		r.frontends[0].SetPublished(100)
		r.frontends[order[0]].SetPublished(102)
		r.frontends[order[1]].SetPublished(101)
		synctest.Wait()
		said := r.hellos()
		r.frontends[0].Kill()
		const renewed = 20 * time.Second
		time.Sleep(renewed)
		r.frontends[order[1]].SetPublished(103)
		time.Sleep(time.Minute)
		synctest.Wait()
		at := slices.IndexFunc(*said, func(s spoken) bool { return s.frontend == order[1] })
		if at < 0 {
			t.Fatalf("no hello by the second: %v", *said)
		}
		if when := (*said)[at].at; when < renewed || when > renewed+helloMost {
			t.Errorf("the hello of an older LeaseSet went out after %v, newer after %v", when, renewed)
		}
	})
}

// i2pd 2.58 sends nothing for two minutes after a hello without a reply, so each
// router has its turn.
func TestAllFrontendsSayHelloInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 5, nil)
		defer r.stop()
		r.listen(Datagram, 7)
		remote := r.remote()
		r.hear(0, remote)
		said := r.hellos()
		r.frontends[0].Kill()
		time.Sleep(helloFor)
		synctest.Wait()
		var order []int
		for _, s := range (*said)[len(helloWaits)-1:] {
			order = append(order, s.frontend)
		}
		want := r.byRank(remote)
		for i, by := range order {
			if by != want[i%len(want)] {
				t.Fatalf("hellos by %v, want %v again and again", order, want)
			}
		}
		if len(order) < 2*len(want) {
			t.Errorf("%d hellos", len(order))
		}
	})
}

// A remote that is heard again by the frontend that it had lost, after a hello,
// has a new session there, which is young.
func TestASessionWithAFrontendThatCameBackIsYoung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, nil)
		defer r.stop()
		r.listen(Datagram, 7)
		remote := r.remote()
		r.hear(0, remote)
		time.Sleep(5 * time.Minute)
		r.hear(0, remote)
		r.frontends[1].Kill()
		r.frontends[0].Kill()
		r.frontends[0].Up()
		time.Sleep(time.Second)
		hellos := slices.Concat(r.hellosBy()...)
		if len(hellos) == 0 {
			t.Fatal("no hello by the one that is back")
		}
		r.frontends[0].Deliver(pongTo(hellos[0]))
		r.frontends[1].Up()
		time.Sleep(time.Minute)
		said := r.hellos()
		r.frontends[0].Kill()
		time.Sleep(helloFor)
		synctest.Wait()
		// The pong was a minute ago.
		if want := sessionAge - time.Minute; len(*said) == 0 || (*said)[0].at < want-time.Second || (*said)[0].at > want+time.Second {
			t.Errorf("hellos %v, want the first after %v", *said, want)
		}
	})
}

// As long as a stream waits its remote may come within reach.
func TestHellosLastAsLongAsStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		near, _ := r.open(r.net.NewRemote(0, true), 80)
		said := r.hellos()
		r.frontends[0].Kill()
		near.Write([]byte("word"))
		time.Sleep(streamsFor + time.Minute)
		synctest.Wait()
		last := (*said)[len(*said)-1].at
		if last < streamsFor-helloMost || last > streamsFor {
			t.Errorf("the last hello after %v, want about %v", last, streamsFor)
		}
		if s := r.host.Stats(); s.Stalls.Unreachable != 1 || s.Stranded != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A stream that is stranded a second time has the whole time once more.
func TestStreamsWaitAnewAfterEachLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 2, nil)
		defer r.stop()
		near, _ := r.open(r.net.NewRemote(0, true), 80)
		r.frontends[0].Kill()
		near.Write([]byte("word"))
		time.Sleep(4 * time.Minute)
		r.frontends[1].Kill()
		r.frontends[1].Up()
		time.Sleep(streamsFor - time.Second)
		if s := r.host.Stats(); s.Streams.Timeouts != 0 || s.Stranded != 1 {
			t.Errorf("the second time: %+v", s)
		}
		time.Sleep(2 * time.Second)
		if s := r.host.Stats(); s.Streams.Timeouts != 1 || s.Stranded != 0 {
			t.Errorf("after it: %+v", s)
		}
	})
}
