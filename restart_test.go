package onelease_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p/simnet"
)

// TestNodeRestarts starts a node on its directory again and again: each time its
// LeaseSets are newer than all before, by a new term of the state that the directory
// has, and remotes are answered.
func TestNodeRestarts(t *testing.T) {
	inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD258, func(w *world) {
		cfg := w.config()
		for i := range cfg.Routers {
			cfg.Routers[i].Dir = filepath.Join(cfg.Dir, cfg.Routers[i].Name)
			cfg.Routers[i].DontPublish = quirkOf(w.profile)
		}
		w.addRemotes(4)
		var published time.Time
		var before frontend.Status
		for range 3 {
			began := time.Now()
			stop := w.start(cfg)
			w.until(2*time.Minute, "a newer LeaseSet is in the netDB", func() bool {
				ls := w.leaseSet()
				return ls != nil && !ls.Published.Before(began.Truncate(time.Second)) && w.lists(memberA) == 3 && w.lists(memberB) == 3
			})
			if at := w.leaseSet().Published; !at.After(published) {
				t.Errorf("published at %v, after %v", at, published)
			}
			published = w.leaseSet().Published
			now := w.node.Frontend(memberA).Status()
			if before.Term > 0 && (now.Generation != before.Generation || now.Term <= before.Term) {
				t.Errorf("generation %d, term %d, after %d and %d", now.Generation, now.Term, before.Generation, before.Term)
			}
			before = now
			finish := w.asking(200 * time.Millisecond)
			w.untilAnswered(3 * time.Minute)
			finish()
			stop()
		}
	})
}
