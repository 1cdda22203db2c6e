package streaming

import (
	"time"

	"github.com/onelease/onelease/i2p"
)

// NudgeSilent is Nudge for those streams with that remote alone that were not
// heard after since. It returns how many they are; those whose Dial waits for
// its first answer are nudged too, but do not count.
func (s *Stack) NudgeSilent(remote i2p.Hash, since time.Time) int {
	at := since.Sub(s.epoch) + 1 // as in now
	silent := 0
	for _, st := range s.with(remote) {
		if st.nudgeSilent(at) {
			silent++
		}
	}
	return silent
}

// nudgeSilent reports whether the stream is open and silent.
func (st *Stream) nudgeSilent(since time.Duration) bool {
	st.mu.Lock()
	silent, isOpen := st.lastHeard <= since, st.state == open
	st.mu.Unlock()
	if silent {
		st.nudge() // nothing if it has ended
	}
	return silent && isOpen
}
