package plugin

import (
	"sync"
	"time"
)

// How much of a plugin's log is passed on.
const (
	logRate  = 200  // lines a second
	logBurst = 1000 // lines at once
	// maxLine is what is kept of a line, in bytes.
	maxLine = 4 << 10
	// floodRate is how many bytes a second are read of a log that is over its limit: a
	// plugin that writes more waits, so that reading it away takes no time of others.
	floodRate = 8 << 20
)

// A logLimit lets so many lines through: a token bucket.
type logLimit struct {
	mu         sync.Mutex
	tokens     float64
	filled     time.Time
	suppressed uint64    // since they were last told
	told       time.Time // when that was
	total      uint64
}

// allow reports whether a line may pass. tell is how many were suppressed, once a
// second if any were.
func (l *logLimit) allow(now time.Time) (ok bool, tell uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.filled.IsZero() {
		l.tokens = logBurst
	} else {
		l.tokens = min(logBurst, l.tokens+now.Sub(l.filled).Seconds()*logRate)
	}
	l.filled = now
	if ok = l.tokens >= 1; ok {
		l.tokens--
	} else {
		l.suppressed++
		l.total++
	}
	if l.suppressed > 0 && now.Sub(l.told) >= time.Second {
		tell, l.suppressed, l.told = l.suppressed, 0, now
	}
	return ok, tell
}

// rest is what was suppressed and not told yet.
func (l *logLimit) rest() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.suppressed
	l.suppressed = 0
	return n
}

func (l *logLimit) suppressedInAll() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}
