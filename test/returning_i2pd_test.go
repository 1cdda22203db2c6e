package test

import (
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/streamservice"
)

// TestSoakReturningVisitors has clients load a page, do nothing for as long as
// somebody reads it, and load another. Their router still has the session, but
// maybe no LeaseSet of the member that it is with; one that looks the
// Destination up again gets all members' leases, and sends to one that does not
// know the session. How often is what it measures: docs/streams.md.
func TestSoakReturningVisitors(t *testing.T) {
	soakOnly(t)
	net := i2pd.Start(t, i2pd.Config{Routers: 14, Floodfills: floodfills})
	host := startHost(t, "returning", maybeRefuge(net))
	streamHosts{host}.await(t, openStreams(t, net.Router(remoteRouters[0]), i2pd.StreamOptions{}))
	s := &survival{t: t, net: net, host: host}
	var reading sync.WaitGroup
	for _, reads := range []time.Duration{45 * time.Second, 85 * time.Second, 100 * time.Second, 113 * time.Second} {
		group := &visitors{name: reads.String(), unpublished: true}
		group.open(s)
		reading.Go(func() {
			group.load(s)
			time.Sleep(reads) // somebody reads
			for i, r := range group.load(s) {
				t.Logf("after %v: visitor %d: %v", reads, i, r)
				if r.err != nil || r.first() > streamservice.StallTime {
					t.Errorf("visitor %d, back after %v, waited for the page", i, reads)
				}
			}
		})
	}
	reading.Wait()
}

// load has each load a page.
func (k *visitors) load(s *survival) (runs []*streamRun) {
	for _, v := range k.all {
		runs = append(runs, s.host.start(s.t.Context(), v.client, false, streamservice.Transfer{Size: 30_000, Seed: 1}, time.Minute))
		time.Sleep(startEvery) // see there
	}
	for _, r := range runs {
		<-r.done
	}
	return runs
}
