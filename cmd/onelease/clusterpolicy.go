package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
)

func policyCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "policy",
		Short: "Show or change the times and sizes that all leaders go by",
		Long: `The policy is part of the replicated state: who leads goes by it, whatever was set
when that balancer was started. What is not set has the program's default, which is
the value that worked best on stock routers.`,
		Example: `  onelease cluster policy show --dir b1
  onelease cluster policy set --dir b1 --own-life 90s`,
	}, policyShowCommand(), policySetCommand())
}

func policyShowCommand() *cobra.Command {
	var (
		access accessFlags
		asJSON jsonFlag
	)
	cmd := &cobra.Command{
		Use:     "show --dir DIR",
		Short:   "Show what was set",
		Long:    `Show prints the policy's values; those that were never set are the program's defaults.`,
		Example: `  onelease cluster policy show --dir b1 --json`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var policy policyView
			err := access.lead(cmd, func(ctx context.Context, leader *cluster.Conn) error {
				reply, err := leader.GetPolicy(ctx, &clusterpb.GetPolicyRequest{})
				policy = policyOf(reply.GetPolicy())
				return err
			})
			if err != nil {
				return err
			}
			return asJSON.show(cmd, policy)
		},
	}
	access.add(cmd)
	asJSON.add(cmd)
	return cmd
}

func policySetCommand() *cobra.Command {
	var (
		access accessFlags
		wanted policyView
	)
	cmd := &cobra.Command{
		Use:   "set --dir DIR [flags]",
		Short: "Change values of the policy",
		Long: `Set changes the values that you name and leaves the others. 0, 0s or "" goes back to
the program's default. The leader takes it up at once: the frontends attach anew,
which costs no traffic.`,
		Example: `  onelease cluster policy set --dir b1 --own-life 90s --own-refresh 10s
  onelease cluster policy set --dir b1 --rotation never
  onelease cluster policy set --dir b1 --drain-limit 0s      # the default again`,
		Args: noArgs,
	}
	fields := wanted.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !anyChanged(cmd, fields) {
			return wrongUse(cmd, errors.New("nothing to set: give a flag"))
		}
		err := access.lead(cmd, func(ctx context.Context, leader *cluster.Conn) error {
			reply, err := leader.GetPolicy(ctx, &clusterpb.GetPolicyRequest{})
			if err != nil {
				return err
			}
			policy := policyOf(reply.GetPolicy())
			for flag, set := range fields {
				if cmd.Flags().Changed(flag) {
					set(&policy)
				}
			}
			_, err = leader.SetPolicy(ctx, &clusterpb.SetPolicyRequest{Policy: policy.message()})
			return err
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), "The policy is set.")
		return err
	}
	access.add(cmd)
	return cmd
}

func anyChanged(cmd *cobra.Command, fields map[string]func(*policyView)) bool {
	for flag := range fields {
		if cmd.Flags().Changed(flag) {
			return true
		}
	}
	return false
}
