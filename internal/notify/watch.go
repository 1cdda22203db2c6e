package notify

import (
	"context"
	"errors"
	"runtime/pprof"
	"strings"
	"time"
)

// A Look says in a line how the process is. It fails if that cannot be said, as when locks
// are stuck, and in some seconds.
type Look func(ctx context.Context) (string, error)

// between is how long it is from look to look, and a third of the watchdog's time if that
// is shorter: so that one that fails on a busy machine does not count.
const between = 10 * time.Second

// Watch says that the process runs, and from then on how it is, until stop is called, which
// waits. The watchdog is told nothing while look fails.
func (m *Manager) Watch(look Look) (stop func()) {
	if m == nil {
		return func() {}
	}
	m.say("READY=1", "STATUS=started")
	ctx, cancel := context.WithCancelCause(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.watch(ctx, look)
	}()
	return func() { cancel(errStopped); <-done }
}

func (m *Manager) watch(ctx context.Context, look Look) {
	every := between
	if m.watchdog > 0 {
		every = min(every, m.watchdog/3)
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	well := true
	for {
		line, err := look(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && well {
			m.stuck(err)
		}
		well = err == nil
		m.report(line, err)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (m *Manager) report(line string, err error) {
	if err != nil {
		line = err.Error()
	}
	m.mu.Lock()
	m.status = line
	assignments := []string{statusLine(line, m.trouble)}
	m.mu.Unlock()
	if m.watchdog > 0 && err == nil {
		assignments = append(assignments, "WATCHDOG=1")
	}
	m.say(assignments...)
}

// stuck logs where all goroutines are, since the watchdog leaves nothing to look at. Of
// what functions were called with, which may be a key, there is nothing in it.
func (m *Manager) stuck(err error) {
	if m.watchdog == 0 {
		m.log.Error("it cannot say how it is", "error", err)
		return
	}
	var where strings.Builder
	if profile := pprof.Lookup("goroutine"); profile != nil {
		err = errors.Join(err, profile.WriteTo(&where, 1))
	}
	m.log.Error("it cannot say how it is, and its service manager will end it", "error", err, "watchdog", m.watchdog.String(), "goroutines", where.String())
}
