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
	f := siteDrain{done: "Router %s drains."}
	cmd := &cobra.Command{
		Use:   "drain NAME --dir DIR",
		Short: "Take a router out of service before maintenance, and cut nobody",
		Long: `Drain takes a router out of service: newcomers go to the others, the remotes that it
serves are moved or served to the end, and after ten minutes its session is closed. The
drain outlives restarts; "onelease undrain" ends it.

--dir is that of "onelease up", which runs on this machine; or of an operator or a balancer of a
cluster, and NAME then the router's frontend, as for "onelease cluster drain". With --wait the
command ends when the router can be stopped: when nobody is on it any more, as far as that is
known, or its session was closed. How far it is shows "onelease status --dir DIR" as well, or
"onelease cluster status --dir DIR".

Exit codes: 0 done; 1 failed; 2 wrong use.`,
		Example: `  onelease drain a --dir /var/lib/onelease/site-1
  onelease drain a --dir /var/lib/onelease/site-1 --wait && systemctl stop i2pd
  onelease drain router-2 --dir b1`,
	}
	cmd.Flags().BoolVar(&f.wait, "wait", false, "until the router can be stopped")
	return f.complete(cmd)
}

func siteUndrainCommand() *cobra.Command {
	f := siteDrain{off: true, done: "Router %s is in service."}
	return f.complete(&cobra.Command{
		Use:   "undrain NAME --dir DIR",
		Short: "Put a drained router back into service",
		Long: `Undrain ends a drain: the router's tunnels are in the LeaseSet again. --dir is as for
"onelease drain".

Exit codes: 0 done; 1 failed; 2 wrong use.`,
		Example: `  onelease undrain a --dir /var/lib/onelease/site-1`,
	})
}

// A siteDrain is a drain, or with off the end of one.
type siteDrain struct {
	access  accessFlags
	control string // the socket of onelease up, if it is not in --dir
	off     bool
	wait    bool
	done    string // with a %s for the name
}

func (f *siteDrain) complete(cmd *cobra.Command) *cobra.Command {
	cmd.Args = oneArg("router's name")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) }
	f.access.add(cmd)
	cmd.Flags().Lookup("dir").Usage = "`directory` of onelease up, or of an operator or a balancer of a cluster"
	cmd.Flags().StringVar(&f.control, "control", "", "`path` of the control socket of onelease up, if that is not in --dir")
	return cmd
}

// run asks the process of --dir, or if that is a node's of a cluster the leader.
func (f *siteDrain) run(cmd *cobra.Command, name string) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	drain := f.drainSite
	look := func(ctx context.Context) (drained, error) {
		ctx, cancel := context.WithTimeout(ctx, f.access.timeout)
		defer cancel()
		return lookAtSite(ctx, f.socket(), name)
	}
	if _, err := nodedir.Read(f.access.dir); f.control == "" && (err == nil || len(f.access.balancers) > 0) {
		drain = func(cmd *cobra.Command, name string) error { return f.access.drain(cmd, name, f.off) }
		look = func(context.Context) (drained, error) { return f.access.lookAtCluster(cmd, name) }
	}
	if err := drain(cmd, name); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), f.done+"\n", name); err != nil || !f.wait {
		return err
	}
	return awaitDrained(cmd, name, look)
}

func (f *siteDrain) check(cmd *cobra.Command) error {
	if f.control != "" {
		return atMostOne(cmd, "dir", "control")
	}
	return f.access.check(cmd)
}

// socket is that of onelease up.
func (f *siteDrain) socket() string {
	if f.control != "" {
		return f.control
	}
	return daemon.ControlPath(f.access.dir)
}

func (f *siteDrain) drainSite(cmd *cobra.Command, name string) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), f.access.timeout)
	defer cancel()
	_, err := upd.Drain(ctx, f.socket(), name, f.off)
	if errors.Is(err, daemon.ErrNotRunning) && f.control == "" {
		return fmt.Errorf("no onelease up runs with --dir %s, and it is no directory of a cluster's node: %w", f.access.dir, err)
	}
	return err
}
