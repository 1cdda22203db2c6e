package backend

import (
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/onelease/onelease/internal/pluginwire"
)

// A streamSet has a plugin's streams that are open, to wait for and to end them. Its
// zero value is empty.
type streamSet struct {
	mu    sync.Mutex
	ended bool
	open  map[*pluginwire.Conn]struct{}
	none  chan struct{} // closed when none is open, once the set has ended
}

func (s *streamSet) add(c *pluginwire.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		c.Reset()
		return net.ErrClosed
	}
	if s.open == nil {
		s.open = make(map[*pluginwire.Conn]struct{})
	}
	s.open[c] = struct{}{}
	c.OnDone(func() { s.remove(c) })
	return nil
}

func (s *streamSet) remove(c *pluginwire.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	if len(s.open) == 0 && s.ended {
		close(s.none)
	}
}

// end has no more streams added, and returns what is closed when none is open.
func (s *streamSet) end() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended, s.none = true, make(chan struct{})
	if len(s.open) == 0 {
		close(s.none)
	}
	return s.none
}

// resetWait is how long streams have to tell that they were reset.
const resetWait = time.Second

// finish waits until no stream is open, or late is closed; then it resets the rest.
// It is called once.
func (s *streamSet) finish(late <-chan struct{}) {
	none := s.end()
	select {
	case <-none:
		return
	case <-late:
	}
	s.reset()
	select {
	case <-none:
	case <-time.After(resetWait):
	}
}

// reset resets all that are open now.
func (s *streamSet) reset() {
	s.mu.Lock()
	open := slices.Collect(maps.Keys(s.open))
	s.mu.Unlock()
	for _, c := range open { // without the lock: remove is called with theirs held
		c.Reset()
	}
}
