package streamservice

import (
	"fmt"
	"sync"
	"time"
)

// A Meter notes when bytes arrive. Its zero value is ready; its methods may be
// called by many goroutines.
type Meter struct {
	mu     sync.Mutex
	last   time.Time
	report Report
}

// A Report is what a Meter has seen.
type Report struct {
	Begun time.Time // when the request was made or, of an upload, arrived
	Bytes int64
	First time.Duration // from the request to the first byte; 0 while there is none
	Total time.Duration // from the request to the last byte so far
	Gap   time.Duration // the longest time without a byte, also before the first
	GapAt time.Duration // when that began, from the request
	// Stalls are the gaps of StallTime or more.
	Stalls int
}

// StallTime is what a user notices.
const StallTime = 3 * time.Second

// String is for logs.
func (r Report) String() string {
	return fmt.Sprintf("%d bytes in %.2f s, first after %.2f s, longest gap %.2f s from %.2f s on",
		r.Bytes, r.Total.Seconds(), r.First.Seconds(), r.Gap.Seconds(), r.GapAt.Seconds())
}

// begin is called when the request is made.
func (m *Meter) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = time.Now()
	m.report = Report{Begun: m.last}
}

func (m *Meter) add(n int) {
	if n <= 0 {
		return
	}
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.report.gap(m.last, now)
	if m.report.Bytes == 0 {
		m.report.First = now.Sub(m.report.Begun)
	}
	m.report.Bytes += int64(n)
	m.report.Total = now.Sub(m.report.Begun)
	m.last = now
}

// gap notes that there was none between two times.
func (r *Report) gap(from, to time.Time) {
	d := to.Sub(from)
	if d > r.Gap {
		r.Gap, r.GapAt = d, from.Sub(r.Begun)
	}
	if d >= StallTime {
		r.Stalls++
	}
}

// Bytes is how many have arrived.
func (m *Meter) Bytes() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.report.Bytes
}

// Mark forgets all gaps but the one that may last now, so that Report tells what
// happened since.
func (m *Meter) Mark() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.report.Gap, m.report.GapAt = 0, 0
}

// Report is what was seen up to the last byte.
func (m *Meter) Report() Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.report
}

// Lasting is like Report, but counts the time since the last byte as a gap: for
// a transfer that is not over.
func (m *Meter) Lasting() Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.report
	if !r.Begun.IsZero() {
		r.gap(m.last, time.Now())
	}
	return r
}
