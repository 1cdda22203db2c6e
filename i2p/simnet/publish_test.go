package simnet_test

import (
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

// A pushing is a publisher that pushes at given times since begin.
type pushing struct {
	*holder
	n     *simnet.Network
	begin time.Time
	last  []byte
}

// pushingIn runs f for the makes of i2pd, with a publisher that just pushed for
// the first time.
func pushingIn(t *testing.T, f func(p *pushing)) {
	for _, profile := range []simnet.Profile{simnet.I2PD245, simnet.I2PD258} {
		t.Run(profile.Name, func(t *testing.T) {
			inNetwork(t, profile, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
				p := &pushing{holder: newHolder(t, r, i2p.Mapping{}), n: n}
				time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
				p.begin = time.Now()
				p.pushAt(0)
				f(p)
			})
		})
	}
}

func (p *pushing) sleepTo(at time.Duration) { time.Sleep(time.Until(p.begin.Add(at))) }

func (p *pushing) pushAt(at time.Duration) {
	p.sleepTo(at)
	p.last = p.push(time.Now())
}

// publishedAt checks that the last push reached the netDB at that time.
func (p *pushing) publishedAt(at time.Duration) {
	p.t.Helper()
	p.sleepTo(at - 10*time.Millisecond)
	early := held(p.n, p.hash(), p.last)
	p.sleepTo(at + 500*time.Millisecond)
	if early || !held(p.n, p.hash(), p.last) {
		p.t.Errorf("not published at %v (but before: %v)", at, early)
	}
}

func TestPublishAtOnce(t *testing.T) {
	pushingIn(t, func(p *pushing) {
		p.publishedAt(0)
		p.pushAt(20 * time.Second)
		p.publishedAt(20 * time.Second)
	})
}

// A push that is too soon waits for a whole interval, which a further one
// begins anew. But one that comes an interval after the last store goes out at
// once, also if another waits.
func TestPublishTooSoon(t *testing.T) {
	pushingIn(t, func(p *pushing) {
		p.pushAt(5 * time.Second)
		p.pushAt(15 * time.Second)
		p.publishedAt(35 * time.Second)
		p.pushAt(50 * time.Second)
		p.pushAt(56 * time.Second)
		p.publishedAt(56 * time.Second)
	})
}

// A timer that a push left running publishes the same again later, and that
// has a push wait that comes 21 s after the one before.
func TestPublishedAgainByTimer(t *testing.T) {
	pushingIn(t, func(p *pushing) {
		p.pushAt(5 * time.Second)  // has a timer run to 25 s, 45 s
		p.pushAt(21 * time.Second) // at once
		p.publishedAt(21 * time.Second)
		p.sleepTo(46 * time.Second)
		if s := p.n.Stats(); s.Publishes != 2 || s.Refused != 1 {
			p.t.Errorf("%d stores taken and %d refused, want 2 and the second again", s.Publishes, s.Refused)
		}
		p.pushAt(47 * time.Second)
		p.publishedAt(67 * time.Second)
		for _, at := range []time.Duration{68, 89, 110} { // each 1 s after a store
			p.pushAt(at * time.Second)
			p.publishedAt((at + 20) * time.Second)
		}
		p.pushAt(171 * time.Second) // 41 s after a store
		p.publishedAt(171 * time.Second)
	})
}

// A push while the last is not confirmed is not noted. The verification finds
// it, and then it is too soon.
func TestPublishWhileUnconfirmed(t *testing.T) {
	pushingIn(t, func(p *pushing) {
		p.sleepTo(20 * time.Millisecond)
		p.last = p.push(p.begin.Add(time.Second))
		p.sleepTo(25 * time.Second)
		if held(p.n, p.hash(), p.last) {
			p.t.Fatal("published before it was verified")
		}
		p.sleepTo(32 * time.Second)
		if !held(p.n, p.hash(), p.last) {
			p.t.Error("not published after verification and the interval")
		}
	})
}

// The answer to a request for leases is a push, whatever it says.
func TestPublishOfAnswerCounts(t *testing.T) {
	pushingIn(t, func(p *pushing) {
		p.sleepTo(25 * time.Second)
		p.install(p.last, p.key)
		p.pushAt(40 * time.Second)
		p.publishedAt(60 * time.Second)
	})
}
