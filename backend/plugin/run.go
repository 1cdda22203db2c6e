package plugin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// A backoff says how long to wait for the next start.
type backoff struct {
	first, most time.Duration // bounds of the wait
	stable      time.Duration // what runs for so long was no failure to start

	failures int
}

// next is the wait after something ran for so long: none after the first failure, then
// twice as long each time, and up to a quarter less.
func (b *backoff) next(ran time.Duration) time.Duration {
	if ran >= b.stable {
		b.failures = 0
	}
	b.failures++
	if b.failures == 1 {
		return 0
	}
	wait := b.most
	if n := b.failures - 2; n < 30 {
		wait = min(wait, b.first<<n)
	}
	return wait - time.Duration(rand.Int64N(int64(wait)/4+1))
}

// run starts instances, one after the other, until ctx ends or the service is done.
func (s *Supervisor) run(ctx context.Context) error {
	var spec *spec // nil until there is something to run
	defer func() { spec.release() }()
	pause := s.timing.backoff
	var asked *reload // whose answer is the next start
	for first := true; ; first = false {
		began := time.Now()
		err := s.once(ctx, &spec, asked)
		asked = nil
		switch {
		case errors.Is(err, errServiceDone):
			s.log.Info("the plugin's service has done its work")
			return nil
		case ctx.Err() != nil:
			return nil
		case first && s.cfg.MustStart && errors.Is(err, errStart):
			return err
		}
		if asked, err = s.wait(ctx, pause.next(time.Since(began))); err != nil {
			return nil
		}
		s.mu.Lock()
		s.restarts++
		s.mu.Unlock()
	}
}

// errStart marks errors of a start.
var errStart = errors.New("the plugin was not started")

// once runs one instance and its successors. spec is looked up anew if there is none or
// asked wants it; that gets the answer.
func (s *Supervisor) once(ctx context.Context, current **spec, asked *reload) error {
	i, err := s.startOnce(ctx, current, asked != nil)
	if asked != nil {
		asked.answer <- err
	}
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("plugin not started", "error", err)
			s.noteFailure(err)
		}
		return fmt.Errorf("%w: %w", errStart, err)
	}
	s.activate(i)
	return s.tend(ctx, i, current)
}

func (s *Supervisor) startOnce(ctx context.Context, current **spec, anew bool) (*instance, error) {
	if *current == nil || anew {
		next, err := s.cfg.resolve()
		if err != nil {
			return nil, err
		}
		(*current).release()
		*current = next
	}
	return s.launch(ctx, *current)
}

func (s *Supervisor) noteFailure(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lastExit.At.IsZero() || s.lastExit.Reason != err.Error() {
		s.lastExit = Exit{At: time.Now(), Reason: err.Error(), Lines: s.lastExit.Lines}
	}
}

// tend waits for the end of an instance, and of those that take its place.
func (s *Supervisor) tend(ctx context.Context, i *instance, current **spec) error {
	for {
		select {
		case <-i.done:
			if i.err == nil {
				return errServiceDone
			}
			return i.err
		case r := <-s.reloads:
			var err error
			i, err = s.replace(r.ctx, i, current)
			r.answer <- err
		case <-ctx.Done():
			s.log.Info("draining the plugin", "limit", s.cfg.DrainLimit)
			i.drain(s.cfg.DrainLimit)
			<-i.done
			return nil
		}
	}
}

// wait waits to start again. A Reload starts at once; its answer is that start's.
func (s *Supervisor) wait(ctx context.Context, pause time.Duration) (*reload, error) {
	s.mu.Lock()
	s.nextStart = time.Now().Add(pause)
	s.mu.Unlock()
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil, nil
	case r := <-s.reloads:
		return &r, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
