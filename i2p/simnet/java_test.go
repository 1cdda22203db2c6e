package simnet_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

func TestJavaPublish(t *testing.T) {
	inNetwork(t, simnet.JavaI2P, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
		p := &pushing{holder: newHolder(t, r, i2p.Mapping{}), n: n, begin: time.Now()}
		p.pushAt(time.Second)
		p.publishedAt(4 * time.Second)
		p.pushAt(10 * time.Second)
		p.pushAt(20 * time.Second)
		p.publishedAt(64 * time.Second)
		p.pushAt(130 * time.Second)
		n.SetLink(simnet.Link{Loss: 1})
		p.sleepTo(134 * time.Second)
		n.SetLink(simnet.Link{})
		p.publishedAt(148 * time.Second) // by the next floodfill
	})
}

// The first message with a new LeaseSet is lost, the second arrives.
func TestBundledUntilAcknowledged(t *testing.T) {
	for _, c := range []struct {
		profile simnet.Profile
		want    bool
	}{{simnet.I2PD258, false}, {simnet.JavaI2P, true}} {
		t.Run(c.profile.Name, func(t *testing.T) {
			inNetwork(t, c.profile, func(t *testing.T, n *simnet.Network, _ *simnet.Router) {
				remotes, _ := ready(n, c.profile, 2)
				from, to := remotes[0], remotes[1]
				for range 3 {
					say(t, from, to)
					time.Sleep(time.Second)
					say(t, to, from)
					time.Sleep(time.Second)
				}
				before, _ := to.LeaseSet(from.Destination().Hash())
				from.Router().FailTunnel(from.Destination().Hash(), 0)
				n.SetLink(simnet.Link{Loss: 1})
				say(t, from, to)
				n.SetLink(simnet.Link{})
				say(t, from, to)
				time.Sleep(time.Second)
				after, _ := to.LeaseSet(from.Destination().Hash())
				if got := !bytes.Equal(before, after); got != c.want {
					t.Errorf("the second message brought the LeaseSet: %v, want %v", got, c.want)
				}
			})
		})
	}
}

// Java goes on with a lease that has ended, i2pd does not. Tunnels outlive
// their leases, so both get through.
func TestEndedLease(t *testing.T) {
	for _, c := range []struct {
		profile simnet.Profile
		lookups uint64
	}{{simnet.I2PD258, 1}, {simnet.JavaI2P, 0}} {
		t.Run(c.profile.Name, func(t *testing.T) {
			inNetwork(t, c.profile, func(t *testing.T, n *simnet.Network, r *simnet.Router) {
				h := newHolder(t, r, i2p.Mapping{})
				remote := n.NewRemote(simnet.RemoteConfig{Profile: c.profile})
				time.Sleep(30 * time.Second)
				end := time.Now().Add(30 * time.Second)
				h.leases[0].End = end
				h.push(time.Now())
				time.Sleep(25 * time.Second)
				send := func() {
					if err := remote.Send(h.hash(), 0, 0, 18, []byte("x")); err != nil {
						t.Fatal(err)
					}
					time.Sleep(2 * time.Second)
				}
				send()
				before := remote.Router().Stats().Lookups
				time.Sleep(time.Until(end.Add(5 * time.Second)))
				send()
				if got := remote.Router().Stats().Lookups - before; got != c.lookups {
					t.Errorf("%d lookups for a LeaseSet 5 s after its end, want %d", got, c.lookups)
				}
			})
		})
	}
}
