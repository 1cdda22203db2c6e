package cluster

import (
	"context"
	"time"
)

const (
	// lonelyTime is how long a leader waits for frontends that it knows and that
	// are all away: longer than they take to find it, and not so long that the
	// LeaseSets of every day run out.
	lonelyTime = 10 * time.Second
	// maxLonelyTime bounds it as it doubles: they may be away from all balancers.
	maxLonelyTime = 10 * time.Minute
)

// watchCompany hands the lead to another balancer when no frontend reaches this
// one though the balancers do. They see nothing wrong with a leader whose way to
// the frontends is cut, and would keep it until all leases have run out.
func (n *Node) watchCompany() {
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	lonely := newLoneliness()
	for {
		select {
		case <-n.ctx.Done():
			return
		case now := <-ticker.C:
			if known, attached := n.company(); lonely.over(known, attached, now) {
				n.handOverLonely()
			}
		}
	}
}

// A loneliness is for how long a leader has had no frontend.
type loneliness struct {
	patience time.Duration
	since    time.Time // zero: it has one, knows none, or does not lead
}

func newLoneliness() loneliness { return loneliness{patience: lonelyTime} }

// over reports whether it was too long, and then begins anew with twice the
// patience.
func (l *loneliness) over(known, attached int, now time.Time) bool {
	switch {
	case attached > 0:
		*l = newLoneliness()
	case known == 0:
		l.since = time.Time{}
	case l.since.IsZero():
		l.since = now
	case now.Sub(l.since) > l.patience:
		l.patience, l.since = min(2*l.patience, maxLonelyTime), time.Time{}
		return true
	}
	return false
}

// company is how many frontends this balancer knows as the leader, and how many
// of them are there.
func (n *Node) company() (known, attached int) {
	b := n.leader.Load()
	if b == nil {
		return 0, 0
	}
	status := b.Status()
	if !status.GetLeader() {
		return 0, 0
	}
	for _, f := range status.GetFrontends() {
		known++
		if f.GetAttached() {
			attached++
		}
	}
	return known, attached
}

func (n *Node) handOverLonely() {
	if n.voters() < 2 {
		return
	}
	ctx, cancel := context.WithTimeout(n.ctx, stepDownTime)
	defer cancel()
	n.cfg.Logger.Warn("no frontend reaches this balancer, which leads: another one is to try")
	if err := n.store.Transfer(ctx, ""); err != nil {
		n.cfg.Logger.Warn("the lead was not handed over", "error", err)
	}
}
