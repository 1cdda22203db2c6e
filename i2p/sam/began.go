package sam

import (
	"sync"
	"time"
)

const (
	// beganMost is how many SYNs are remembered, once or twice.
	beganMost = 4096
	// beganFor is for how long, once or twice: remotes send a SYN again for about
	// a minute.
	beganFor = time.Minute
)

// began remembers who got the latest SYNs, by the remote's ID, so that one that
// comes again goes to the same backend though others have come or gone. All
// frontends know it: the backend tells those that it did not come by. Its zero
// value is empty.
type began struct {
	mu          sync.Mutex
	young, aged map[uint32]beginning
	since       time.Time // of young
}

// A beginning is who sent a SYN, as owner.KeyOf, and the tag of who got it.
type beginning struct {
	key uint64
	tag uint16
}

func (m *began) note(id uint32, b beginning) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); len(m.young) >= beganMost || now.Sub(m.since) > beganFor {
		if m.aged = m.young; now.Sub(m.since) > 2*beganFor {
			m.aged = nil
		}
		m.young, m.since = make(map[uint32]beginning), now
	}
	m.young[id] = b
}

func (m *began) find(id uint32) (beginning, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b, ok := m.young[id]; ok {
		return b, true
	}
	b, ok := m.aged[id]
	return b, ok
}
