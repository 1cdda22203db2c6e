package simnet_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

// TestOpening has only the first pool of a Destination on a router be there at
// once: after a lost session, or a restart of the router, it takes its time.
func TestOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(simnet.Config{Seed: 1, Tunnels: simnet.TunnelTimes{Opening: 200 * time.Millisecond}})
		defer n.Close()
		r, keys := n.NewRouter(simnet.RouterConfig{Name: "r"}), newKeys(t)
		pools := func() int { // how many lease requests in a second
			c := dial(t, r, keys)
			c.answerAlone(newX25519())
			c.start()
			c.create(i2p.Mapping{"inbound.quantity": "3"})
			time.Sleep(time.Second)
			requests := 0
			c.seen(func() { requests = len(c.requests) })
			c.conn.Close()
			synctest.Wait()
			return requests
		}
		if got := pools(); got != 3 {
			t.Errorf("%d tunnels in the first second, want 3", got)
		}
		if got := pools(); got != 0 {
			t.Errorf("%d tunnels in the first second of a second session, want none", got)
		}
		r.Kill()
		r.Restart()
		if got := pools(); got != 0 {
			t.Errorf("%d tunnels in the first second after a restart, want none", got)
		}
	})
}
