package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/internal/daemon"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/upd"
)

func siteDrainCommand() *cobra.Command {
	return siteDrainingCommand(&cobra.Command{
		Use:   "drain NAME --dir DIR",
		Short: "Take a router out of service before maintenance, and cut nobody",
		Long: `Drain takes a router out of service: newcomers go to the others, the remotes that it
serves are moved or served to the end, and after ten minutes its session is closed. The
drain outlives restarts; "onelease undrain" ends it.

--dir is that of "onelease up", which runs on this machine; or of an operator or a balancer of a
cluster, and NAME then the router's frontend, as for "onelease cluster drain". How far it is
shows "onelease status --dir DIR", or "onelease cluster status --dir DIR".

Exit codes: 0 done; 1 failed; 2 wrong use.`,
		Example: `  onelease drain a --dir /var/lib/onelease/site-1
  onelease drain router-2 --dir b1`,
	}, false, "Router %s drains.")
}

func siteUndrainCommand() *cobra.Command {
	return siteDrainingCommand(&cobra.Command{
		Use:   "undrain NAME --dir DIR",
		Short: "Put a drained router back into service",
		Long: `Undrain ends a drain: the router's tunnels are in the LeaseSet again. --dir is as for
"onelease drain".

Exit codes: 0 done; 1 failed; 2 wrong use.`,
		Example: `  onelease undrain a --dir /var/lib/onelease/site-1`,
	}, true, "Router %s is in service.")
}

func siteDrainingCommand(cmd *cobra.Command, off bool, done string) *cobra.Command {
	var access accessFlags
	cmd.Args = oneArg("router's name")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		err := drainAt(cmd, &access, args[0], off)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), done+"\n", args[0])
		return err
	}
	access.add(cmd)
	cmd.Flags().Lookup("dir").Usage = "`directory` of onelease up, or of an operator or a balancer of a cluster"
	return cmd
}

// drainAt asks the process of --dir, or if that is a node's of a cluster the leader.
func drainAt(cmd *cobra.Command, access *accessFlags, name string, off bool) error {
	if err := access.check(cmd); err != nil {
		return err
	}
	if _, err := nodedir.Read(access.dir); err == nil || len(access.balancers) > 0 {
		return access.drain(cmd, name, off)
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), access.timeout)
	defer cancel()
	_, err := upd.Drain(ctx, daemon.ControlPath(access.dir), name, off)
	if errors.Is(err, daemon.ErrNotRunning) {
		return fmt.Errorf("no onelease up runs with --dir %s, and it is no directory of a cluster's node: %w", access.dir, err)
	}
	return err
}
