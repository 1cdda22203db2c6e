package test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/tally"
	"github.com/onelease/onelease/plugins/echo"
	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/i2pd/samclient"
	"github.com/onelease/onelease/test/streamservice"
)

// The routers of the main job, by their number in the network: floodfills
// first, then the remotes' own, then ours.
var (
	floodfills    = 6
	remoteRouters = []int{6, 7, 8}
	publisher     = 9
	members       = []int{10, 11, 12}
)

const (
	// warmUpTime is how long sessions have to settle before losses count.
	warmUpTime = 15 * time.Second
	// remotesEach is how many remotes live on each of the remotes' routers.
	remotesEach = 2
	askEvery    = 200 * time.Millisecond
	// lastAnswers is how long the last answers have when all is sent.
	lastAnswers = 5 * time.Second
)

// steadyTime is how long nothing is killed: long enough for all sessions to be
// older than 120 s, before which a stock router does not let a new one take
// over. Five minutes in the long form.
func steadyTime() time.Duration {
	if os.Getenv("ONELEASE_SOAK") == "1" {
		return 5 * time.Minute
	}
	return 2*time.Minute + 10*time.Second
}

// envRotation has the main job run with another policy of key rotation than
// the default, to compare.
const envRotation = "ONELEASE_TEST_ROTATION"

// TestMainJob is the job itself on stock i2pd: three members and one publisher
// host a Destination, remotes that are ordinary SAM programs ask it, the leader
// of three balancers is killed, which nobody notices, and then a member, with -9.
func TestMainJob(t *testing.T) {
	j := startJob(t, balancer.Policy{Tunnels: 3, Hops: 1, Rotation: balancer.Rotation(os.Getenv(envRotation))})
	j.checkLeaseSet(members)
	j.addRemotes()

	j.ask(warmUpTime, nil)
	warm := time.Now()
	t.Logf("the first %v: %+v", warmUpTime, j.tally.Requests(warm, 0))
	watch := j.watchNetDB()
	j.ask(steadyTime(), j.killLeader)
	watch()
	j.checkLookedUp()
	steady := j.tally.Since(warm)
	t.Logf("steady state, %v: %+v", steadyTime(), steady)
	if steady.Lost > 0 {
		j.logGaps()
		t.Errorf("%d of %d requests lost with nothing but a balancer killed", steady.Lost, steady.Sent)
	}

	victim, stranded := j.busiestMember()
	var killed time.Time
	j.ask(tally.RecoverTime+10*time.Second, func() {
		killed = time.Now()
		j.tally.Kill(killed)
		j.net.Router(victim).Kill()
	})
	j.report(victim, stranded, warm, killed)
	survivors := slices.DeleteFunc(slices.Clone(members), func(i int) bool { return i == victim })
	j.checkLeaseSet(survivors)
}

// A job is the Destination on real routers, with remotes that ask it.
type job struct {
	t         *testing.T
	ctx       context.Context
	net       *i2pd.Network
	keys      *i2p.Keys
	node      *onelease.Node
	balancers *cluster.Local
	tally     *tally.Tally
	remotes   []*samclient.Remote
	server    *streamservice.Server
}

func startJob(t *testing.T, policy balancer.Policy) *job {
	t.Helper()
	net := i2pd.Start(t, i2pd.Config{Routers: 13, Floodfills: floodfills, Killable: members})
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	j := &job{t: t, ctx: ctx, net: net, keys: keys, server: streamservice.NewServer()}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	j.balancers, err = cluster.StartLocal(ctx, cluster.LocalConfig{Dir: t.TempDir(), Balancers: 3, Keys: keys, Policy: policy, LookEvery: balancer.LookEvery, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.balancers.Close(); err != nil {
			t.Error(err)
		}
	})
	j.node, err = onelease.Start(onelease.Config{
		Keys: keys, Balancers: j.balancers, Routers: j.routers(), Service: backend.ServiceFunc(j.serve), Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.node.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

// serve echoes datagrams, and is the stream service.
func (j *job) serve(ctx context.Context, node backend.Node) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return echo.Service{MaxStreams: -1}.Serve(ctx, node) })
	group.Go(func() error { return serveStreams(ctx, node, j.server) })
	return group.Wait()
}

func routerName(i int) string { return fmt.Sprintf("i2pd-%d", i) }

func (j *job) routers() []onelease.Router {
	routers := []onelease.Router{j.router(publisher)}
	routers[0].Publisher = true
	for _, i := range members {
		member := j.router(i)
		member.Member = true
		routers = append(routers, member)
	}
	return routers
}

func (j *job) router(i int) onelease.Router {
	return onelease.Router{
		Name: routerName(i), Addr: j.net.Router(i).I2CPAddr(), DontPublish: quirkOf(j.net.Version),
	}
}

// checkLeaseSet waits until the netDB has the leases of those members, all of
// them and no other, and fails the test if that does not come about.
func (j *job) checkLeaseSet(of []int) {
	j.t.Helper()
	began := time.Now()
	var wrong error
	for time.Since(began) < 2*time.Minute {
		if wrong = j.leaseSetError(of); wrong == nil {
			j.t.Logf("the netDB has the leases of %d members after %.1f s", len(of), time.Since(began).Seconds())
			return
		}
		j.pause(500 * time.Millisecond)
	}
	j.t.Fatalf("LeaseSet in the netDB: %v", wrong)
}

