package test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/i2pd/samclient"
	"github.com/onelease/onelease/test/streamservice"
)

// visitors are clients of one kind.
type visitors struct {
	name        string
	unpublished bool
	// old ones begin their session ageTime before the loss, others a few
	// seconds; newcomers begin it after the loss.
	old, newcomers bool
	// late is how long after the loss newcomers begin.
	late time.Duration
	all  []*visitor
}

// A visitor is one client, with a stream of its own.
type visitor struct {
	client *samclient.Streams
	echo   *streamservice.Echo
	// live is when the stream that there was went on, again when a new one
	// worked, both after the loss; 0 is never.
	live, again time.Duration
}

// visitorsEach is how many of each kind there are on each of the remotes' routers.
const visitorsEach = 2

// afterTime is how long visitors are watched after the loss.
const afterTime = 150 * time.Second

// envRefuge, if it is set, adds a refuge.
const envRefuge = "ONELEASE_TEST_REFUGE"

// refuge is the number of its router in the network.
const refuge = 13

// maybeRefuge are the routers of the main job, and a refuge if one is wanted.
func maybeRefuge(net *i2pd.Network) []onelease.Router {
	routers := threeMembers(net)
	if os.Getenv(envRefuge) != "" {
		r := memberAt(net, refuge)
		r.Member, r.Refuge = false, true
		routers = append(routers, r)
	}
	return routers
}

// TestSoakAfterLoss measures what visitors of each kind see of a member that is
// killed with -9: when their live stream goes on, and when a new stream works.
// It is how the policies of key rotation and the lives of LeaseSets are compared.
func TestSoakAfterLoss(t *testing.T) {
	soakOnly(t)
	net := i2pd.Start(t, i2pd.Config{Routers: 14, Floodfills: floodfills, Killable: members})
	s := &survival{t: t, net: net, loss: loss{name: "after", members: members}, host: startHost(t, "after", maybeRefuge(net))}
	kinds := []*visitors{
		{name: "published, old", old: true}, {name: "unpublished, old", old: true, unpublished: true},
		{name: "published, young"}, {name: "unpublished, young", unpublished: true},
		{name: "newcomers", newcomers: true},
		{name: "newcomers 40 s later", newcomers: true, late: 40 * time.Second},
	}
	for _, k := range kinds {
		k.open(s)
	}
	for _, k := range kinds[:2] {
		k.begin(s)
	}
	for began := time.Now(); time.Since(began) < ageTime; time.Sleep(5 * time.Second) {
		for _, k := range kinds[:2] {
			k.talk(t)
		}
	}
	for _, k := range kinds[2:4] {
		k.begin(s)
	}
	victim, remotes := s.busiest()
	killRouter(s, victim)
	lost := time.Now()
	t.Logf("policy %+v: router %d killed with %d remotes", testPolicy(), victim, remotes)
	var watching sync.WaitGroup
	for _, k := range kinds {
		for _, v := range k.all {
			watching.Go(func() {
				time.Sleep(time.Until(lost.Add(k.late)))
				v.watch(t.Context(), s.host, lost.Add(k.late))
			})
		}
	}
	watching.Wait()
	for _, k := range kinds {
		t.Log(k)
	}
	t.Log(s.stalls())
}

// open opens the clients; no stream yet.
func (k *visitors) open(s *survival) {
	k.all = make([]*visitor, visitorsEach*len(remoteRouters))
	var opening sync.WaitGroup
	for i := range k.all {
		opening.Go(func() {
			router := s.net.Router(remoteRouters[i%len(remoteRouters)])
			client, err := tryStreams(s.t, router, i2pd.StreamOptions{Unpublished: k.unpublished})
			if err != nil {
				s.t.Error(err)
			}
			k.all[i] = &visitor{client: client}
		})
		time.Sleep(startEvery) // see there
	}
	opening.Wait()
	if s.t.Failed() {
		s.t.FailNow()
	}
}

// begin has each open a stream.
func (k *visitors) begin(s *survival) {
	var opening sync.WaitGroup
	for i, v := range k.all {
		opening.Go(func() {
			var err error
			for began := time.Now(); v.echo == nil && time.Since(began) < time.Minute; {
				v.echo, err = s.tryEcho(v.client)
			}
			if err != nil {
				s.t.Errorf("%s: visitor %d was never served: %v", k.name, i, err)
			}
		})
		time.Sleep(startEvery) // see there
	}
	opening.Wait()
	if s.t.Failed() {
		s.t.FailNow()
	}
}

// talk uses each stream once.
func (k *visitors) talk(t *testing.T) {
	for i, v := range k.all {
		if took, err := v.echo.Ask("still there?"); err != nil || took > streamservice.StallTime {
			t.Logf("%s: visitor %d, nothing lost: echo after %v: %v", k.name, i, took, err)
		}
	}
}

// watch uses the live stream, and tries new ones, until both work; lost is when
// it begins.
func (v *visitor) watch(ctx context.Context, host *streamHost, lost time.Time) {
	ctx, cancel := context.WithDeadline(ctx, lost.Add(afterTime))
	defer cancel()
	var live sync.WaitGroup
	defer live.Wait()
	if v.echo != nil {
		live.Go(func() {
			if _, err := v.echo.AskUntil("alive?", lost.Add(afterTime)); err == nil {
				v.live = time.Since(lost)
			}
		})
	}
	for ctx.Err() == nil && v.again == 0 {
		r := host.start(ctx, v.client, false, streamservice.Transfer{Size: 1000, Seed: 1}, 10*time.Second)
		<-r.done
		if r.err == nil {
			v.again = time.Since(lost)
		}
	}
}

// String is the times of all, in seconds, those of the live streams first.
func (k *visitors) String() string {
	var live, again []string
	for _, v := range k.all {
		live, again = append(live, seconds(v.live)), append(again, seconds(v.again))
	}
	return fmt.Sprintf("%s: the live stream went on after %s s; a new one worked after %s s",
		k.name, strings.Join(live, " "), strings.Join(again, " "))
}

func seconds(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", d.Seconds())
}
