package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/keystore"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/raftstate"
	"github.com/onelease/onelease/raftstate/ledger"
)

const balancerLong = `Balancer runs the balancer in a directory that "onelease cluster init" or "onelease
cluster join" has made, until SIGINT or SIGTERM: then it hands the lead over and
ends. A balancer that has joined becomes a member of the cluster at its first
start, and gets its vote when it has caught up.

Balancers, frontends and operators reach it by one port, over TLS with the
cluster's own certificates. It renews its certificate by itself; SIGHUP has it
read a changed one. --config has what the flags say in a file, and flags come on top:
"onelease config example balancer" prints one with all keys.

` + secretHelp + `
Without one of those flags the balancer asks at the terminal. If there is none to
ask at, or no keys are stored, it runs locked: it votes, hands the lead to one that
has the keys, makes no tokens and certificates, and waits for "onelease cluster unlock".

Commands with its directory (onelease cluster) go through commands.sock there, which is
for its user and root.

Exit codes: 0 it was told to end; 1 it failed, as when the cluster's state has
become one of a newer version; 2 wrong use.`

const balancerExample = `  onelease balancer --dir /var/lib/onelease/b1
  onelease balancer --dir /var/lib/onelease/b1 --passphrase-file /etc/onelease/passphrase
  onelease balancer --dir /var/lib/onelease/b1 --passphrase-fd 3 3< <(pass show onelease)
  onelease balancer --dir /var/lib/onelease/b1 --listen 0.0.0.0:7660 --preset wan
  onelease balancer --config /etc/onelease/balancer.toml`

func balancerCommand() *cobra.Command {
	f := balancerFlags{with: newBalancerFile()}
	cmd := &cobra.Command{
		Use:     "balancer --dir DIR",
		Short:   "Run a balancer: one of the cluster that chooses, signs and publishes",
		Long:    balancerLong,
		Example: balancerExample,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file := newBalancerFile()
			if err := f.file.readChecked(cmd, file); err != nil {
				return err
			}
			cfg, err := f.config(cmd, file)
			if err != nil {
				return err
			}
			endpoint, err := openAdmin(cmd, file.Address, cfg.Logger)
			if err != nil {
				return err
			}
			defer endpoint.Close()
			node, err := cluster.Start(cfg)
			if errors.Is(err, ledger.ErrVersion) && cfg.MaxVersion != 0 {
				return fmt.Errorf("--max-format %d: %w", cfg.MaxVersion, err)
			}
			if err != nil {
				return err
			}
			source := func() *admin.Snapshot { return watchBalancer(node) }
			defer endpoint.Serve(source)()
			reload := func() error { return f.file.reload(cmd, file, newBalancerFile(), node.Reload) }
			defer attend(cmd.Context(), source, "certificates", reload, cfg.Logger)()
			return runBalancer(cmd.Context(), node, cfg.Logger)
		},
	}
	f.add(cmd)
	return cmd
}

type balancerFlags struct {
	file   configFile
	with   *balancerFile
	secret secretFlags
	log    logFlag
}

func (f *balancerFlags) add(cmd *cobra.Command) {
	f.file.add(cmd, f.with)
	f.secret.add(cmd)
	f.log.add(cmd)
}

// config asks for the passphrase, if there is one to ask for.
func (f *balancerFlags) config(cmd *cobra.Command, file *balancerFile) (cfg cluster.Config, err error) {
	cfg.Dir, cfg.Listen, cfg.MaxVersion, cfg.LookEvery = file.Dir, file.Listen, file.MaxFormat, balancer.LookEvery
	if cfg.Preset, err = presetOf(cmd, file.Preset); err != nil {
		return cfg, err
	}
	if cfg.Logger, err = f.log.logger(cmd); err != nil {
		return cfg, err
	}
	cfg.Secret, err = balancerSecret(cmd, file, f.secret, cfg.Logger)
	return cfg, err
}

func presetOf(cmd *cobra.Command, name string) (raftstate.Preset, error) {
	if name == "wan" {
		return raftstate.WAN(), nil
	}
	return raftstate.LAN(), oneOf(cmd, "preset", name, "lan", "wan")
}

// balancerSecret is what opens the balancer's keys, nil if it is to run locked.
func balancerSecret(cmd *cobra.Command, file *balancerFile, flags secretFlags, log *slog.Logger) (*keystore.Secret, error) {
	if _, err := nodedir.Read(file.Dir); err != nil {
		return nil, err
	}
	secret, err := flags.read(cmd)
	if secret == nil && err == nil {
		secret, err = file.secret()
	}
	stored := cluster.HasKeys(file.Dir)
	switch {
	case secret != nil || err != nil:
		return secret, err
	case stored && atTerminal():
		return askPassphrase(cmd)
	case stored:
		log.Warn("locked: start it with --passphrase-file, --passphrase-fd or --identity-file, or unlock it with \"onelease cluster unlock\"")
	default:
		log.Warn("locked: no keys are stored here; unlock it with \"onelease cluster unlock\"")
	}
	return nil, nil
}

// runBalancer runs node until ctx ends or it fails.
func runBalancer(ctx context.Context, node *cluster.Node, log *slog.Logger) error {
	log.Info("balancer runs", "name", node.Name(), "address", node.Address())
	select {
	case <-ctx.Done():
		log.Info("balancer ends")
		return node.Close()
	case <-node.Failed():
		err := node.Err()
		node.Kill()
		return fmt.Errorf("balancer %s cannot go on: %w: install the program of the version that the others run, and start it again with the same directory", node.Name(), err)
	}
}
