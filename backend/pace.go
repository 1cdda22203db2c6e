package backend

import "time"

// A pace hands out moments in time that are not closer than a rate, but for a
// short burst after a pause. The zero value begins with a burst.
type pace struct{ next time.Time }

// helloBurst is how many hellos may go out at once after a pause.
const helloBurst = 10

// reserve returns the next free moment, now or later, and takes it.
func (p *pace) reserve(now time.Time, every time.Duration) time.Time {
	if earliest := now.Add(-(helloBurst - 1) * every); p.next.Before(earliest) {
		p.next = earliest
	}
	at := p.next
	p.next = at.Add(every)
	if at.Before(now) {
		return now
	}
	return at
}
