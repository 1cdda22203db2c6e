package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/nodedir"
)

func unlockCommand() *cobra.Command {
	var (
		access accessFlags
		keys   string
	)
	cmd := &cobra.Command{
		Use:   "unlock --dir DIR --keys FILE",
		Short: "Give a locked balancer the Destination's keys, to be held in memory",
		Long: `Unlock gives the Destination's private keys to a balancer, which holds them in memory
until it ends, and writes them nowhere; after the next start it is locked again. They
open the key of the cluster's CA too, so that it can let nodes in.

With a balancer's own directory it unlocks the balancer that runs there, as its user or
as root, and the keys stay on the machine. Others are named by --balancer, each of
which is unlocked for itself: over TLS, to whom the cluster's CA has certified. Who has
a copy of a balancer's directory, and its address, can take them there.`,
		Example: `  onelease cluster unlock --dir b1 --keys site.dat
  onelease cluster unlock --dir .onelease --keys site.dat --balancer 10.0.0.1:7660 --balancer 10.0.0.2:7660`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := cmp.Or(needDir(cmd), need(cmd, "keys", "name the Destination's private key file"))
			if err != nil {
				return err
			}
			targets, err := unlockTargets(cmd, &access)
			if err != nil {
				return err
			}
			k, err := readKeys(keys)
			if err != nil {
				return err
			}
			return unlock(cmd, &access, targets, k)
		},
	}
	cmd.Flags().StringVar(&keys, "keys", "", "the Destination's private key `file`")
	access.add(cmd)
	return cmd
}

// unlockTargets are the addresses of whom to unlock; none: the balancer whose directory is given.
func unlockTargets(cmd *cobra.Command, access *accessFlags) ([]string, error) {
	if len(access.balancers) > 0 {
		return access.balancers, nil
	}
	info, err := nodedir.Read(access.dir)
	if err != nil {
		return nil, err
	}
	if info.Address == "" {
		return nil, wrongUse(cmd, fmt.Errorf("whom to unlock? %s is the directory of %s %q: name the balancers by --balancer", access.dir, info.Role, info.Name))
	}
	return nil, nil
}

func unlock(cmd *cobra.Command, access *accessFlags, targets []string, keys *i2p.Keys) error {
	client, err := access.client(cmd)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if len(targets) == 0 {
		if err := cluster.UnlockHere(cmd.Context(), access.dir, keys); err != nil {
			return fmt.Errorf("unlock: %w", err)
		}
		_, err := fmt.Fprintf(out, "The balancer of %s holds the keys, until it ends.\n", access.dir)
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), access.timeout)
	defer cancel()
	for _, addr := range targets {
		if err := unlockOne(ctx, client, addr, keys); err != nil {
			return fmt.Errorf("balancer %s: %w", addr, err)
		}
		fmt.Fprintf(out, "Balancer %s holds the keys, until it ends.\n", addr)
	}
	return nil
}

func unlockOne(ctx context.Context, client *cluster.Client, addr string, keys *i2p.Keys) error {
	conn, err := client.To(addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Unlock(ctx, &clusterpb.UnlockRequest{PrivateKeys: keys.Bytes()})
	return cluster.Plain(err)
}
