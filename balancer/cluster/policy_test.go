package cluster

import (
	"testing"

	"github.com/onelease/onelease/raftstate/ledger"
)

func TestRefugesWantNoRotation(t *testing.T) {
	frontends := func(roles ledger.Roles) *ledger.State {
		return &ledger.State{Frontends: map[string]ledger.Frontend{"r": {Name: "r", Roles: roles}}}
	}
	refuge, member := frontends(ledger.Roles{Refuge: true}), frontends(ledger.Roles{Member: true})
	for _, c := range []struct {
		state    *ledger.State
		rotation string
		ok       bool
	}{{refuge, "", true}, {refuge, "never", true}, {refuge, "at-once", false}, {member, "at-once", true}} {
		if err := checkRefuges(c.state, ledger.Policy{Rotation: c.rotation}); (err == nil) != c.ok {
			t.Errorf("refuge %v, rotation %q: %v", c.state == refuge, c.rotation, err)
		}
	}
}