// leaseSetError says what is wrong with what floodfills return: each must have
// leases of each of those members, and nothing else. (How many, real routers
// do not promise: a tunnel that fails a test is gone for some seconds.)
func (j *job) leaseSetError(of []int) error {
	owner := map[tunnel]int{}
	for _, i := range append(slices.Clone(members), publisher) {
		for _, l := range j.node.Frontend(routerName(i)).Status().Pool {
			owner[tunnel{l.Gateway, l.Tunnel}] = i
		}
	}
	found := j.net.LookupLeaseSet(j.ctx, j.keys.Destination.Hash())
	if len(found) == 0 {
		return fmt.Errorf("no floodfill has it")
	}
	for floodfill, ls := range found {
		count := map[int]int{}
		for _, l := range ls.Leases {
			count[owner[tunnel{l.Gateway, l.TunnelID}]]++ // 0: nobody's, which is never ours
		}
		for _, i := range of {
			if count[i] == 0 {
				return fmt.Errorf("floodfill %d lists no lease of router %d", floodfill, i)
			}
			delete(count, i)
		}
		if len(count) > 0 {
			return fmt.Errorf("floodfill %d lists leases, by router, that are not to be there: %v", floodfill, count)
		}
	}
	return nil
}

// tunnel names an inbound tunnel.
type tunnel struct {
	gateway i2p.Hash
	id      uint32
}

// pause waits between two looks at real routers.
func (j *job) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-j.ctx.Done():
	}
}

// addRemotes opens the remotes and lets each ask until it is answered once:
// the first message of a session may be lost, since a stock router takes in
// one new session in 200 ms.
func (j *job) addRemotes() {
	j.t.Helper()
	j.tally = tally.New(len(remoteRouters) * remotesEach)
	opened := make([]*samclient.Remote, len(remoteRouters)*remotesEach)
	var opening sync.WaitGroup
	for n := range opened {
		opening.Go(func() { opened[n] = j.openRemote(j.net.Router(remoteRouters[n/remotesEach])) })
	}
	opening.Wait()
	for n, remote := range opened {
		if remote == nil {
			j.t.FailNow()
		}
		j.greet(n, remote)
	}
	j.remotes = opened
	for n, remote := range opened {
		go j.hear(n, remote)
	}
}

// openRemote opens a remote whose LeaseSet the netDB has, as hellos need it.
func (j *job) openRemote(router *i2pd.Router) *samclient.Remote {
	ctx, cancel := context.WithTimeout(j.ctx, 90*time.Second)
	defer cancel()
	remote, err := router.OpenRemote(ctx)
	if err != nil {
		j.t.Errorf("remote on %s: %v", router, err)
		return nil
	}
	j.t.Cleanup(func() { remote.Close() })
	return remote
}

// greet asks until the first answer.
func (j *job) greet(n int, remote *samclient.Remote) {
	j.t.Helper()
	hello := []byte("hello")
	for began := time.Now(); time.Since(began) < 90*time.Second; {
		if err := remote.Send(j.keys.Destination.Base64(), hello); err != nil {
			j.t.Fatal(err)
		}
		select {
		case d := <-remote.Datagrams():
			if bytes.Equal(d.Payload, hello) {
				j.t.Logf("remote %d is answered after %.1f s", n, time.Since(began).Seconds())
				return
			}
		case <-time.After(2 * time.Second):
		}
	}
	j.t.Fatalf("remote %d was never answered", n)
}

// hear counts answers until the remote is closed.
func (j *job) hear(n int, remote *samclient.Remote) {
	for d := range remote.Datagrams() {
		if len(d.Payload) == 8 && d.From == j.keys.Destination.Base64() {
			j.tally.Answer(n, int(binary.BigEndian.Uint64(d.Payload)))
		}
	}
}

// ask lets all remotes ask for a while, calls act after a second, and waits for
// the last answers.
func (j *job) ask(during time.Duration, act func()) {
	j.t.Helper()
	began := time.Now()
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for time.Since(began) < during {
		j.askAll()
		if act != nil && time.Since(began) > time.Second {
			act()
			act = nil
		}
		<-ticker.C
	}
	j.pause(lastAnswers)
}

func (j *job) askAll() {
	for n, remote := range j.remotes {
		number := j.tally.Send(n, time.Now())
		body := binary.BigEndian.AppendUint64(nil, uint64(number))
		if err := remote.Send(j.keys.Destination.Base64(), body); err != nil {
			j.t.Error(err)
		}
	}
}

// logGaps says who lost what, and when.
func (j *job) logGaps() {
	for _, g := range j.tally.Gaps() {
		j.t.Logf("remote %d: %d requests not answered, from %s to %s",
			g.Remote, g.Requests, g.From.Format("15:04:05.0"), g.To.Format("15:04:05.0"))
	}
}

// busiestMember is the member with the most remotes, and how many they are.
func (j *job) busiestMember() (member, remotes int) {
	for _, f := range j.node.Host().Stats().Frontends {
		for _, i := range members {
			if f.Name == routerName(i) && f.Remotes > remotes {
				member, remotes = i, f.Remotes
			}
		}
	}
	if remotes == 0 {
		j.t.Fatal("no member has a remote")
	}
	return member, remotes
}

// report prints what the kill did, and fails the test if it did more than it may.
func (j *job) report(victim, stranded int, warm, killed time.Time) {
	j.t.Helper()
	requests, affected := j.tally.Since(warm), j.tally.Affected(killed)
	took, ok := j.tally.Recovery(killed)
	j.t.Logf("kill -9 of router %d with %d remotes: %d remotes lost requests, %d requests cut; all answered again after %v",
		victim, stranded, affected, requests.Cut, took)
	j.logGaps()
	if !ok || took > tally.RecoverTime {
		j.t.Errorf("not all remotes are answered again within %v: %v", tally.RecoverTime, took)
	}
	if requests.Lost > 0 {
		j.t.Errorf("%d requests lost that the kill does not explain", requests.Lost)
	}
	if affected > stranded {
		j.t.Errorf("%d remotes lost requests, but only %d were on the killed member", affected, stranded)
	}
}
