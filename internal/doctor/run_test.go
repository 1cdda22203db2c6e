package doctor

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What hangs is told while it does, holds nothing else up, and ends as not checked.
func TestACheckHangs(t *testing.T) {
	var told []Pending
	synctest.Test(t, func(t *testing.T) {
		s := newSetup(t)
		defer s.network.Close()
		release := make(chan struct{})
		defer close(release)
		s.cfg.Space = func(string) (Space, error) { <-release; return Space{}, nil }
		s.network.Router("b").Freeze() // takes longer, so that the other is told of
		s.cfg.Progress = func(all []Pending) { told = append(told, all...) }
		began := time.Now()
		report := Run(t.Context(), s.cfg)
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("took %v", took)
		}
		hung := false
		for _, r := range report.Results {
			hung = hung || r.Check == checkDisk && r.State == Unknown && strings.Contains(r.Found, "did not end within 5s")
		}
		if !hung || report.Failed != 1 {
			t.Errorf("got %+v", report)
		}
	})
	seen := map[string]bool{}
	for _, p := range told {
		seen[p.Check+" "+p.On] = p.Since > 0 && p.Limit > 0
	}
	if !seen["router b"] || seen["router a"] {
		t.Errorf("told of %v", told)
	}
}

// The table has no ID twice, and a cure for everything.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Table {
		if c.Limit <= 0 || c.Means == "" || len(c.Faults) == 0 {
			t.Errorf("%+v", c)
		}
		for _, f := range c.Faults {
			if seen[f.ID] || f.Means == "" || f.Cure == "" || f.State != Warn && f.State != Fail {
				t.Errorf("%+v", f)
			}
			seen[f.ID] = true
		}
	}
	for id := range planted {
		if !seen[id] {
			t.Errorf("%s is planted, and not in the table", id)
		}
	}
}

// What is wrong with a secret is said without it.
func TestReportHasNoSecret(t *testing.T) {
	const key, password = "c2VjcmV0c2VjcmV0c2VjcmV0", "pass-phrase"
	report := inSetup(t, func(s *setup) {
		s.cfg.Keys = []string{s.write("site.dat", key)}
		s.cfg.Routers[0].User, s.cfg.Routers[0].Password = "u", password
		s.dials[addrA] = stub{refuses: "Authorization failed"}.dial
	})
	for _, r := range report.Results {
		if strings.Contains(r.Found, key) || strings.Contains(r.Found, password) {
			t.Errorf("%+v", r)
		}
	}
	if report.Failed != 2 {
		t.Errorf("%d failed, want the key file and the router", report.Failed)
	}
}
