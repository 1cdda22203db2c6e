package frontend

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p/simnet"
)

// look has the balancer ask, and returns the answer.
func (w *world) look(id uint64) *controlpb.LookReply {
	w.t.Helper()
	before := w.leader.count(func() int { return len(w.leader.looks) })
	w.leader.send(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Look{Look: &controlpb.Look{Id: id}}})
	w.within(lookTime+time.Second, "it answers", func() bool { return w.leader.count(func() int { return len(w.leader.looks) }) > before })
	var got *controlpb.LookReply
	w.leader.set(func() { got = w.leader.looks[before] })
	if got.GetId() != id {
		w.t.Errorf("the answer is to question %d, want %d", got.GetId(), id)
	}
	return got
}

// The netDB is asked, and not the router's own store: what was not published is not found,
// though the router has the LeaseSet, of Java I2P too.
func TestLookIntoTheNetDB(t *testing.T) {
	for _, profile := range []simnet.Profile{simnet.I2PD245, simnet.JavaI2P} {
		for _, published := range []bool{true, false} {
			inPreparedWorld(t, profile, func(w *world, cfg *Config) {
				w.publishes(cfg, published)
			}, func(w *world) {
				w.untilPublished(published)
				if got := w.look(3); got.GetFound() != published || got.GetError() != "" {
					t.Errorf("%s, published %v: %v", profile.Name, published, got)
				}
			})
		}
	}
}

// That nobody could look is no word on the netDB.
func TestLookWithoutARouter(t *testing.T) {
	var hangs atomic.Bool
	inPreparedWorld(t, simnet.I2PD245, func(w *world, cfg *Config) {
		dial := cfg.Router.Dial
		cfg.Router.Dial = func(ctx context.Context) (net.Conn, error) {
			if hangs.Load() {
				<-ctx.Done()
				return nil, context.Cause(ctx)
			}
			return dial(ctx)
		}
	}, func(w *world) {
		w.untilServing()
		w.router.Kill()
		if got := w.look(4); got.GetFound() || got.GetError() == "" {
			t.Errorf("without a router: %v", got)
		}
		w.router.Restart()
		w.untilServing()
		hangs.Store(true)
		if got := w.look(5); got.GetFound() || got.GetError() == "" || strings.Contains(got.GetError(), w.keys.Destination.Base32()) {
			t.Errorf("of a router that hangs: %v", got)
		}
	})
}
