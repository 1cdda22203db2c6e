package cluster_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
)

// TestLeaderKilled kills the leader of three balancers with -9, again and again,
// and then has the lead handed over: how long until a frontend has a LeaseSet of
// the next leader? Requests and streams do not notice.
func TestLeaderKilled(t *testing.T) {
	rounds, most := 5, 10*time.Second
	if soak() {
		rounds, most = 20, 700*time.Millisecond
	}
	w := newWorld(t, newLoopback(t, balancers), 2)
	w.startTraffic()
	kills, handOvers := w.rounds(rounds, w.killLeader), w.rounds(rounds, w.transfer)
	t.Logf("killed: %v, handed over: %v", kills, handOvers)
	sum := w.traffic.endWhole()
	w.judge()
	t.Logf("SUMMARY leader killed: first LeaseSet of the next p50 %v, max %v of %d; handed over: p50 %v, max %v; %d requests, %d lost, %d streams broken, longest echo %v",
		median(kills), slices.Max(kills), rounds, median(handOvers), slices.Max(handOvers), sum.Sent, sum.Lost, sum.Broken, sum.Gap.Round(time.Millisecond))
	if median(kills) > most {
		t.Errorf("p50 of %v until the next leader signs, want at most %v", median(kills), most)
	}
}

// rounds does something to the leader again and again, each time when all is
// well, and returns how long it took until the next one had signed something.
func (w *world) rounds(count int, strike func(leader *process) time.Time) (took []time.Duration) {
	w.t.Helper()
	for range count {
		w.settle()
		w.untilDatesFit()
		before, leader := w.history.last(), w.leader()
		struck := strike(leader)
		o := w.history.awaitTerm(w.t, before, time.Minute)
		took = append(took, o.at.Sub(struck).Round(time.Millisecond))
		if !leader.running() {
			leader.start()
		}
	}
	return took
}

// datesAhead is how far ahead of the clock LeaseSets may be dated when a leader is
// struck. Each LeaseSet takes up a second, a new leader signs many at once, and
// what can wait waits while it is over 30 s.
const datesAhead = 20 * time.Second

// untilDatesFit waits until the next leader has no reason to wait.
func (w *world) untilDatesFit() {
	w.t.Helper()
	w.until(2*time.Minute, "LeaseSets are dated near the clock", func() bool {
		a, err := w.leader().ask(false, askTime)
		return err == nil && time.Until(time.Unix(int64(a.LastPublished), 0)) < datesAhead
	})
}

func (w *world) killLeader(leader *process) time.Time {
	at := time.Now()
	leader.kill()
	return at
}

// transfer has the lead handed over as an operator does. On a machine that is busy the
// answer may be that the outcome is not known; rounds then waits for it.
func (w *world) transfer(leader *process) time.Time {
	w.t.Helper()
	at := time.Now()
	err := w.withBalancer(leader, func(ctx context.Context, b *cluster.Conn) error {
		at = time.Now()
		_, err := b.Change(ctx, &clusterpb.ChangeRequest{Kind: clusterpb.ChangeRequest_KIND_TRANSFER})
		return err
	})
	if status.Code(err) == codes.Unavailable && strings.Contains(err.Error(), "outcome unknown") {
		w.t.Log(err)
	} else if err != nil {
		w.t.Errorf("lead not handed over: %v", err)
	}
	return at
}

// handOver has a certain balancer lead.
func (w *world) handOver(to *process) error {
	return w.withLeader(func(ctx context.Context, leader *cluster.Conn) error {
		_, err := leader.Change(ctx, &clusterpb.ChangeRequest{Kind: clusterpb.ChangeRequest_KIND_TRANSFER, Id: to.name})
		return err
	})
}

// settle waits until all balancers run and follow one leader that all frontends
// are attached to.
func (w *world) settle() {
	w.t.Helper()
	w.until(2*time.Minute, "all balancers and frontends follow one leader", func() bool {
		leader := w.leads()
		return leader != nil && w.followed(leader) && w.attached(leader)
	})
}

func (w *world) followed(leader *process) bool {
	last, err := leader.ask(true, askTime)
	for _, p := range w.balancers {
		a, askErr := p.ask(false, askTime)
		if err != nil || askErr != nil || a.Leader != leader.name || a.LastSeq < last.LastSeq {
			return false
		}
	}
	return true
}

func (w *world) attached(leader *process) bool {
	for _, name := range w.frontends() {
		if w.node.Frontend(name).Status().Balancer != leader.ground.address(leader.number) {
			return false
		}
	}
	return true
}

func median(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}
