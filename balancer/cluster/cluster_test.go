package cluster

import (
	"testing"
	"time"

	"github.com/onelease/onelease/raftstate"
)

func TestThreeBalancersReplaceTheirLeader(t *testing.T) {
	r := newRig(t)
	r.preset = raftstate.LAN()
	r.form(3)
	old := r.awaitLeader()
	began := time.Now()
	old.Kill()
	next := r.awaitLeader()
	t.Logf("%s leads %v after %s was killed", next.Name(), time.Since(began), old.Name())
	if next == old {
		t.Error("the dead one leads")
	}
}
