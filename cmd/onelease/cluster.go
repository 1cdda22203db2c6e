package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/internal/pki"
)

func clusterCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "cluster",
		Short: "Make, grow, watch and repair a cluster of balancers",
		Long: `One to nine balancers hold the same state; one of them leads, and alone signs
LeaseSets. When it is gone the others choose another, as long as a majority of
those with a vote is up: three balancers bear the loss of one, five of two.

Init makes a cluster of one. Everything else joins it by an invitation, a token
that is good once and for a while: balancers, frontends, backends, guests, and operators,
who may give the commands below. Each gets a certificate of the cluster's own CA,
and all connections are made with them.

The commands take the certificate in --dir, which is an operator's. With a balancer's
directory they ask the balancer that runs there for one, as its user or as root: a copy
of the directory gives no commands. They find the leader by themselves, and wait for
one while another is elected.

Exit codes: 0 done; 1 failed; 2 wrong use.`,
		Example: `  onelease cluster init --dir b1 --name b1 --address 10.0.0.1:7660 --keys site.dat
  onelease balancer --dir b1
  onelease cluster invite --dir b1 --role balancer --name b2 > b2.token
  onelease cluster join --dir b2 --address 10.0.0.2:7660 --token-file b2.token   # on the other machine
  onelease cluster members --dir b1`,
	},
		initCommand(), inviteCommand(), joinCommand(),
		membersCommand(), statusCommand(),
		removeCommand(), promoteCommand(), demoteCommand(), transferCommand(),
		removeFrontendCommand(), removeBackendCommand(), removeGuestCommand(), removeOperatorCommand(), drainCommand(), undrainCommand(),
		unlockCommand(), policyCommand(),
		backupCommand(), restoreCommand(), recoverCommand(),
	)
}

// An accessFlags says who asks which balancers, and for how long.
type accessFlags struct {
	dir       string
	balancers []string
	timeout   time.Duration
}

func (a *accessFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&a.dir, "dir", "", "`directory` of an operator or a balancer, whose certificate is used")
	flags.StringArrayVar(&a.balancers, "balancer", nil, "`host:port` of a balancer to ask, in place of those that --dir names; repeatable")
	flags.DurationVar(&a.timeout, "timeout", 30*time.Second, "how long to try")
}

func (a *accessFlags) check(cmd *cobra.Command) error {
	if err := needDir(cmd); err != nil {
		return err
	}
	if a.timeout <= 0 {
		return wrongUse(cmd, fmt.Errorf("--timeout %v: want more than 0s", a.timeout))
	}
	return nil
}

// client reads --dir.
func (a *accessFlags) client(cmd *cobra.Command) (*cluster.Client, error) {
	if err := a.check(cmd); err != nil {
		return nil, err
	}
	return cluster.NewClient(a.dir, a.balancers...)
}

// look asks the leader for what any node may see.
func (a *accessFlags) look(cmd *cobra.Command, do func(context.Context, *cluster.Conn) error) error {
	as := func(_ context.Context, own *cluster.Client) (*cluster.Client, error) { return own, nil }
	return a.ask(cmd, as, do)
}

// lead gives the leader something to do that takes an operator.
func (a *accessFlags) lead(cmd *cobra.Command, do func(context.Context, *cluster.Conn) error) error {
	as := func(ctx context.Context, own *cluster.Client) (*cluster.Client, error) { return own.Commander(ctx) }
	return a.ask(cmd, as, do)
}

// ask has as say with whose certificate.
func (a *accessFlags) ask(cmd *cobra.Command, as func(context.Context, *cluster.Client) (*cluster.Client, error), do func(context.Context, *cluster.Conn) error) error {
	client, err := a.client(cmd)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), a.timeout)
	defer cancel()
	commander, err := as(ctx, client)
	if err != nil {
		return err
	}
	leader, err := commander.AwaitLeader(ctx)
	if err != nil {
		return a.hint(err)
	}
	defer leader.Close()
	if err := do(ctx, leader); err != nil {
		return cluster.Plain(err)
	}
	if client.Credentials().Credentials().Identity().Role == pki.Operator {
		_ = client.Upkeep(ctx) // what was asked is done; the next command tries again
	}
	return nil
}

// hint says what else there is to try.
func (a *accessFlags) hint(err error) error {
	if errors.Is(err, cluster.ErrNoLeader) {
		return fmt.Errorf("%w; start more of them, or see onelease cluster recover --help if they are lost", err)
	}
	return fmt.Errorf("%w; start one of them, or name another by --balancer", err)
}
