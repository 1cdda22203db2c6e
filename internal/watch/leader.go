package watch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/internal/admin"
)

const (
	// installTime is how long a publisher may take to give its router a LeaseSet.
	installTime = 10 * time.Second
	// lookedTime is how long nobody may have looked into the netDB.
	lookedTime = 5 * time.Minute
	// clockSlack is how far a frontend's clock may be off: what balancers put up with.
	clockSlack = 5 * time.Second
)

// LeaderChecks tell how the Destination is, as its leader knows it. All are advisory: they
// are none of what the leader itself could fail in.
func LeaderChecks(s *controlpb.Status, now time.Time) []admin.Check {
	var shown admin.Snapshot
	checkLeaseSet(&shown, s.GetMerged(), now)
	checkPublication(&shown, s, now)
	checkNetDB(&shown, s, now)
	checkFrontends(&shown, s.GetFrontends())
	checkClocks(&shown, s.GetFrontends())
	return shown.Checks
}

func checkLeaseSet(shown *admin.Snapshot, m *controlpb.LeaseSetStatus, now time.Time) {
	if m == nil {
		shown.Advise("leaseset", false, "", "none signed in this office yet: no member has reported tunnels")
		return
	}
	expires := time.Unix(m.GetExpires(), 0)
	shown.Advise("leaseset", now.Before(expires), fmt.Sprintf("leases %d, routers %d, expires in %s", m.GetLeases(), m.GetRouters(), left(expires, now)),
		"the merged one has expired: no member reports tunnels")
}

// checkPublication has each publisher's router hold the last LeaseSet. What came of that, no
// router says.
func checkPublication(shown *admin.Snapshot, s *controlpb.Status, now time.Time) {
	p := s.GetPublication()
	if p == nil {
		return // as checkLeaseSet says
	}
	since := ago(p.GetAtMs(), now)
	if len(p.GetPublishers()) == 0 {
		shown.Advise("publication", false, "", "no publisher is attached and has its router: nothing was published for "+since.String())
		return
	}
	var waiting []string
	for _, name := range p.GetPublishers() {
		if !slices.Contains(p.GetTakenBy(), name) {
			waiting = append(waiting, name)
		}
	}
	text := fmt.Sprintf("%v ago, given to the routers of %s", since, orElse(strings.Join(p.GetTakenBy(), ", "), "none yet"))
	shown.Advise("publication", len(waiting) == 0 || since < installTime, text,
		fmt.Sprintf("%s; not to those of %s: see their errors", text, strings.Join(waiting, ", ")))
}

func checkNetDB(shown *admin.Snapshot, s *controlpb.Status, now time.Time) {
	n := s.GetNetDb()
	if n == nil {
		shown.Advise("netdb", true, "not looked up yet", "")
		return
	}
	last := "never by this leader"
	if n.GetFoundMs() != 0 {
		last = ago(n.GetFoundMs(), now).String() + " ago"
	}
	asked := fmt.Sprintf("%s, %v ago", n.GetBy(), ago(n.GetAtMs(), now))
	switch {
	case n.GetError() != "":
		known := n.GetFoundMs() != 0 && ago(n.GetFoundMs(), now) < lookedTime
		text := fmt.Sprintf("not known; found last: %s; %s could not look: %s", last, asked, n.GetError())
		shown.Advise("netdb", known, text, text)
	case n.GetFound():
		shown.Advise("netdb", true, "found by "+asked, "")
	default:
		text := fmt.Sprintf("not found, last by %s; lookups: %d; found last: %s", asked, n.GetMisses(), last)
		shown.Advise("netdb", n.GetMisses() < balancer.MissesUntilGone, text, text+": newcomers cannot come; see that a publisher has its router, and onelease doctor")
	}
}

func checkFrontends(shown *admin.Snapshot, frontends []*controlpb.FrontendStatus) {
	var bad []string
	for _, f := range frontends {
		switch {
		case !f.GetAttached():
			bad = append(bad, f.GetName()+" is away")
		case !f.GetUp():
			bad = append(bad, f.GetName()+" has no router")
		}
	}
	text := fmt.Sprintf("%d of %d are attached and have their router", len(frontends)-len(bad), len(frontends))
	shown.Advise("frontends", len(bad) == 0 && len(frontends) > 0, text, strings.Join(append([]string{text}, bad...), "; "))
}

func checkClocks(shown *admin.Snapshot, frontends []*controlpb.FrontendStatus) {
	var bad []string
	for _, f := range frontends {
		if off := ClockOff(f); off != nil && off.Abs() >= clockSlack {
			bad = append(bad, fmt.Sprintf("%s's is %+.1f s off", f.GetName(), off.Seconds()))
		}
	}
	shown.Advise("clocks", len(bad) == 0, fmt.Sprintf("the frontends' are within %v of the leader's", clockSlack),
		strings.Join(bad, ", ")+" from the leader's: see to NTP on all machines")
}

// ClockOff is how far a frontend's clock is ahead of the leader's, nil if not known.
func ClockOff(f *controlpb.FrontendStatus) *time.Duration {
	if !f.GetAttached() || !f.GetClockKnown() {
		return nil
	}
	off := time.Duration(f.GetClockOffMs()) * time.Millisecond
	return &off
}

// ago is how long ago that was, in whole seconds.
func ago(ms int64, now time.Time) time.Duration {
	return max(0, now.Sub(time.UnixMilli(ms)).Round(time.Second))
}
