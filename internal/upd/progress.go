package upd

import (
	"context"
	"sync"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/frontend"
)

// How often it is looked whether there is something to tell: glanceTime for the first
// startTime, and patientTime when the site waits for a router that may be away for days.
const (
	glanceTime  = 200 * time.Millisecond
	startTime   = 2 * time.Minute
	patientTime = 5 * time.Second
)

// A progress is what was told of the start already.
type progress struct {
	site       *Site
	routers    map[string]routerProgress
	published  bool
	served     uint32 // by so many routers
	everywhere bool
}

type routerProgress struct{ up, tunnels bool }

// keepTelling tells how the start gets on, until all members serve or ctx ends. The returned
// function ends it, and waits.
func (s *Site) keepTelling(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		p := &progress{site: s, routers: map[string]routerProgress{}}
		ticker := time.NewTicker(glanceTime)
		defer ticker.Stop()
		for !p.everywhere {
			select {
			case <-ticker.C:
				p.tell(s.look())
				if time.Since(s.since) > startTime {
					ticker.Reset(patientTime)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

func (p *progress) tell(l *look) {
	after := l.at.Sub(p.site.since).Round(100 * time.Millisecond)
	members := uint32(0)
	for _, f := range l.frontends {
		p.tellRouter(f, after)
		if f.Member && !f.Refuge {
			members++
		}
	}
	m := l.leader.GetMerged()
	if m == nil {
		return
	}
	p.published = p.published || isPublished(l.leader)
	if p.published && m.GetRouters() > p.served {
		p.served = m.GetRouters()
		p.site.log.Info("the site is served", "address", p.site.URL(), "routers", p.served, "of", members, "leases", m.GetLeases(), "after", after)
	}
	p.everywhere = p.published && p.served >= members
}

func (p *progress) tellRouter(f frontend.Status, after time.Duration) {
	was := p.routers[f.Name]
	is := routerProgress{was.up || f.RouterUp, was.tunnels || len(f.Pool) > 0}
	if is.up && !was.up {
		p.site.log.Info("the router has our session", "router", f.Name, "dontPublishLeaseSet", f.Quirk, "after", after)
	}
	if is.tunnels && !was.tunnels {
		p.site.log.Info("the router has tunnels for us", "router", f.Name, "tunnels", len(f.Pool), "after", after)
	}
	p.routers[f.Name] = is
}

// isPublished reports whether a publisher's router has installed the merged LeaseSet.
func isPublished(s *controlpb.Status) bool {
	for _, f := range s.GetFrontends() {
		if f.GetPublisher() && f.GetInstalledSeq() >= s.GetMerged().GetSeq() {
			return true
		}
	}
	return false
}
