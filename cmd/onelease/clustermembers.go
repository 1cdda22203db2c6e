package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
)

// silentAfter is how long a balancer may be silent and count as up: with any
// preset, the leader hears each several times a second.
const silentAfter = 2 * time.Second

func membersCommand() *cobra.Command {
	var (
		access accessFlags
		asJSON jsonFlag
	)
	cmd := &cobra.Command{
		Use:   "members --dir DIR",
		Short: "List the balancers: who has a vote, who leads, who is silent",
		Long: `Members lists the balancers of the cluster as the leader knows them, or as any
balancer does if none leads: then nobody can say who is silent.

A balancer that is silent keeps its vote until you remove it. If it is gone for
good, remove it: it counts to the majority that must be up.

FORMAT is the newest format of the replicated state that a balancer's program
reads. The cluster writes the newest that all of them read.`,
		Example: `  onelease cluster members --dir b1
  onelease cluster members --dir .onelease --balancer 10.0.0.2:7660 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := access.client(cmd)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), access.timeout)
			defer cancel()
			reply, err := client.Members(ctx)
			if err != nil {
				return access.hint(err)
			}
			return asJSON.show(cmd, membersOf(reply))
		},
	}
	access.add(cmd)
	asJSON.add(cmd)
	return cmd
}

// A membersView is the members of the cluster as one balancer knows them.
type membersView struct {
	Cluster       string       `json:"cluster"`
	Destination   string       `json:"destination"` // b32
	Leader        string       `json:"leader"`      // ID, empty if none is known
	LeaderAddress string       `json:"leader_address"`
	Format        uint32       `json:"format"`
	Generation    uint64       `json:"generation"`
	Asked         askedView    `json:"asked"`
	Members       []memberView `json:"members"`
}

// An askedView is the balancer that answered.
type askedView struct {
	ID       string `json:"id"`
	Unlocked bool   `json:"unlocked"`
	Office   string `json:"office"` // what it does
}

type memberView struct {
	ID       string `json:"id"`
	Address  string `json:"address"`
	Voter    bool   `json:"voter"`
	Leader   bool   `json:"leader"`
	State    string `json:"state"`     // for people
	SilentMS int64  `json:"silent_ms"` // -1: not known
	Format   uint32 `json:"format"`    // 0: not known
}

func membersOf(r *clusterpb.MembersReply) membersView {
	v := membersView{
		Cluster: r.GetCluster(), Destination: r.GetDestination(), Leader: r.GetLeader(), LeaderAddress: r.GetLeaderAddress(),
		Format: r.GetFormat(), Generation: r.GetGeneration(),
		Asked: askedView{ID: r.GetSelf(), Unlocked: r.GetUnlocked(), Office: r.GetOffice()},
	}
	for _, m := range r.GetMembers() {
		v.Members = append(v.Members, memberView{
			ID: m.GetId(), Address: m.GetAddress(), Voter: m.GetVoter(), Leader: m.GetLeader(),
			State: memberState(m, r), SilentMS: m.GetSilentMs(), Format: m.GetVersion(),
		})
	}
	return v
}

// memberState is a member's state as the balancer that answered knows it. Only
// the leader knows who is silent.
func memberState(m *clusterpb.Member, r *clusterpb.MembersReply) string {
	silent := time.Duration(m.GetSilentMs()) * time.Millisecond
	switch {
	case m.GetLeader():
		return "leads"
	case r.GetSelf() != r.GetLeader():
		return "not known"
	case silent < 0:
		return fmt.Sprintf("not heard since %s leads", r.GetLeader())
	case silent > silentAfter:
		return "silent for " + span(silent)
	}
	return "follows"
}

func (v membersView) text(w io.Writer) {
	rows := [][]string{{"ID", "ADDRESS", "VOTE", "STATE", "FORMAT"}}
	for _, m := range v.Members {
		format := "-"
		if m.Format != 0 {
			format = strconv.Itoa(int(m.Format))
		}
		rows = append(rows, []string{m.ID, m.Address, either(m.Voter, "yes", "no"), m.State, format})
	}
	table(w, rows)
	fmt.Fprintf(w, "\nDestination %s, cluster %s, format %d; leader: %s\n", v.Destination, v.Cluster, v.Format, cmp.Or(v.Leader, "none"))
	if v.Leader == "" || !v.Asked.Unlocked {
		fmt.Fprintf(w, "Balancer %s, which was asked: %s\n", v.Asked.ID, v.Asked.Office)
	}
}

var _ view = membersView{}
