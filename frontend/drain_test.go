package frontend

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/simnet"
)

// drain has the leader begin a drain of that length; zero undoes it.
func (w *world) drain(length time.Duration) (until time.Time) {
	m := &controlpb.Drain{}
	if length != 0 {
		until = time.Now().Add(length).Truncate(time.Millisecond)
		m.Draining, m.UntilMs = true, until.UnixMilli()
	}
	w.leader.send(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Drain{Drain: m}})
	synctest.Wait()
	return until
}

// attachForDrains attaches a backend that wants to know of drains.
func (w *world) attachForDrains() (*sam.PacketClient, chan bool) {
	w.t.Helper()
	told := make(chan bool, 4)
	c, err := sam.Dial(w.t.Context(), sam.ClientConfig{Dial: w.frontend.DialSAM, OnDrain: func(on bool) { told <- on }})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c, told
}

// A drain cuts nothing until its limit; then the session is closed, and stays
// so until the drain is undone.
func TestDrain(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.untilServing()
		c, told := w.attachForDrains()
		defer c.Close()
		until := w.drain(time.Minute)
		if !<-told {
			t.Error("the backend was told that nothing is drained")
		}
		if s := w.frontend.Status(); !s.Draining || !s.DrainUntil.Equal(until) {
			t.Errorf("status %+v", s)
		}
		late, toldLate := w.attachForDrains()
		defer late.Close()
		if !<-toldLate {
			t.Error("a backend that came during the drain was not told")
		}
		time.Sleep(59 * time.Second)
		if c.Err() != nil || !w.frontend.Status().Serving {
			t.Fatalf("cut before the limit: %v", c.Err())
		}
		<-c.Done()
		if over := time.Since(until); over > 1500*time.Millisecond || !strings.Contains(c.Err().Error(), "drained") {
			t.Errorf("the backend was cut %v after the limit: %v", over, c.Err())
		}
		w.until("the pool is gone", func() bool { return !w.leader.lastPool().GetUp() })
		asked := w.asked()
		time.Sleep(5 * time.Minute)
		if s := w.frontend.Status(); s.RouterUp || s.RouterError != errDrained.Error() || w.asked() != asked {
			t.Errorf("after the limit: %+v", s)
		}
		w.drain(0)
		w.untilServing()
		if s := w.frontend.Status(); s.Draining {
			t.Errorf("status %+v", s)
		}
	})
}

func TestDrainUndoneInTime(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.untilServing()
		c, told := w.attachForDrains()
		defer c.Close()
		w.drain(time.Minute)
		w.drain(0)
		if !<-told || <-told {
			t.Error("the backend was not told of begin and end")
		}
		time.Sleep(2 * time.Minute)
		if c.Err() != nil {
			t.Errorf("the backend was cut: %v", c.Err())
		}
	})
}

// The limit holds with all balancers away; a new leader is told of the drain.
func TestDrainOutlivesTheLeader(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.untilServing()
		until := w.drain(time.Minute)
		w.leader.stop()
		time.Sleep(59 * time.Second)
		if !w.frontend.Status().RouterUp {
			t.Error("closed before the limit")
		}
		w.until("the session is closed", func() bool { return !w.frontend.Status().RouterUp })
		w.leader.start()
		w.until("it is attached again", func() bool { return w.frontend.Status().Balancer != "" })
		w.leader.set(func() {
			if got := w.leader.hellos[len(w.leader.hellos)-1].GetDrainUntilMs(); got != until.UnixMilli() {
				t.Errorf("hello says that it drains until %d, want %d", got, until.UnixMilli())
			}
		})
		w.drain(0)
		w.untilServing()
	})
}

// The router restarts during the drain, and another router's maintenance is no
// reason to end a frontend that waits.
func TestDrainedFrontendStops(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.untilServing()
		w.drain(time.Minute)
		w.router.Kill()
		w.router.Restart()
		w.untilServing()
		w.drain(time.Millisecond)
		time.Sleep(time.Minute)
		w.stop()
	})
}
