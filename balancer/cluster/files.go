package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/internal/wholefile"
)

// Names in a node's directory, besides those of package pki.
const (
	nodeName  = "node.json"
	keysName  = "destination.age"
	stateName = "raft"
)

// Errors that callers can tell apart.
var (
	// ErrInvalid: a setting or a file cannot work; the message says which.
	ErrInvalid = errors.New("invalid")
	// ErrExists: the directory is that of a node already.
	ErrExists = errors.New("the directory is in use")
	// ErrRefused: the cluster refuses; the message says why and what to do.
	ErrRefused = errors.New("refused by the cluster")
	// ErrNoLeader: no balancer that could be reached leads, or knows who does.
	ErrNoLeader = errors.New("no balancer leads")
)

// An Info says who a node is and where its cluster is.
type Info struct {
	Cluster string `json:"cluster"`
	Role    string `json:"role"`
	Name    string `json:"name"`
	// Destination is in I2P base64.
	Destination string `json:"destination"`
	// Address is where the others reach a balancer, host:port.
	Address string `json:"address,omitempty"`
	// Balancers are those that were known when the node joined.
	Balancers []string `json:"balancers,omitempty"`
	// Voter is whether a balancer has a vote.
	Voter bool `json:"voter,omitempty"`
	// First is whether this balancer made the cluster.
	First bool `json:"first,omitempty"`
	// Expect is how many voters there must be before any leads.
	Expect int `json:"expect,omitempty"`
}

// ReadInfo reads a node's directory.
func ReadInfo(dir string) (Info, error) {
	var info Info
	path := filepath.Join(dir, nodeName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return info, fmt.Errorf("%s is not the directory of a node: make one with \"onelease cluster init\" or \"onelease cluster join\": %w", dir, err)
	}
	if err == nil {
		err = json.Unmarshal(b, &info)
	}
	if err == nil && (info.Name == "" || info.Cluster == "") {
		err = ErrInvalid
	}
	if err != nil {
		return info, fmt.Errorf("%s: %w: restore it from a backup, or join anew with another directory", path, err)
	}
	return info, nil
}

// write completes a new directory.
func (i Info) write(dir string) error {
	b, err := json.MarshalIndent(i, "", "\t")
	if err != nil {
		return err
	}
	return wholefile.Replace(filepath.Join(dir, nodeName), append(b, '\n'), 0o600)
}

// destination is Destination parsed.
func (i Info) destination() (i2p.Destination, error) {
	dest, err := i2p.ParseDestinationBase64(i.Destination)
	if err != nil {
		return dest, fmt.Errorf("%s: Destination: %w", nodeName, err)
	}
	return dest, nil
}

// identity is what the node's certificate must say.
func (i Info) identity() pki.Identity {
	return pki.Identity{Cluster: i.Cluster, Role: pki.Role(i.Role), Name: i.Name}
}

// newDir makes a directory for a new node, and refuses one that is another's, or
// that cannot be written to: an invitation would be lost on it.
func newDir(dir string) error {
	if dir == "" {
		return fmt.Errorf("no directory (Dir): %w", ErrInvalid)
	}
	if info, err := ReadInfo(dir); err == nil {
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
