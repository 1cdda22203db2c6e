package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
)

func drainCommand() *cobra.Command {
	return drainingCommand(&cobra.Command{
		Use:   "drain NAME --dir DIR",
		Short: "Take a router out of service before maintenance, and cut nobody",
		Long: `Drain takes the router of a frontend out of service: newcomers go to the others, the
remotes that it serves are moved or served to the end, and after the policy's drain
limit (10 minutes) its session is closed. The drain outlives leaders and restarts;
"onelease cluster undrain" ends it. "onelease cluster status" shows how far it is.`,
		Example: `  onelease cluster drain router-2 --dir b1`,
	}, false, "Frontend %s drains.")
}

func undrainCommand() *cobra.Command {
	return drainingCommand(&cobra.Command{
		Use:     "undrain NAME --dir DIR",
		Short:   "Put a drained router back into service",
		Long:    `Undrain ends a drain: the router's tunnels are in the LeaseSet again.`,
		Example: `  onelease cluster undrain router-2 --dir b1`,
	}, true, "Frontend %s is in service.")
}

func drainingCommand(cmd *cobra.Command, off bool, done string) *cobra.Command {
	var access accessFlags
	cmd.Args = oneArg("frontend's name")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := access.drain(cmd, args[0], off); err != nil {
			return err
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), done+"\n", args[0])
		return err
	}
	access.add(cmd)
	return cmd
}

// drain asks the leader to drain the router of a frontend, or with off to put it back.
func (a *accessFlags) drain(cmd *cobra.Command, frontend string, off bool) error {
	return a.lead(cmd, func(ctx context.Context, leader *cluster.Conn) error {
		_, err := leader.Drain(ctx, &clusterpb.DrainRequest{Frontend: frontend, Off: off})
		return err
	})
}
