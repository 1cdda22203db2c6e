package main

import (
	"fmt"
	"math"
	"time"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/watch"
)

// A statusView is what the leader knows.
type statusView struct {
	Destination   string           `json:"destination"` // b32
	InOffice      bool             `json:"in_office"`
	Leader        string           `json:"leader"` // its name; empty if its program is of an earlier version, as leader_address
	LeaderAddress string           `json:"leader_address"`
	Term          uint64           `json:"term"`
	Epoch         uint64           `json:"epoch"`
	Publishes     uint64           `json:"publishes"`
	LeaseSet      *leaseSetView    `json:"leaseset"`    // null: this leader has signed none
	Publication   *publicationView `json:"publication"` // of that; null: as above
	NetDB         *netDBView       `json:"netdb"`       // null: nobody has looked yet
	// RefugeUntil is until when a refuge is listed, if one has tunnels, in
	// place of the members; null: none was lost just now.
	RefugeUntil *time.Time     `json:"refuge_until"`
	Frontends   []frontendView `json:"frontends"`
	// Checks say what is well and what is not. Since when, the leader's own /readyz says.
	Checks []checkView `json:"checks"`
}

// A checkView is one of watch.LeaderChecks.
type checkView struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

// A leaseSetView is the last merged LeaseSet, or a member's own. AgeMS is by this machine's
// clock.
type leaseSetView struct {
	Term      uint64    `json:"term"`
	Seq       uint64    `json:"seq"`
	Published time.Time `json:"published"`
	Expires   time.Time `json:"expires"`
	AgeMS     int64     `json:"age_ms"`
	Leases    uint32    `json:"leases"`
	Routers   uint32    `json:"routers"`
}

// A publicationView says what became of the last merged LeaseSet.
type publicationView struct {
	At         time.Time  `json:"at"`         // when publishers were sent it
	Publishers []string   `json:"publishers"` // that are attached and have their router
	GivenTo    []string   `json:"given_to"`   // those of them whose routers were given it
	Given      *time.Time `json:"given"`      // when the first one was; null: none was
}

// A netDBView is what the last lookup of the Destination said.
type netDBView struct {
	At        time.Time  `json:"at"`
	By        string     `json:"by"` // the frontend that looked
	Found     bool       `json:"found"`
	Error     string     `json:"error"`      // why it could not look
	LastFound *time.Time `json:"last_found"` // null: never by this leader
	Misses    uint32     `json:"misses"`     // lookups in a row that found nothing
}

type frontendView struct {
	Name         string        `json:"name"`
	Member       bool          `json:"member"`
	Publisher    bool          `json:"publisher"`
	Refuge       bool          `json:"refuge"`
	Attached     bool          `json:"attached"`
	RouterUp     bool          `json:"router_up"`
	Leases       int           `json:"leases"`
	Listed       uint32        `json:"listed"` // of those, in the merged LeaseSet
	Tunnels      []tunnelView  `json:"tunnels"`
	Own          *leaseSetView `json:"own"` // its own LeaseSet; null: none
	InstalledSeq uint64        `json:"installed_seq"`
	Draining     bool          `json:"draining"`
	DrainUntil   *time.Time    `json:"drain_until"`  // null: no drain, or no end
	ClockOffMS   *int64        `json:"clock_off_ms"` // its clock is that much ahead of the leader's; null: not known
	Error        string        `json:"error"`
}

// A tunnelView is one inbound tunnel of a router.
type tunnelView struct {
	Gateway string    `json:"gateway"` // the first letters of the hash of the router where it begins
	Tunnel  uint32    `json:"tunnel"`
	Ends    time.Time `json:"ends"`
	Listed  bool      `json:"listed"` // in the merged LeaseSet
}

func statusOf(s *controlpb.Status, now time.Time) statusView {
	v := statusView{
		Destination: s.GetDestination(), InOffice: s.GetLeader(), Leader: s.GetLeaderName(), LeaderAddress: s.GetLeaderAddress(),
		Term: s.GetTerm(), Epoch: s.GetEpoch(), Publishes: s.GetPublishes(), LeaseSet: leaseSetOf(s.GetMerged(), now),
		RefugeUntil: timeOfMS(s.GetRefugeUntilMs()), Frontends: []frontendView{},
	}
	for _, c := range watch.LeaderChecks(s, now) {
		v.Checks = append(v.Checks, checkView{c.Name, c.OK, c.Text})
	}
	if p := s.GetPublication(); p != nil {
		v.Publication = &publicationView{
			At: time.UnixMilli(p.GetAtMs()).UTC(), Publishers: append([]string{}, p.GetPublishers()...),
			GivenTo: append([]string{}, p.GetTakenBy()...), Given: timeOfMS(p.GetTakenMs()),
		}
	}
	if n := s.GetNetDb(); n != nil {
		v.NetDB = &netDBView{
			At: time.UnixMilli(n.GetAtMs()).UTC(), By: n.GetBy(), Found: n.GetFound(), Error: n.GetError(),
			LastFound: timeOfMS(n.GetFoundMs()), Misses: n.GetMisses(),
		}
	}
	listed := listedIn(s.GetMerged())
	for _, f := range s.GetFrontends() {
		v.Frontends = append(v.Frontends, frontendOf(f, listed, now))
	}
	return v
}

