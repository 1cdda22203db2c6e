package upd

import (
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/watch"
)

// A Status is how a site is: of each part what there is to say of one that runs by itself.
type Status struct {
	Destination string `json:"destination"` // b32
	// Balancer is what "onelease cluster status --json" has, by Config.Leader.
	Balancer  any                    `json:"balancer"`
	Frontends []watch.FrontendStatus `json:"frontends"` // one for each router
	Backend   daemon.Status          `json:"backend"`
}

// A look is what all parts say of themselves at one time.
type look struct {
	at        time.Time
	leader    *controlpb.Status
	frontends []frontend.Status // in the order of the routers
	stats     backend.Stats
	draining  bool
}

func (s *Site) look() *look {
	l := &look{at: time.Now(), leader: s.node.Balancer().Status(), stats: s.node.Host().Stats(), draining: s.leaves.Load()}
	for _, r := range s.routers {
		l.frontends = append(l.frontends, s.node.Frontend(r.Name).Status())
	}
	return l
}

// Status is how it is now. It is of use while the Site is Run.
func (s *Site) Status() Status { return s.statusOf(s.look()) }

func (s *Site) statusOf(l *look) Status {
	status := Status{Destination: s.b32, Balancer: l.leader, Backend: daemon.StatusOf(l.stats, s.set, s.since)}
	status.Backend.Destination, status.Backend.Draining = s.b32, l.draining
	if s.cfg.Leader != nil {
		status.Balancer = s.cfg.Leader(l.leader)
	}
	for _, f := range l.frontends {
		status.Frontends = append(status.Frontends, watch.StatusOf(f))
	}
	return status
}
