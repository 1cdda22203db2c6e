package cluster

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/raftstate"
)

// Recover gives the balancer in dir, which must be down, another membership,
// for a cluster that has lost its majority for good: see raftstate.Recover. The
// errors are ErrInvalid and raftstate's.
func Recover(dir string, members []raftstate.Member) error {
	info, err := readBalancer(dir)
	if err != nil {
		return err
	}
	for _, m := range members {
		if err := checkAddress(m.Addr); err != nil {
			return fmt.Errorf("member %q: %w", m.ID, err)
		}
	}
	return raftstate.Recover(filepath.Join(dir, stateName), info.Name, members)
}

// RestoreDir writes the state of a backup to the directory of a balancer that
// is down and has no state, for a cluster that was lost whole: started, the
// balancer is a cluster of one. The errors are ErrInvalid and raftstate's.
func RestoreDir(dir string, backup *raftstate.Backup) error {
	info, err := readBalancer(dir)
	if err != nil {
		return err
	}
	if backup.Cluster != info.Cluster {
		return fmt.Errorf("the backup is of cluster %s, and %s of cluster %s: %w", backup.Cluster, dir, info.Cluster, ErrInvalid)
	}
	return raftstate.RestoreDir(filepath.Join(dir, stateName), info.Name, info.Address, backup)
}

// readBalancer reads the directory of a balancer.
func readBalancer(dir string) (nodedir.Info, error) {
	info, err := nodedir.Read(dir)
	if err == nil && info.Role != string(pki.Balancer) {
		err = fmt.Errorf("%s is the directory of a %s: a balancer's is wanted: %w", dir, info.Role, ErrInvalid)
	}
	return info, err
}

// HasKeys reports whether the directory has the Destination's keys, sealed.
func HasKeys(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, keysName))
	return err == nil
}