// leaseSetOf is nil if there is none.
func leaseSetOf(m *controlpb.LeaseSetStatus, now time.Time) *leaseSetView {
	if m == nil {
		return nil
	}
	published := time.Unix(m.GetPublished(), 0).UTC()
	return &leaseSetView{
		Term: m.GetTerm(), Seq: m.GetSeq(), Published: published, Expires: time.Unix(m.GetExpires(), 0).UTC(),
		AgeMS: now.Sub(published).Milliseconds(), Leases: m.GetLeases(), Routers: m.GetRouters(),
	}
}

// A listedTunnel tells tunnels apart.
type listedTunnel struct {
	gateway i2p.Hash
	tunnel  uint32
}

// listedIn has the tunnels of the merged LeaseSet.
func listedIn(m *controlpb.LeaseSetStatus) map[listedTunnel]bool {
	listed := map[listedTunnel]bool{}
	ls, _, err := i2p.ParseLeaseSet2(m.GetLeaseSet())
	if err != nil {
		return listed
	}
	for _, l := range ls.Leases {
		listed[listedTunnel{l.Gateway, l.Tunnel}] = true
	}
	return listed
}

func frontendOf(f *controlpb.FrontendStatus, listed map[listedTunnel]bool, now time.Time) frontendView {
	v := frontendView{
		Name: f.GetName(), Member: f.GetMember(), Publisher: f.GetPublisher(), Refuge: f.GetRefuge(), Attached: f.GetAttached(), RouterUp: f.GetUp(),
		Leases: len(f.GetLeases()), Listed: f.GetListed(), Tunnels: []tunnelView{}, Own: leaseSetOf(f.GetOwn(), now),
		InstalledSeq: f.GetInstalledSeq(), Draining: f.GetDraining(), DrainUntil: timeOfMS(f.GetDrainUntilMs()), Error: f.GetError(),
	}
	if off := watch.ClockOff(f); off != nil {
		ms := off.Milliseconds()
		v.ClockOffMS = &ms
	}
	if v.Own != nil {
		v.Own.Routers = 1
	}
	for _, l := range f.GetLeases() {
		var gateway i2p.Hash
		copy(gateway[:], l.GetGateway())
		v.Tunnels = append(v.Tunnels, tunnelView{
			Gateway: gateway.String(), Tunnel: l.GetTunnelId(), Ends: time.UnixMilli(l.GetEndMs()).UTC(),
			Listed: listed[listedTunnel{gateway, l.GetTunnelId()}],
		})
	}
	return v
}

// timeOfMS is nil for 0.
func timeOfMS(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

func (l *leaseSetView) describe() string {
	if l == nil {
		return "none signed by this leader yet"
	}
	return fmt.Sprintf("%s of %s, %s old, seq %d of term %d", counted(l.Leases, "lease"), counted(l.Routers, "router"), l.age(), l.Seq, l.Term)
}

// age is how old it is; each LeaseSet takes up a second, some of which are to come.
func (l *leaseSetView) age() string {
	if l == nil {
		return "-"
	}
	return span(max(0, time.Duration(l.AgeMS)*time.Millisecond))
}

func (f frontendView) roles() string {
	switch {
	case f.Member && f.Publisher:
		return "member, publisher"
	case f.Publisher:
		return "publisher"
	case f.Refuge:
		return "refuge"
	}
	return "member"
}

func (f frontendView) state() string {
	switch {
	case !f.Attached:
		return "away"
	case !f.RouterUp:
		return "router down"
	case f.Draining && f.DrainUntil != nil:
		return "drains for " + span(time.Until(*f.DrainUntil))
	}
	return either(f.Draining, "drains", "up")
}

func (f frontendView) clock() string {
	if f.ClockOffMS == nil {
		return "-"
	}
	return fmt.Sprintf("%+.1f s", math.Round(float64(*f.ClockOffMS)/100)/10+0) // +0: no "-0.0"
}
