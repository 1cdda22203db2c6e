package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/controlpb"
)

func statusCommand() *cobra.Command {
	var (
		access accessFlags
		asJSON jsonFlag
	)
	cmd := &cobra.Command{
		Use:   "status --dir DIR",
		Short: "Show the frontends and the LeaseSet, as the leader knows them",
		Long: `Status shows what the leader knows: each frontend, whether it is attached and its
router up, how many leases it has; and the merged LeaseSet, the one that is in the
netDB. SEQ is that of the last LeaseSet that the frontend's router has installed.`,
		Example: `  onelease cluster status --dir b1
  onelease cluster status --dir b1 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var status statusView
			err := access.lead(cmd, func(ctx context.Context, leader *cluster.Conn) error {
				reply, err := leader.Control.GetStatus(ctx, &controlpb.StatusRequest{})
				status = statusOf(reply, time.Now())
				return err
			})
			if err != nil {
				return err
			}
			return asJSON.show(cmd, status)
		},
	}
	access.add(cmd)
	asJSON.add(cmd)
	return cmd
}

// A statusView is what the leader knows.
type statusView struct {
	Destination string        `json:"destination"` // b32
	InOffice    bool          `json:"in_office"`
	Term        uint64        `json:"term"`
	Epoch       uint64        `json:"epoch"`
	Publishes   uint64        `json:"publishes"`
	LeaseSet    *leaseSetView `json:"leaseset"` // null: this leader has signed none
	// RefugeUntil is until when a refuge is listed, if one has tunnels, in
	// place of the members; null: none was lost just now.
	RefugeUntil *time.Time     `json:"refuge_until"`
	Frontends   []frontendView `json:"frontends"`
}

// A leaseSetView is the last merged LeaseSet. AgeMS is by this machine's clock.
type leaseSetView struct {
	Term      uint64    `json:"term"`
	Seq       uint64    `json:"seq"`
	Published time.Time `json:"published"`
	Expires   time.Time `json:"expires"`
	AgeMS     int64     `json:"age_ms"`
	Leases    uint32    `json:"leases"`
	Routers   uint32    `json:"routers"`
}

type frontendView struct {
	Name         string     `json:"name"`
	Member       bool       `json:"member"`
	Publisher    bool       `json:"publisher"`
	Refuge       bool       `json:"refuge"`
	Attached     bool       `json:"attached"`
	RouterUp     bool       `json:"router_up"`
	Leases       int        `json:"leases"`
	InstalledSeq uint64     `json:"installed_seq"`
	Draining     bool       `json:"draining"`
	DrainUntil   *time.Time `json:"drain_until"` // null: no drain, or no end
	Error        string     `json:"error"`
}

func statusOf(s *controlpb.Status, now time.Time) statusView {
	v := statusView{
		Destination: s.GetDestination(), InOffice: s.GetLeader(), Term: s.GetTerm(), Epoch: s.GetEpoch(),
		Publishes: s.GetPublishes(), Frontends: []frontendView{},
	}
	if m := s.GetMerged(); m != nil {
		published := time.Unix(m.GetPublished(), 0).UTC()
		v.LeaseSet = &leaseSetView{
			Term: m.GetTerm(), Seq: m.GetSeq(), Published: published, Expires: time.Unix(m.GetExpires(), 0).UTC(),
			AgeMS: now.Sub(published).Milliseconds(), Leases: m.GetLeases(), Routers: m.GetRouters(),
		}
	}
	if ms := s.GetRefugeUntilMs(); ms != 0 {
		until := time.UnixMilli(ms).UTC()
		v.RefugeUntil = &until
	}
	for _, f := range s.GetFrontends() {
		v.Frontends = append(v.Frontends, frontendOf(f))
	}
	return v
}

func frontendOf(f *controlpb.FrontendStatus) frontendView {
	v := frontendView{
		Name: f.GetName(), Member: f.GetMember(), Publisher: f.GetPublisher(), Refuge: f.GetRefuge(), Attached: f.GetAttached(), RouterUp: f.GetUp(),
		Leases: len(f.GetLeases()), InstalledSeq: f.GetInstalledSeq(), Draining: f.GetDraining(), Error: f.GetError(),
	}
	if ms := f.GetDrainUntilMs(); ms != 0 {
		until := time.UnixMilli(ms).UTC()
		v.DrainUntil = &until
	}
	return v
}

func (v statusView) text(w io.Writer) {
	fmt.Fprintf(w, "Destination  %s\n", v.Destination)
	fmt.Fprintf(w, "LeaseSet     %s\n", v.LeaseSet.describe())
	fmt.Fprintf(w, "Term         %d, key epoch %d, published %d times by this leader\n\n", v.Term, v.Epoch, v.Publishes)
	if len(v.Frontends) == 0 {
		fmt.Fprintln(w, "No frontends yet: invite one with onelease cluster invite --role frontend --name NAME")
		return
	}
	rows := [][]string{{"FRONTEND", "ROLES", "STATE", "LEASES", "SEQ", "ERROR"}}
	for _, f := range v.Frontends {
		rows = append(rows, []string{f.Name, f.roles(), f.state(), strconv.Itoa(f.Leases), strconv.FormatUint(f.InstalledSeq, 10), f.Error})
	}
	table(w, rows)
}

func (l *leaseSetView) describe() string {
	if l == nil {
		return "none signed by this leader yet"
	}
	age := max(0, time.Duration(l.AgeMS)*time.Millisecond) // each takes up a second, some of which are to come
	return fmt.Sprintf("%s of %s, %s old, seq %d of term %d", counted(l.Leases, "lease"), counted(l.Routers, "router"), span(age), l.Seq, l.Term)
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

var _ view = statusView{}
