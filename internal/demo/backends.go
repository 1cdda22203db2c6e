package demo

import (
	"fmt"
	"sync"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
)

// A worker is one backend of a demo.
type worker struct {
	name   string
	host   *backend.Host
	killed bool
	seeds  *seeds // of the downloads that it has served, unless a plugin serves
}

// seeds are a set.
type seeds struct {
	mu  sync.Mutex
	set map[uint64]bool
}

func (s *seeds) add(seed uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set[seed] = true
}

func (s *seeds) has(seed uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set[seed]
}

// hire has the node run as many backends as cfg wants.
func (w *world) hire(cfg Config, node *onelease.Config) error {
	for i := range cfg.Backends {
		one := &worker{name: fmt.Sprintf("backend-%d", i+1), seeds: &seeds{set: map[uint64]bool{}}}
		w.workers = append(w.workers, one)
		service, err := w.newService(cfg, one)
		if err != nil {
			return err
		}
		if cfg.Backends == 1 {
			node.Service = service
			return nil
		}
		node.Backends = append(node.Backends, onelease.Backend{Name: one.name, Service: service})
	}
	return nil
}

// meet finds the hosts of the backends once they run.
func (w *world) meet() {
	for _, one := range w.workers {
		if one.host = w.node.Host(); len(w.workers) > 1 {
			one.host = w.node.Backend(one.name)
		}
	}
}

// newService is what a backend runs.
func (w *world) newService(cfg Config, one *worker) (backend.Service, error) {
	if cfg.Plugin == "" {
		return service{one.seeds}, nil
	}
	s, err := cfg.newPlugin()
	if err != nil {
		return nil, err
	}
	w.plugins = append(w.plugins, s)
	return s, nil
}

// frontends is what the backends know of each frontend. Backends tell each other who is
// heard where, so the one that knows of most remotes knows all.
func (w *world) frontends() map[string]backend.FrontendStats {
	all := map[string]backend.FrontendStats{}
	for _, one := range w.workers {
		if one.killed {
			continue
		}
		for _, f := range one.host.Stats().Frontends {
			sum := all[f.Name]
			sum.In += f.In
			sum.Out += f.Out
			sum.Remotes = max(sum.Remotes, f.Remotes)
			all[f.Name] = sum
		}
	}
	return all
}

// killBackend kills the backend that has most streams, as kill -9 would: what streams it
// had end with it, and everything else goes to the others.
func (r *run) killBackend() {
	var victim *worker
	for _, one := range r.world.workers {
		if !one.killed && (victim == nil || one.host.Stats().Streams.Open > victim.host.Stats().Streams.Open) {
			victim = one
		}
	}
	e := r.begin(killBackend, victim.name)
	r.world.tally.Kill(e.at)
	victim.killed = true
	for _, c := range r.world.downloading() {
		if victim.seeds.has(c.download.seed) {
			c.download.loseBackend()
		}
	}
	r.world.node.KillBackend(victim.name)
	r.say(e.at, "killed "+victim.name)
}
