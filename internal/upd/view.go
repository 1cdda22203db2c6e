package upd

import (
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/watch"
)

// A View is what there is to see of a Node that has all parts in this process: by a Site of
// its own, and by others of theirs.
type View struct {
	Node *onelease.Node
	// Name may be empty.
	Name string
	// Destination is its b32 address, and Routers are the names of its routers, in the order
	// to show them.
	Destination string
	Routers     []string
	Since       time.Time // when it was started
	// Leader makes what Status has of the balancer; nil has the message itself.
	Leader func(*controlpb.Status) any
}

// Snapshot is how the Node is now. Of several backends it has the first, and it has no
// services.
func (v *View) Snapshot() *admin.Snapshot { return v.show(v.look(), &daemon.Set{}) }

// A look is what all parts say of themselves at one time.
type look struct {
	at        time.Time
	leader    *controlpb.Status
	frontends []frontend.Status // in the order of the routers
	stats     backend.Stats
	draining  bool
}

func (v *View) look() *look {
	l := &look{at: time.Now(), leader: &controlpb.Status{}, stats: v.Node.Host().Stats()}
	if b := v.Node.Balancer(); b != nil {
		l.leader = b.Status()
	}
	for _, name := range v.Routers {
		l.frontends = append(l.frontends, v.Node.Frontend(name).Status())
	}
	return l
}

func (v *View) status(l *look, set *daemon.Set) Status {
	status := Status{Destination: v.Destination, Balancer: l.leader, Backend: daemon.StatusOf(l.stats, set, v.Since)}
	status.Backend.Destination, status.Backend.Draining = v.Destination, l.draining
	if v.Leader != nil {
		status.Balancer = v.Leader(l.leader)
	}
	for _, f := range l.frontends {
		status.Frontends = append(status.Frontends, watch.StatusOf(f))
	}
	return status
}

// show has the metrics of all parts, and whether a visitor would find the Destination and be
// served.
func (v *View) show(l *look, set *daemon.Set) *admin.Snapshot {
	status := v.status(l, set)
	shown := &admin.Snapshot{Role: admin.RoleUp, Name: v.Name, Status: status}
	shown.Need("drain", !l.draining, "none", "it was told to end, and takes nothing new")
	shown.Brief = brief(l)
	checkLeader(shown, l.leader, l.at)
	checkRoles(shown, l.frontends)
	daemon.CheckFrontends(shown, l.stats.Frontends)
	set.Watch(shown, status.Backend.Services)
	daemon.Measure(shown, l.stats, l.draining)
	if l.leader.GetLeader() { // else its counters would fall to 0, and rise by all they had
		watch.MeasureLeader(shown, l.leader)
	}
	for _, f := range l.frontends {
		shown.Join(watch.Frontend(f, nil, l.at), f.Name)
	}
	return shown
}
