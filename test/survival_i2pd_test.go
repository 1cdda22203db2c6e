package test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/i2pd/samclient"
	"github.com/onelease/onelease/test/streamservice"
)

// A loss is a way in which a member goes while streams run.
type loss struct {
	name string
	lose func(*survival, int)
	mend func(*survival, int)
	// p50 is how long half of the streams of the lost member may stand still.
	p50 time.Duration
	// unpublished has half of the clients publish no LeaseSet.
	unpublished bool
	members     []int
}

// otherMembers are routers that hang or are drained for others than those that
// are killed: who moves has a young session again.
var otherMembers = []int{13, 14, 15}

var losses = []loss{
	{name: "drain", lose: drainOn, mend: drainOff, p50: time.Second, unpublished: true, members: otherMembers},
	{name: "frontend killed", lose: killFrontend, p50: time.Second, members: members},
	{name: "hang", lose: stopRouter, mend: continueRouter, p50: 3 * time.Second, members: otherMembers},
	{name: "kill -9", lose: killRouter, p50: time.Second, members: members},
}

func drainOn(s *survival, victim int)        { s.drain(victim, true) }
func drainOff(s *survival, victim int)       { s.drain(victim, false) }
func killFrontend(s *survival, victim int)   { s.host.node.KillFrontend(routerName(victim)) }
func killRouter(s *survival, victim int)     { s.net.Router(victim).Kill() }
func stopRouter(s *survival, victim int)     { s.check(s.net.Router(victim).Stop()) }
func continueRouter(s *survival, victim int) { s.check(s.net.Router(victim).Continue()) }

func (s *survival) drain(victim int, on bool) {
	s.check(s.host.node.Drain(routerName(victim), on))
}

func (s *survival) check(err error) {
	if err != nil {
		s.t.Error(err)
	}
}

// ageTime is how old sessions get before a loss: older than 120 s, before which
// a stock router does not let a new one take over.
const ageTime = 125 * time.Second

// survivalTransfer is long enough to lose a member in the midst of, and has
// failed if it takes longer than limit.
func survivalTransfer() (t streamservice.Transfer, limit time.Duration) {
	if os.Getenv("ONELEASE_SOAK") == "1" {
		return streamservice.Transfer{Size: 20 << 20, Rate: 700_000}, 4 * time.Minute
	}
	return streamservice.Transfer{Size: 6 << 20, Rate: 350_000}, 100 * time.Second
}

// TestStreamsSurvive is the promise: stock i2pd clients down- and upload, their
// sessions older than 120 s, and the member that serves them goes in the midst
// of it. Every transfer ends with the right bytes.
func TestStreamsSurvive(t *testing.T) {
	i2pd.Require(t)
	t.Parallel() // with what is as patient
	rounds := 1
	if os.Getenv("ONELEASE_SOAK") == "1" {
		rounds = envInt("ONELEASE_ROUNDS", 5)
	}
	results, version := map[string]*survivalResult{}, ""
	for range rounds {
		// A network of its own for each round: a router that was killed is
		// back after minutes only.
		t.Run("round", func(t *testing.T) { version = surviveAll(t, results) })
	}
	all := survivalResult{}
	for _, l := range losses {
		if r := results[l.name]; r != nil {
			r.judge(t, l, version)
			all.transfers, all.failed = all.transfers+r.transfers, all.failed+r.failed
		}
	}
	all.judgeFailed(t, "all losses")
}

// surviveAll has each loss meet a Destination of its own, so that all sessions
// grow old at the same time. It returns i2pd's version.
func surviveAll(t *testing.T, results map[string]*survivalResult) string {
	net := i2pd.Start(t, i2pd.Config{
		Routers: 16, Floodfills: floodfills, Killable: slices.Concat(members, otherMembers),
	})
	var all []*survival
	for _, l := range losses {
		all = append(all, startSurvival(t, net, l))
	}
	addAllClients(t, all)
	for began := time.Now(); time.Since(began) < ageTime; {
		for _, s := range all {
			s.keepTalking()
		}
	}
	for i, s := range all {
		r := results[s.loss.name]
		if r == nil {
			r = &survivalResult{}
			results[s.loss.name] = r
		}
		stop := keepAllTalking(all[i+1:])
		s.run(r)
		stop()
	}
	return net.Version
}

// A survival is a Destination with clients that is to lose a member.
type survival struct {
	t       *testing.T
	net     *i2pd.Network
	loss    loss
	host    *streamHost
	clients []*samclient.Streams
	echoes  []*streamservice.Echo
}

func startSurvival(t *testing.T, net *i2pd.Network, l loss) *survival {
	t.Helper()
	return &survival{t: t, net: net, loss: l, host: startHost(t, l.name, withPublisher(net, l.members))}
}

// run loses the member that serves most.
func (s *survival) run(result *survivalResult) {
	runs := s.startTransfers()
	half := runs[0].transfer.Size / 2
	await(s.t, time.Minute, "half of the transfers", func() bool {
		return !slices.ContainsFunc(runs, func(r *streamRun) bool { return r.meter.Bytes() < half })
	})
	victim, remotes := s.busiest()
	for _, r := range runs {
		r.meter.Mark()
	}
	s.t.Logf("%s: router %d with %d of %d remotes", s.loss.name, victim, remotes, len(runs))
	s.loss.lose(s, victim)
	for _, r := range runs {
		<-r.done
		s.t.Logf("%s: %v", s.loss.name, r)
	}
	result.add(runs, remotes)
	s.t.Logf("%s: %s", s.loss.name, s.stalls())
	if s.loss.mend != nil {
		s.loss.mend(s, victim)
	}
}

// stalls is what the backend itself saw.
func (s *survival) stalls() string {
	return fmt.Sprintf("as the backend saw it: %+v", s.host.node.Host().Stats().Stalls)
}

// startTransfers has half of the clients download, the others upload.
func (s *survival) startTransfers() []*streamRun {
	var runs []*streamRun
	for i, client := range s.clients {
		transfer, limit := survivalTransfer()
		transfer.Seed = uint64(i + 1)
		runs = append(runs, s.host.start(s.t.Context(), client, i < len(s.clients)/2, transfer, limit))
	}
	return runs
}

// busiest is the member with the most remotes.
func (s *survival) busiest() (member, remotes int) {
	for _, f := range s.host.node.Host().Stats().Frontends {
		for _, i := range s.loss.members {
			if f.Name == routerName(i) && f.Remotes > remotes {
				member, remotes = i, f.Remotes
			}
		}
	}
	if remotes == 0 {
		s.t.Fatalf("%s: no member has a remote", s.loss.name)
	}
	return member, remotes
}
