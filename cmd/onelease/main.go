// Command onelease hosts one I2P Destination on many routers behind one LeaseSet.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitFailed = 1 // it was tried and did not work
	exitUsage  = 2 // it was not tried: wrong flag or argument
)

// A usageError is one of flags and arguments.
type usageError struct{ error }

// wrongUse makes a usageError that ends in where to read more.
func wrongUse(cmd *cobra.Command, err error) error {
	return usageError{fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := root().ExecuteContext(ctx)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "onelease:", err)
	if errors.As(err, new(usageError)) {
		os.Exit(exitUsage)
	}
	os.Exit(exitFailed)
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "onelease",
		Short: "One I2P Destination, many routers, one LeaseSet",
		Long: `Onelease hosts one I2P Destination on several stock routers at once. A balancer
merges the tunnels of all into one LeaseSet, so that the netDB sees what one
router would show; when a router dies, its remotes go on with the others.

"onelease up" is all of it in one process, for routers of one machine. A deployment over
several machines has one to nine balancers, which form a cluster, a frontend beside each
router, and a backend or more with the services, most of which are plugins.
"onelease cluster" makes and tends the cluster, "onelease plugin" the plugins.

Exit codes: 0 done; 1 failed; 2 wrong use.`,
		Example: `  onelease demo                     # watch it work, with nothing installed
  onelease up --help                # a site on the routers of this machine
  onelease key generate site.dat    # make a Destination, or import one that you have
  onelease cluster init --help      # begin a cluster of balancers
  onelease balancer --dir DIR       # run one of them
  onelease frontend --dir DIR       # run the frontend beside a router
  onelease plugin add PROGRAM       # register a service
  onelease backend --dir DIR        # run services
  onelease sam --router NAME=ADDR   # a SAM bridge on several routers, without a cluster
  onelease lookup NAME              # what routers and the netDB have of a Destination
  onelease config example sam       # a file for --config, with all keys
  onelease doctor --help            # what is wrong with a setup, and what to do
  onelease drain NAME --dir DIR     # before maintenance of a router
  onelease status --admin ADDR      # how one of those that run is
  onelease version                  # what to say in a report of a fault`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.SetFlagErrorFunc(wrongUse)
	return group(cmd, demoCommand(), upCommand(), balancerCommand(), frontendCommand(), backendCommand(), clusterCommand(), pluginCommand(), samCommand(),
		configCommand(), keyCommand(), lookupCommand(), doctorCommand(), nodeStatusCommand(), siteDrainCommand(), siteUndrainCommand(), simnetCommand(), versionCommand(), manCommand())
}

// group makes cmd one that only has others.
func group(cmd *cobra.Command, others ...*cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return wrongUse(cmd, fmt.Errorf("unknown command %q", args[0]))
		}
		return cmd.Help()
	}
	cmd.AddCommand(others...)
	return cmd
}

// oneArg wants exactly one argument, which is a what.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return wrongUse(cmd, fmt.Errorf("no %s given", what))
		case 1:
			return nil
		}
		return wrongUse(cmd, fmt.Errorf("unexpected argument %q: one %s is wanted", args[1], what))
	}
}

// noArgs refuses arguments as wrong use.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return wrongUse(cmd, fmt.Errorf("unexpected argument %q", args[0]))
	}
	return nil
}
