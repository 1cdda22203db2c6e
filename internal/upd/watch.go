package upd

import (
	"fmt"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/watch"
)

// Watch is what there is to see of a site.
func (s *Site) Watch() *admin.Snapshot { return s.view.show(s.look(), s.set) }

// brief is a site in a few words.
func brief(l *look) string {
	up := 0
	for _, f := range l.frontends {
		if f.RouterUp {
			up++
		}
	}
	return fmt.Sprintf("%d of %d routers%s", up, len(l.frontends), watch.Brief(l.leader.GetMerged(), l.at))
}

// checkLeader has a site need the LeaseSet, of what its balancer knows. checkRoles tells of
// the frontends.
func checkLeader(shown *admin.Snapshot, s *controlpb.Status, now time.Time) {
	for _, c := range watch.LeaderChecks(s, now) {
		switch c.Name {
		case "frontends":
			continue
		case "leaseset":
			c.Advisory = false
		}
		shown.Checks = append(shown.Checks, c)
	}
}

// checkRoles has a site ready while one router of each kind at least is up. That one is not
// is worth a line of its own.
func checkRoles(shown *admin.Snapshot, frontends []frontend.Status) {
	members, publishers := 0, 0
	for _, f := range frontends {
		shown.Advise("router "+f.Name, f.RouterUp, "session held", "no session: "+orConnecting(f.RouterError))
		if f.Draining {
			shown.Advise("drain "+f.Name, false, "", "taken out of service, until "+f.DrainUntil.UTC().Format(time.RFC3339))
		}
		if f.RouterUp && f.Member && !f.Refuge {
			members++
		}
		if f.RouterUp && f.Publisher {
			publishers++
		}
	}
	shown.Need("members", members > 0, fmt.Sprintf("%d up", members), "none is up: nobody is served")
	shown.Need("publishers", publishers > 0, fmt.Sprintf("%d up", publishers), "none is up: the LeaseSet in the netDB ends within minutes, and nobody finds the site")
}

func orConnecting(text string) string {
	if text == "" {
		return "still connecting"
	}
	return text
}
