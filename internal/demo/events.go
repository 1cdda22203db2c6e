package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/onelease/onelease/i2p"
)

// lookEvery is how often the demo looks at what became of things.
const lookEvery = 50 * time.Millisecond

// An event is one kill or drain and what has been seen of it.
type event struct {
	report EventReport
	at     time.Time
	leases []i2p.Lease          // the target's, as last reported before
	signed <-chan time.Duration // until the next leader signed
}

// killNext kills, or drains, a member that still lives, or kills the balancer
// that leads.
func (r *run) killNext(what string) error {
	switch what {
	case killLeader:
		return r.killLeader()
	case killPlugin:
		return r.killPlugin()
	case killBackend:
		r.killBackend()
		return nil
	}
	name := r.victim()
	e := r.begin(what, name)
	e.leases = r.leasesOf(name)
	r.strike(e)
	if what == killDrain {
		r.say(e.at, "draining "+name)
		return r.world.node.Drain(name, true)
	}
	r.world.tally.Kill(e.at)
	if what == killRouter {
		r.world.network.Router(name).Kill()
	} else {
		r.world.node.KillFrontend(name)
	}
	r.say(e.at, fmt.Sprintf("killed %s of %s", what, name))
	return nil
}

// begin notes an event that happens now.
func (r *run) begin(kind, target string) *event {
	e := &event{at: time.Now(), report: EventReport{Kind: kind, Target: target}}
	e.report.AtMS = e.at.Sub(r.began).Milliseconds()
	r.events = append(r.events, e)
	return e
}

// takesLeases reports whether leases are to leave the netDB when something of that
// kind is killed.
func takesLeases(kind string) bool {
	return kind == killRouter || kind == killFrontend || kind == killDrain
}

// killLeader kills the balancer that leads. No request should notice.
func (r *run) killLeader() error {
	leader := r.world.local.Leader()
	if leader == nil {
		return errors.New("no balancer leads that could be killed: this machine is too busy for elections of a quarter of a second")
	}
	term, _ := r.world.local.Issued()
	e := r.begin(killLeader, leader.Name())
	signed := make(chan time.Duration, 1)
	e.signed = signed
	leader.Kill()
	go func() { signed <- r.awaitTerm(term, e.at) }()
	r.say(e.at, "killed the leading balancer, "+e.report.Target)
	return nil
}

// awaitTerm returns how long after the kill a later term signed; 0: not in time.
func (r *run) awaitTerm(term uint64, at time.Time) time.Duration {
	for time.Since(at) < netDBTime {
		if now, _ := r.world.local.Issued(); now > term {
			return time.Since(at)
		}
		time.Sleep(time.Millisecond)
	}
	return 0
}

// lookSigned notes that the next leader signed.
func (r *run) lookSigned(e *event, now time.Time) {
	select {
	case took := <-e.signed:
		if took > 0 {
			e.report.RecoveredMS = milliseconds(took)
			r.say(now, fmt.Sprintf("the next leader has signed its first LeaseSet, %d ms after the kill", took.Milliseconds()))
		}
	default:
	}
}

// say shows a line with the time.
func (r *run) say(now time.Time, line string) {
	r.show.say(fmt.Sprintf("%5.1f s  %s", now.Sub(r.began).Seconds(), line))
}

// victim is the member that took over the fewest remotes from those killed
// before. A remote that has just moved cannot be moved again for two minutes:
// stock routers keep its young session. The demo is about what happens without
// such bad luck. Among equals it is the one that serves the fewest, since those
// cannot move to all of the others, but one that serves any.
func (r *run) victim() string {
	remotes := r.remotesByMember()
	if r.settled == nil {
		r.settled = remotes
	}
	cost := func(name string) int {
		taken := remotes[name] - r.settled[name]
		if remotes[name] == 0 {
			return len(r.world.clients)
		}
		return taken*2*len(r.world.clients) + remotes[name]
	}
	best := ""
	for _, name := range slices.Sorted(maps.Keys(remotes)) {
		if !r.killed(name) && (best == "" || cost(name) < cost(best)) {
			best = name
		}
	}
	return best
}

// remotesByMember counts the remotes that each member serves.
func (r *run) remotesByMember() map[string]int {
	count := map[string]int{}
	for name, f := range r.world.frontends() {
		count[name] = f.Remotes
	}
	return count
}

func (r *run) killed(name string) bool {
	return slices.ContainsFunc(r.events, func(e *event) bool { return e.report.Target == name })
}

// leasesOf are the tunnels that the balancer knows of a frontend.
func (r *run) leasesOf(name string) []i2p.Lease {
	var leases []i2p.Lease
	for _, f := range r.world.balancers().GetFrontends() {
		if f.GetName() != name {
			continue
		}
		for _, l := range f.GetLeases() {
			leases = append(leases, i2p.Lease{Gateway: i2p.Hash(l.GetGateway()), Tunnel: l.GetTunnelId()})
		}
	}
	return leases
}

// look notes what has come of the kills so far.
func (r *run) look(now time.Time) {
	r.world.balancers()
	for _, e := range r.events {
		switch e.report.Kind {
		case killLeader:
			r.lookSigned(e, now)
			continue
		case killPlugin:
			r.lookPlugin(e, now)
			continue
		}
		if takesLeases(e.report.Kind) && e.report.LeasesGoneMS == nil && r.gone(e) {
			e.report.LeasesGoneMS = milliseconds(now.Sub(e.at))
			r.say(now, fmt.Sprintf("the leases of %s have left the netDB", e.report.Target))
		}
		if e.report.RecoveredMS == nil {
			r.lookRecovered(e, now)
		}
		if e.report.Kind == killDrain && e.report.EmptiedMS == nil && r.remotesByMember()[e.report.Target] == 0 {
			e.report.EmptiedMS = milliseconds(now.Sub(e.at))
			r.world.network.Router(e.report.Target).Kill()
			r.say(now, "nobody is left at "+e.report.Target+": stopped it")
		}
	}
}

func (r *run) lookRecovered(e *event, now time.Time) {
	if took, ok := r.world.tally.Recovery(e.at); ok {
		e.report.RecoveredMS = milliseconds(took)
		r.say(now, "every remote is answered again")
	}
}

// gone reports whether no floodfill lists a lease of e's target.
func (r *run) gone(e *event) bool {
	for _, floodfill := range r.world.network.Floodfills() {
		raw, ok := floodfill.Lookup(r.world.dest.Hash())
		if !ok {
			continue
		}
		if ls, _, err := i2p.ParseLeaseSet2(raw); err != nil || lists(ls, e.leases) {
			return false
		}
	}
	return true
}

func lists(ls *i2p.LeaseSet2, leases []i2p.Lease) bool {
	for _, l := range ls.Leases {
		for _, other := range leases {
			if l.SameTunnel(other) {
				return true
			}
		}
	}
	return false
}

// inNetDB reports whether the netDB returns what was signed last. A LeaseSet
// that was signed a moment ago may still be on its way: it has a few seconds.
func (r *run) inNetDB(ctx context.Context) bool {
	for tries := 0; tries < int(answerTime/lookEvery) && ctx.Err() == nil; tries++ {
		_, raw := r.world.published()
		r.world.balancers()
		if signed := r.world.merged.GetLeaseSet(); raw != nil && bytes.Equal(raw, signed) {
			return true
		}
		rest(ctx, lookEvery)
	}
	return false
}
