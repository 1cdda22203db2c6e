package plugin

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

type reload struct {
	ctx    context.Context
	answer chan error // has room for it
}

// Reload looks anew at what the Config names, and has a new instance of that take the
// place of the one that runs, also if nothing has changed. The new one starts
// beside the old; once it is ready and has opened the ports that the old has, or some
// seconds have passed, it gets new streams and those that the old has not accepted, and the
// old one drains. If it does not become ready, the old one goes on as if nothing were
// and the error says why. While none runs, Reload starts one at once.
//
// It returns when the new instance is in place; the old may still drain. ErrNotServing is
// for a Supervisor without Serve.
func (s *Supervisor) Reload(ctx context.Context) error {
	s.mu.Lock()
	serving, closing := s.serving, s.closing
	s.mu.Unlock()
	if !serving {
		return fmt.Errorf("reload plugin %s: %w", s.cfg.Name, ErrNotServing)
	}
	r := reload{ctx, make(chan error, 1)}
	select {
	case s.reloads <- r:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-closing.Done():
		return fmt.Errorf("reload plugin %s: %w", s.cfg.Name, ErrNotServing)
	}
	return <-r.answer
}

// replace puts a new instance into the place of old, and returns it; or old, and why.
func (s *Supervisor) replace(ctx context.Context, old *instance, current **spec) (*instance, error) {
	next, err := s.cfg.resolve()
	if err != nil {
		return old, fmt.Errorf("reload: the old one goes on: %w", err)
	}
	i, err := s.launch(ctx, next)
	if err == nil {
		i.setState(Candidate)
		err = s.awaitPorts(ctx, i, old)
	}
	if err != nil {
		s.log.Error("plugin not replaced: the old one goes on", "error", err)
		next.release()
		return old, fmt.Errorf("reload: the old one goes on: %w", err)
	}
	(*current).release()
	*current = next
	s.activate(i)
	s.log.Info("plugin replaced, the old one drains", "pid", i.pid(), "old_pid", old.pid(), "limit", s.cfg.DrainLimit)
	old.drain(s.cfg.DrainLimit)
	s.mu.Lock()
	s.reloaded++
	s.mu.Unlock()
	return i, nil
}

// awaitPorts waits until a new instance has opened what the old one has, or has had
// time to. It fails if the new one ends.
func (s *Supervisor) awaitPorts(ctx context.Context, i, old *instance) error {
	late := time.NewTimer(s.timing.portGrace)
	defer late.Stop()
	for !s.ports.has(i, old) {
		select {
		case <-i.opened:
		case <-old.done:
			return nil
		case <-late.C:
			s.log.Warn("the new plugin has not opened all ports of the old one; it takes over all the same")
			return nil
		case <-i.closing:
			<-i.done
			return fmt.Errorf("the new one ended: %w", cmp.Or(i.err, errServiceDone))
		case <-ctx.Done():
			i.kill(errStopped)
			<-i.done
			return context.Cause(ctx)
		}
	}
	return nil
}
