package frontend

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p/simnet"
)

// sign has the leader sign once with that place in the order, and a reserve if
// it is to live for long.
func (w *world) sign(generation, term, seq uint64, life, reserve time.Duration) {
	w.t.Helper()
	w.leader.set(func() {
		leases := w.leader.pools[len(w.leader.pools)-1].GetLeases()
		m := w.leader.signLocked(leases, life)
		install := m.GetInstall()
		install.Generation, install.Term, install.Seq = generation, term, seq
		if reserve > 0 {
			later := w.leader.signLocked(leases, reserve).GetInstall()
			install.Reserve = &controlpb.Reserve{Seq: seq + 1, LeaseSet: later.GetLeaseSet()}
		}
		w.leader.stream.Send(m)
	})
}

// untilAnswered waits for the frontend's answer about a LeaseSet.
func (w *world) untilAnswered(term, seq uint64) string {
	w.t.Helper()
	w.until("the LeaseSet is answered", func() bool {
		i := w.leader.lastInstalled()
		return i.GetTerm() == term && i.GetSeq() == seq
	})
	return w.leader.lastInstalled().GetError()
}

// A frontend that starts again still refuses what comes before the newest
// LeaseSet that it had taken.
func TestFenceOutlivesTheFrontend(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "frontend")
	inWorld(t, simnet.I2PD258, func(c *Config) { c.Dir = dir }, func(w *world) {
		w.untilServing()
		w.leader.set(func() { w.leader.noInstall = true })
		w.sign(5, 7, 100, time.Minute, 0)
		if e := w.untilAnswered(7, 100); e != "" {
			t.Fatal(e)
		}
		w.stop()
		cfg := w.config()
		cfg.Dir = dir
		w.run(cfg)
		defer w.stop()
		w.until("it is attached and has tunnels again", func() bool {
			return w.frontend.Status().Balancer != "" && len(w.frontend.Status().Pool) > 0
		})
		for _, old := range []fence{{5, 7, 99}, {5, 6, 1000}, {4, 9, 1000}} {
			w.sign(old.Generation, old.Term, old.Seq, time.Minute, 0)
			if e := w.untilAnswered(old.Term, old.Seq); !strings.Contains(e, ErrOlder.Error()) {
				t.Errorf("%v: answer %q", old, e)
			}
		}
		w.sign(6, 1, 1, time.Minute, 0) // a cluster that was restored from a backup
		if e := w.untilAnswered(1, 1); e != "" {
			t.Error(e)
		}
	})
}

func TestDamagedFenceIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fenceName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(Config{Name: "f", Dir: dir, Control: ControlConfig{Balancers: []string{"127.0.0.1:1"}}})
	if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), fenceName) || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("error %v, want one that names the file and what to do", err)
	}
}

func TestFenceThatCannotBeKeptIsTold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "frontend")
	inWorld(t, simnet.I2PD258, func(c *Config) { c.Dir = dir }, func(w *world) {
		w.untilServing()
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		w.sign(0, 9, 9, time.Minute, 0)
		if e := w.untilAnswered(9, 9); e != "" {
			t.Errorf("refused: %s", e)
		}
		if s := w.frontend.Status(); s.Term != 9 || s.FenceError == "" {
			t.Errorf("status %+v", s)
		}
	})
}

// While no balancer is there the router goes on with the reserve.
func TestReserveBridgesAnOutage(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.until("all tunnels are listed", func() bool { return len(w.frontend.Status().Pool) == 3 })
		w.leader.set(func() { w.leader.noInstall = true })
		w.sign(0, 2, 100, 90*time.Second, 8*time.Minute)
		w.untilAnswered(2, 100)
		w.leader.stop()
		time.Sleep(90*time.Second - reserveAhead - 2*time.Second)
		if s := w.frontend.Status(); s.OnReserve || s.Seq != 100 {
			t.Errorf("too early: %+v", s)
		}
		time.Sleep(3 * time.Second)
		if s := w.frontend.Status(); !s.OnReserve || s.Seq != 101 || time.Until(s.Expires) < 5*time.Minute {
			t.Errorf("no reserve: %+v", s)
		}
		w.outlives(2 * time.Minute)
	})
}

// A leader that goes on signing never lets it come to that.
func TestReserveWaitsForTheLeader(t *testing.T) {
	inWorld(t, simnet.I2PD258, nil, func(w *world) {
		w.until("all tunnels are listed", func() bool { return len(w.frontend.Status().Pool) == 3 })
		w.leader.set(func() { w.leader.noInstall = true })
		for seq := range uint64(6) {
			w.sign(0, 2, 100+2*seq, 90*time.Second, 8*time.Minute)
			time.Sleep(20 * time.Second)
			if s := w.frontend.Status(); s.OnReserve || s.Seq != 100+2*seq {
				t.Errorf("status %+v", s)
			}
		}
	})
}
