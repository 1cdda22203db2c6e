package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/raftstate"
)

func recoverCommand() *cobra.Command {
	var (
		dir   string
		given []string
	)
	cmd := &cobra.Command{
		Use:   "recover --dir DIR --member ID=HOST:PORT...",
		Short: "Give a cluster that has lost its majority for good other members",
		Long: `Recover is for a cluster whose majority will not come back: what is left cannot
choose a leader, nor remove the lost. It gives the balancer in --dir, which must
be stopped, the members that you name, itself among them.

Make sure that the lost ones stay lost: two clusters that sign for one Destination
would fight. Stop all balancers that are left; recover one, the one that has heard
most, to itself alone; start it; and invite the others anew. Or recover each of
those that are left, with the same members.

As long as one balancer could come back, wait for it instead: nothing is lost, and
what was signed serves for a while.`,
		Example: `  onelease cluster recover --dir b2 --member b2=10.0.0.2:7660
  onelease cluster recover --dir b2 --member b2=10.0.0.2:7660 --member b4=10.0.0.4:7660,non-voter`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := cmp.Or(needDir(cmd), needMember(cmd, given))
			if err != nil {
				return err
			}
			members, err := parseMembers(given)
			if err != nil {
				return wrongUse(cmd, err)
			}
			if err := cluster.Recover(dir, members); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Recovered: the members are now %s. Next:\n  onelease balancer --dir %s\n", strings.Join(given, " "), dir)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "dir", "", "the stopped balancer's `directory`")
	flags.StringArrayVar(&given, "member", nil, "a `member` that there is to be, ID=HOST:PORT, with \",non-voter\" if it has no vote; repeatable")
	return cmd
}

func needMember(cmd *cobra.Command, given []string) error {
	if len(given) == 0 {
		return wrongUse(cmd, fmt.Errorf("--member is not set: name the members that there are to be, ID=HOST:PORT"))
	}
	return nil
}

func parseMembers(given []string) (members []raftstate.Member, err error) {
	for _, text := range given {
		rest, nonVoter := strings.CutSuffix(text, ",non-voter")
		id, addr, ok := strings.Cut(rest, "=")
		if !ok || id == "" || addr == "" {
			return nil, fmt.Errorf("--member %q: want ID=HOST:PORT", text)
		}
		members = append(members, raftstate.Member{ID: id, Addr: addr, Voter: !nonVoter})
	}
	return members, nil
}
