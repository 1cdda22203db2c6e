package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/raftstate"
)

func backupCommand() *cobra.Command {
	var access accessFlags
	cmd := &cobra.Command{
		Use:   "backup FILE --dir DIR",
		Short: "Write the replicated state to a file, while the cluster runs",
		Long: `Backup writes what the balancers agree on, as the leader has it, to a new file and
checks it: the frontends and their drains, the policy, and what was signed last. There are
no keys in it. For those, keep the Destination's key file, and ca.crt and ca.key.sealed
of one balancer's directory, which the Destination's keys open.`,
		Example: `  onelease cluster backup onelease-$(date +%F).backup --dir b1`,
		Args:    oneArg("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var info raftstate.BackupInfo
			err := access.lead(cmd, func(ctx context.Context, leader *cluster.Conn) error {
				return writeNew(args[0], func(w io.Writer) (err error) {
					info, err = leader.BackupTo(ctx, w)
					return err
				})
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Backed up the state of cluster %s as balancer %s has it: entry %d, term %d.\n",
				info.Cluster, info.Node, info.Index, info.Term)
			return err
		},
	}
	access.add(cmd)
	return cmd
}

// writeNew writes a file that was not there, whole or not at all.
func writeNew(path string, write func(io.Writer) error) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already: give a new file", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), path) // which does not replace what has come meanwhile
}

func restoreCommand() *cobra.Command {
	var (
		access  accessFlags
		offline bool
	)
	cmd := &cobra.Command{
		Use:   "restore FILE --dir DIR",
		Short: "Replace the replicated state by a backup",
		Long: `Restore replaces the state of the running cluster, on all balancers, by that of a backup
of this cluster. The members stay. What was signed since the backup stays known, so
that remotes and frontends take what comes next; tokens that were not used are gone.

When all balancers' state is lost, put node.json, node.crt, node.key, ca.crt,
ca.key.sealed and destination.age of one of them back, without raft/, and use --offline with that
directory while no balancer runs: started, it is a cluster of one. Invite the
others anew.`,
		Example: `  onelease cluster restore onelease-2030-01-31.backup --dir b1
  onelease cluster restore onelease-2030-01-31.backup --dir b1 --offline`,
		Args: oneArg("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needDir(cmd); err != nil {
				return err
			}
			backup, err := readBackup(args[0])
			if err != nil {
				return err
			}
			if offline {
				return restoreOffline(cmd, access.dir, backup)
			}
			return restore(cmd, &access, args[0], backup)
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "write it to the directory of a balancer that is down and has no state")
	access.add(cmd)
	return cmd
}

func readBackup(path string) (*raftstate.Backup, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	backup, err := raftstate.ReadBackup(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return backup, nil
}

const restored = "Restored the backup that balancer %s has made at %s.\n"

func restore(cmd *cobra.Command, access *accessFlags, path string, backup *raftstate.Backup) error {
	file, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	err = access.lead(cmd, func(ctx context.Context, leader *cluster.Conn) error {
		_, err := leader.RestoreFrom(ctx, file)
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), restored, backup.Node, backup.Created.UTC().Format("2006-01-02 15:04:05 MST"))
	return err
}

func restoreOffline(cmd *cobra.Command, dir string, backup *raftstate.Backup) error {
	if err := cluster.RestoreDir(dir, backup); err != nil {
		return err
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), restored+"Next:\n  onelease balancer --dir %s\n",
		backup.Node, backup.Created.UTC().Format("2006-01-02 15:04:05 MST"), dir)
	return err
}
