package watch

import (
	"fmt"
	"time"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/internal/admin"
)

// A BalancerStatus is how a balancer is, as JSON has it.
type BalancerStatus struct {
	Name        string `json:"name"`
	Address     string `json:"address"`
	Destination string `json:"destination"` // b32
	Office      string `json:"office"`      // what it does, or why it does nothing
	Able        bool   `json:"able"`
	Leader      string `json:"leader"` // empty: it knows of none
	Voters      int    `json:"voters"`
	IssuedTerm  uint64 `json:"issued_term"`
	IssuedSeq   uint64 `json:"issued_seq"`
	// Cluster is what "onelease cluster status --json" has; null: another leads.
	Cluster any `json:"cluster"`
}

// Balancer is what there is to see of one. view makes what "onelease cluster status" shows.
func Balancer(s cluster.Status, destination string, view func(*controlpb.Status) any, now time.Time) *admin.Snapshot {
	status := BalancerStatus{
		Name: s.Name, Address: s.Address, Destination: destination, Office: s.Office, Able: s.Able, Leader: s.Leader,
		Voters: s.Voters, IssuedTerm: s.Issued.LastTerm, IssuedSeq: s.Issued.LastSeq,
	}
	shown := &admin.Snapshot{Role: admin.RoleBalancer, Name: s.Name}
	shown.Brief = s.Office + Brief(s.Working.GetMerged(), now)
	checkBalancer(shown, s)
	measureBalancer(shown, s)
	if s.Working != nil {
		status.Cluster = view(s.Working)
		shown.Checks = append(shown.Checks, LeaderChecks(s.Working, now)...)
		MeasureLeader(shown, s.Working)
	}
	shown.Status = status
	return shown
}

// Brief is the merged LeaseSet in a few words behind others, none if there is none.
func Brief(m *controlpb.LeaseSetStatus, now time.Time) string {
	if m == nil {
		return ""
	}
	age := max(0, now.Sub(time.Unix(m.GetPublished(), 0))).Round(time.Second)
	return fmt.Sprintf(", %d leases of %d routers, LeaseSet %v old", m.GetLeases(), m.GetRouters(), age)
}

func checkBalancer(shown *admin.Snapshot, s cluster.Status) {
	shown.Need("member", s.Member, "of the cluster", "not of the cluster yet, or no more")
	shown.Need("keys", s.Able, "held: it can lead", s.Office)
	shown.Need("leader", s.Leader != "", s.Leader, "none is known: a majority of the voters cannot be reached")
}

func measureBalancer(shown *admin.Snapshot, s cluster.Status) {
	admin.MeasureIf(shown, "onelease_balancer_able", s.Able)
	admin.MeasureIf(shown, "onelease_balancer_leads", s.Leads)
	admin.MeasureIf(shown, "onelease_balancer_leader_known", s.Leader != "")
	admin.Measure(shown, "onelease_balancer_voters", s.Voters)
	admin.Measure(shown, "onelease_balancer_issued_seq", s.Issued.LastSeq)
	admin.Measure(shown, "onelease_balancer_issued_term", s.Issued.LastTerm)
	admin.Measure(shown, "onelease_balancer_key_epoch", s.Issued.Epoch)
	if s.Generation > 0 {
		admin.MeasureTime(shown, "onelease_balancer_generation_timestamp_seconds", time.UnixMilli(int64(s.Generation)))
	}
}

// MeasureLeader adds the metrics of a balancer that leads.
func MeasureLeader(shown *admin.Snapshot, s *controlpb.Status) {
	admin.Measure(shown, "onelease_balancer_publishes_total", s.GetPublishes())
	if ms := s.GetRefugeUntilMs(); ms != 0 {
		admin.MeasureTime(shown, "onelease_balancer_refuge_until_timestamp_seconds", time.UnixMilli(ms))
	}
	if m := s.GetMerged(); m != nil {
		admin.Measure(shown, "onelease_balancer_leaseset_leases", m.GetLeases())
		admin.Measure(shown, "onelease_balancer_leaseset_routers", m.GetRouters())
		admin.MeasureTime(shown, "onelease_balancer_leaseset_published_timestamp_seconds", time.Unix(m.GetPublished(), 0))
		admin.MeasureTime(shown, "onelease_balancer_leaseset_expires_timestamp_seconds", time.Unix(m.GetExpires(), 0))
	}
	admin.Measure(shown, "onelease_balancer_publishers_given", len(s.GetPublication().GetTakenBy()))
	if n := s.GetNetDb(); n != nil {
		admin.MeasureIf(shown, "onelease_balancer_netdb_found", n.GetFound())
		admin.Measure(shown, "onelease_balancer_netdb_misses", n.GetMisses())
		admin.MeasureTime(shown, "onelease_balancer_netdb_looked_timestamp_seconds", time.UnixMilli(n.GetAtMs()))
	}
	for _, f := range s.GetFrontends() {
		measureFrontendOf(shown, f)
	}
}

// measureFrontendOf measures what the leader knows of one.
func measureFrontendOf(shown *admin.Snapshot, f *controlpb.FrontendStatus) {
	name := f.GetName()
	admin.MeasureIf(shown, "onelease_balancer_frontend_attached", f.GetAttached(), name)
	admin.MeasureIf(shown, "onelease_balancer_frontend_router_up", f.GetUp(), name)
	admin.MeasureIf(shown, "onelease_balancer_frontend_draining", f.GetDraining(), name)
	admin.Measure(shown, "onelease_balancer_frontend_leases", len(f.GetLeases()), name)
	admin.Measure(shown, "onelease_balancer_frontend_installed_seq", f.GetInstalledSeq(), name)
	admin.Measure(shown, "onelease_balancer_frontend_listed", f.GetListed(), name)
	if off := ClockOff(f); off != nil {
		admin.MeasureSeconds(shown, "onelease_balancer_frontend_clock_offset_seconds", *off, name)
	}
	if end := lastEnd(f.GetLeases()); end != 0 {
		admin.MeasureTime(shown, "onelease_balancer_frontend_tunnels_end_timestamp_seconds", time.UnixMilli(end), name)
	}
}

// lastEnd is when the last of the tunnels ends, in ms since 1970; 0 without any.
func lastEnd(leases []*controlpb.Lease) (end int64) {
	for _, l := range leases {
		end = max(end, l.GetEndMs())
	}
	return end
}
