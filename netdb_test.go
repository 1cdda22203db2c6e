package onelease_test

import (
	"testing"
	"time"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p/simnet"
)

// The leader has the netDB looked at: it knows that the Destination is there, and soon that
// it is not when no router publishes it any more.
func TestNetDBIsLookedAt(t *testing.T) {
	inWorld(t, simnet.Config{}, simnet.I2PD245, func(w *world) {
		defer w.start(w.config())()
		says := func(ok func(*controlpb.NetDB) bool) func() bool {
			return func() bool { s := w.node.Balancer().Status().GetNetDb(); return s != nil && ok(s) }
		}
		w.untilPublished(memberA, memberB)
		w.until(time.Minute, "it is found", says(func(n *controlpb.NetDB) bool {
			return n.GetFound() && n.GetError() == "" && (n.GetBy() == memberA || n.GetBy() == memberB)
		}))
		w.network.Router(publish).Kill()
		took := w.until(6*time.Minute, "it is missed", says(func(n *controlpb.NetDB) bool { return n.GetMisses() >= balancer.MissesUntilGone }))
		t.Logf("missed %.0f s after the publisher's end", took.Seconds())
		w.network.Router(publish).Restart()
		w.until(4*time.Minute, "it is found again", says((*controlpb.NetDB).GetFound))
	})
}
