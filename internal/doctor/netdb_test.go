package doctor

import (
	"slices"
	"testing"
)

// Whether another machine has the key is said for sure by who has just found something else
// in the netDB: a router finds nothing while it has no tunnels.
func TestDuplicate(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(s *setup)
		want  State
	}{
		"nowhere":            {func(s *setup) {}, OK},
		"elsewhere":          {func(s *setup) { s.hostedElsewhere() }, Fail},
		"nowhere, quick":     {func(s *setup) { s.cfg.Quick = true }, Unknown},
		"elsewhere, quick":   {func(s *setup) { s.cfg.Quick = true; s.hostedElsewhere() }, Fail},
		"no tunnels are had": {func(s *setup) { s.stub(stub{}, addrA, addrB, addrC) }, Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			report := inSetup(t, func(s *setup) {
				s.cfg.Life, s.cfg.Quick = Stopped, false
				test.spoil(s)
			})
			var states []State
			for _, r := range report.Results {
				if r.Check == checkDuplicate || r.Check == checkNetDB {
					states = append(states, r.State)
				}
			}
			if !slices.Equal(states, []State{test.want, test.want, test.want}) {
				t.Errorf("%v, want three times %s: %+v", states, test.want, report.Results)
			}
		})
	}
}
