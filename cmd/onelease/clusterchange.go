package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
)

// changeCommand completes a command that asks the leader for one change, and
// says done, which has a %s for the ID.
func changeCommand(cmd *cobra.Command, request *clusterpb.ChangeRequest, done string) *cobra.Command {
	var access accessFlags
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			request.Id = args[0]
		}
		id := request.GetId()
		err := access.lead(cmd, func(ctx context.Context, leader *cluster.Conn) error {
			reply, err := leader.Change(ctx, request)
			if request.GetKind() == clusterpb.ChangeRequest_KIND_TRANSFER {
				id = reply.GetLeader()
			}
			return err
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), done+"\n", id)
		return err
	}
	access.add(cmd)
	return cmd
}

func removeCommand() *cobra.Command {
	request := &clusterpb.ChangeRequest{Kind: clusterpb.ChangeRequest_KIND_REMOVE}
	cmd := changeCommand(&cobra.Command{
		Use:   "remove ID --dir DIR",
		Short: "Remove a balancer from the cluster",
		Long: `Remove takes a balancer out of the cluster: one that is gone for good, so that it no
longer counts to the majority, or one that you are about to stop. The leader can
be removed too; another leads then.

The removed balancer still has the CA's key and the Destination's, sealed, in its
directory: delete that. Do not start it again; to take the machine back, invite it anew.

If those that are left could not decide anything, since too many of them are silent,
it is refused; --force does it all the same, and the cluster stands still until
enough of them come back.`,
		Example: `  onelease cluster remove b3 --dir b1
  onelease cluster remove b3 --dir b1 --force`,
		Args: oneArg("balancer's ID"),
	}, request, `Removed balancer %s. Delete its directory: it holds the sealed keys.`)
	cmd.Flags().BoolVar(&request.Force, "force", false, "even if no majority is left that is up")
	return cmd
}

func promoteCommand() *cobra.Command {
	return changeCommand(&cobra.Command{
		Use:   "promote ID --dir DIR",
		Short: "Give a balancer a vote",
		Long: `Promote gives a balancer that follows without a vote its vote, once it has the whole
state. An odd number of votes is best: a fourth adds no loss that can be borne.`,
		Example: `  onelease cluster promote b4 --dir b1`,
		Args:    oneArg("balancer's ID"),
	}, &clusterpb.ChangeRequest{Kind: clusterpb.ChangeRequest_KIND_PROMOTE}, "Balancer %s has a vote.")
}

func demoteCommand() *cobra.Command {
	return changeCommand(&cobra.Command{
		Use:   "demote ID --dir DIR",
		Short: "Take a balancer's vote",
		Long: `Demote takes a balancer's vote. It goes on to follow, with a whole copy of the state,
and cannot lead. Who is left with a vote must be able to decide.`,
		Example: `  onelease cluster demote b4 --dir b1`,
		Args:    oneArg("balancer's ID"),
	}, &clusterpb.ChangeRequest{Kind: clusterpb.ChangeRequest_KIND_DEMOTE}, "Balancer %s has no vote.")
}

func transferCommand() *cobra.Command {
	return changeCommand(&cobra.Command{
		Use:   "transfer [ID] --dir DIR",
		Short: "Hand the lead over, to a balancer or to any",
		Long: `Transfer has another balancer lead: the one that you name, or any that has the whole
state. It takes some milliseconds, and the frontends follow by themselves. A
balancer that is told to end does it by itself.`,
		Example: `  onelease cluster transfer --dir b1
  onelease cluster transfer b2 --dir b1`,
		Args: atMostOneArg,
	}, &clusterpb.ChangeRequest{Kind: clusterpb.ChangeRequest_KIND_TRANSFER}, "Balancer %s leads.")
}

// atMostOneArg takes an ID or none.
func atMostOneArg(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return wrongUse(cmd, fmt.Errorf("unexpected argument %q: one ID is wanted, or none", args[1]))
	}
	return nil
}
