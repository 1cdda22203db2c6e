package cluster

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/onelease/onelease/internal/nodedir"
)

// Names in a node's directory, besides those of packages pki and nodedir.
const (
	keysName  = "destination.age"
	stateName = "raft"
)

// Errors that callers can tell apart.
var (
	// ErrInvalid: a setting or a file cannot work; the message says which.
	ErrInvalid = nodedir.ErrInvalid
	// ErrExists: the directory is that of a node already.
	ErrExists = errors.New("the directory is in use")
	// ErrRefused: the cluster refuses; the message says why and what to do.
	ErrRefused = errors.New("refused by the cluster")
	// ErrNoLeader: no balancer that could be reached leads, or knows who does.
	ErrNoLeader = errors.New("no balancer leads")
)

// newDir makes a directory for a new node, and refuses one that is another's, or
// that cannot be written to: an invitation would be lost on it.
func newDir(dir string) error {
	if dir == "" {
		return fmt.Errorf("no directory (Dir): %w", ErrInvalid)
	}
	if info, err := nodedir.Read(dir); err == nil {
		return fmt.Errorf("%s is that of %s %q: give another one: %w", dir, info.Role, info.Name, ErrExists)
	}
	if left, err := os.ReadDir(dir); err == nil && len(left) > 0 {
		return fmt.Errorf("%s is not empty: give another one, or remove what an interrupted try has left: %w", dir, ErrExists)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make a directory for the node: %w", err)
	}
	probe, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return fmt.Errorf("the node's directory cannot be written to: %w", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// checkAddress wants what others can dial.
func checkAddress(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" || port == "" || port == "0" {
		return fmt.Errorf("address %q: want host:port at which the other balancers and the frontends reach this one: %w", addr, ErrInvalid)
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return fmt.Errorf("address %q: others cannot connect to it; name this machine: %w", addr, ErrInvalid)
	}
	return nil
}
