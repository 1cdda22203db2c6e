package cluster

import (
	"testing"

	"github.com/onelease/onelease/raftstate"
)

func TestRefugesWantNoRotation(t *testing.T) {
	frontends := func(roles raftstate.Roles) *raftstate.State {
		return &raftstate.State{Frontends: map[string]raftstate.Frontend{"r": {Name: "r", Roles: roles}}}
	}
	refuge, member := frontends(raftstate.Roles{Refuge: true}), frontends(raftstate.Roles{Member: true})
	for _, c := range []struct {
		state    *raftstate.State
		rotation string
		ok       bool
	}{{refuge, "", true}, {refuge, "never", true}, {refuge, "at-once", false}, {member, "at-once", true}} {
		if err := checkRefuges(c.state, raftstate.Policy{Rotation: c.rotation}); (err == nil) != c.ok {
			t.Errorf("refuge %v, rotation %q: %v", c.state == refuge, c.rotation, err)
		}
	}
}
