package onelease_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

// TestDontPublishQuirk has routers of both kinds and each setting. With the
// wrong one the members publish, and the netDB has a LeaseSet of one of them.
func TestDontPublishQuirk(t *testing.T) {
	for _, test := range []struct {
		profile simnet.Profile
		quirk   frontend.Quirk
		works   bool
	}{
		{simnet.I2PD258, frontend.Inverted, true},
		{simnet.I2PD258, frontend.Auto, true},
		{simnet.I2PD258, frontend.Normal, false},
		{simnet.I2PD258, "", false}, // which is Normal
		{simnet.I2PD245, frontend.Normal, true},
		{simnet.I2PD245, frontend.Auto, true},
		{simnet.I2PD245, frontend.Inverted, false},
	} {
		t.Run(fmt.Sprintf("%s as %q", test.profile.Name, test.quirk), func(t *testing.T) {
			publishers := map[string]int{}
			dest := i2p.Hash{}
			cfg := simnet.Config{Seed: 1, Observe: func(e simnet.Event) {
				if e.Kind == simnet.EventPublished && e.Destination == dest {
					publishers[e.Router]++
				}
			}}
			inWorld(t, cfg, test.profile, func(w *world) {
				dest = w.keys.Destination.Hash()
				w.checkQuirk(test.quirk, test.works)
			})
			t.Logf("LeaseSets in the netDB, by who published them: %v", publishers)
			members := publishers[memberA] + publishers[memberB]
			if test.works != (members == 0 && publishers[publish] > 0) {
				t.Errorf("published by %v, works: want %v", publishers, test.works)
			}
		})
	}
}

// checkQuirk runs a node for some minutes and checks what the netDB has.
func (w *world) checkQuirk(quirk frontend.Quirk, works bool) {
	w.t.Helper()
	node := w.config()
	for i := range node.Routers {
		node.Routers[i].DontPublish = quirk
	}
	defer w.start(node)()
	if works {
		w.untilPublished(memberA, memberB)
		w.checkFound(quirk)
	}
	for began := time.Now(); time.Since(began) < 3*time.Minute; time.Sleep(5 * time.Second) {
		a, b := w.lists(memberA), w.lists(memberB)
		if works && (a < 3 || b < 3) {
			w.t.Errorf("after %v the netDB lists %d and %d tunnels of the members", time.Since(began), a, b)
		}
		if !works && a > 0 && b > 0 {
			w.t.Errorf("after %v the netDB lists %d and %d tunnels, with the wrong setting", time.Since(began), a, b)
		}
	}
	if !works && w.leaseSet() == nil {
		w.t.Error("the netDB has nothing, want a member's own LeaseSet")
	}
}

// checkFound checks that the frontends know how their routers read the option.
func (w *world) checkFound(set frontend.Quirk) {
	w.t.Helper()
	want := frontend.Normal
	if w.profile.I2CP.DontPublishInverted {
		want = frontend.Inverted
	}
	for _, name := range []string{memberA, memberB, publish} {
		s := w.node.Frontend(name).Status()
		if s.Quirk != want || s.QuirkProbed != (set == frontend.Auto) {
			w.t.Errorf("%s: quirk %q, found out %v; want %q", name, s.Quirk, s.QuirkProbed, want)
		}
	}
}
