package upd

import (
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

func (s *Site) look() *look {
	l := s.view.look()
	l.draining = s.leaves.Load()
	return l
}

// Status is how it is now. It is of use while the Site is Run.
func (s *Site) Status() Status { return s.view.status(s.look(), s.set) }
