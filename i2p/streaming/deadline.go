package streaming

import (
	"net"
	"sync"
	"time"
)

// A deadline ends calls that wait on cond. The Stream's lock guards it.
type deadline struct {
	cond  *sync.Cond
	at    time.Time // zero: none
	timer *time.Timer
}

// passed says whether the time has come.
func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// wake is what the timer does. The clock of the deadline may be another than the
// timer's, so it looks.
func (d *deadline) wake() {
	if left := time.Until(d.at); !d.at.IsZero() && left > 0 {
		d.timer.Reset(left)
		return
	}
	d.cond.Broadcast()
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
}

func (st *Stream) setDeadline(d *deadline, t time.Time) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.appClosed {
		return net.ErrClosed
	}
	d.at = t
	d.stop()
	wait := time.Until(t)
	switch {
	case t.IsZero():
	case wait <= 0:
		d.cond.Broadcast()
	case d.timer == nil:
		d.timer = time.AfterFunc(wait, func() {
			st.mu.Lock()
			defer st.mu.Unlock()
			d.wake()
		})
	default:
		d.timer.Reset(wait)
	}
	return nil
}
