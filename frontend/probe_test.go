package frontend

import (
	"context"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

func auto(cfg *Config) { cfg.DontPublish = Auto }

func TestAutoFindsOutHowTheRouterReadsDontPublish(t *testing.T) {
	for _, test := range []struct {
		profile simnet.Profile
		want    Quirk
	}{{simnet.I2PD245, Normal}, {simnet.I2PD258, Inverted}, {simnet.JavaI2P, Normal}} {
		t.Run(test.profile.Name, func(t *testing.T) {
			inWorld(t, test.profile, auto, func(w *world) {
				start := time.Now()
				w.within(2*time.Minute, "a session is asked for", func() bool { return w.asked() > 0 })
				t.Logf("known after %v", time.Since(start))
				if s := w.frontend.Status(); s.Quirk != test.want || !s.QuirkProbed {
					t.Errorf("quirk %s, probed %v", s.Quirk, s.QuirkProbed)
				}
				var asked *controlpb.SessionRequest
				w.leader.set(func() { asked = w.leader.asked[0] })
				if asked.GetDontPublishInverted() != (test.want == Inverted) {
					t.Errorf("the session was asked for as %v", asked)
				}
				w.untilServing()
			})
		})
	}
}

func TestAutoWaitsForTheRouter(t *testing.T) {
	inWorld(t, simnet.I2PD258, auto, func(w *world) {
		w.router.Kill()
		time.Sleep(5 * time.Minute)
		if s := w.frontend.Status(); s.Quirk != Auto || s.RouterError == "" {
			t.Errorf("status %+v", s)
		}
		w.router.Restart()
		w.within(3*time.Minute, "it knows", func() bool { return w.frontend.Status().Quirk == Inverted })
	})
}

func TestAutoTakesNormalIfTheTestTellsNothing(t *testing.T) {
	inWorld(t, simnet.I2PD258, auto, func(w *world) {
		for _, f := range w.network.Floodfills() {
			f.SetDown(true)
		}
		w.within(3*time.Minute, "it gives up", func() bool { return w.frontend.Status().Quirk == Normal })
		if s := w.frontend.Status(); s.QuirkProbed {
			t.Error("it claims to know")
		}
		if w.log.count("set DontPublish to") != 1 {
			t.Errorf("no advice in the log:\n%s", w.log)
		}
		w.untilServing()
	})
}

func TestProbeForABalancer(t *testing.T) {
	for name, published := range map[string]bool{"published": true, "not published": false} {
		t.Run(name, func(t *testing.T) {
			var open atomic.Int64
			inPreparedWorld(t, simnet.I2PD245, func(w *world, cfg *Config) {
				w.publishes(cfg, published)
				cfg.Router.Dial = counted(cfg.Router.Dial, &open)
			}, func(w *world) {
				w.untilPublished(published)
				w.leader.send(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Probe{Probe: &controlpb.Probe{Id: 3}}})
				w.within(2*time.Minute, "it replies", func() bool { return w.leader.count(func() int { return len(w.leader.probes) }) == 1 })
				var got *controlpb.ProbeReply
				w.leader.set(func() { got = w.leader.probes[0] })
				if got.GetId() != 3 || got.GetError() != "" || got.GetDontPublishInverted() || got.GetDestinationFound() != published {
					t.Errorf("reply %v", got)
				}
				if n := open.Load(); n != 1 {
					t.Errorf("%d connections to the router are open, want that of the session only", n)
				}
			})
		})
	}
}

// publishes has a member be a publisher too, or not.
func (w *world) publishes(cfg *Config, published bool) {
	cfg.Member, cfg.Publisher = true, published
	w.leader.set(func() {
		w.leader.options = i2p.Mapping{"inbound.quantity": "3", "i2cp.dontPublishLeaseSet": strconv.FormatBool(!published)}
	})
}

// untilPublished waits until it serves, and the netDB has its Destination, or has not.
func (w *world) untilPublished(published bool) {
	w.t.Helper()
	w.untilServing()
	w.until("the netDB is as it should be", func() bool {
		_, found := w.network.Lookup(w.keys.Destination.Hash())
		return found == published
	})
}

// counted is dial, with a count of the connections that are open.
func counted(dial func(context.Context) (net.Conn, error), open *atomic.Int64) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		conn, err := dial(ctx)
		if err == nil {
			open.Add(1)
			conn = &countedConn{Conn: conn, open: open}
		}
		return conn, err
	}
}

type countedConn struct {
	net.Conn
	open   *atomic.Int64
	closed atomic.Bool
}

func (c *countedConn) Close() error {
	if !c.closed.Swap(true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}
