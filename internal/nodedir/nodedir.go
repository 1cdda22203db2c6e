// Package nodedir says whose a node's directory is: the file node.json, which
// "onelease cluster init" and "onelease cluster join" write beside the node's
// certificate (package pki). It needs nothing of a balancer, so that a program
// can take part in a cluster and link no raft.
package nodedir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/internal/wholefile"
)

// FileName is that of the file.
const FileName = "node.json"

// ErrInvalid says that the file is not what Write has written.
var ErrInvalid = errors.New("invalid")

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

// Read reads a node's directory. The errors are ErrInvalid and those of the file
// system.
func Read(dir string) (Info, error) {
	var info Info
	path := filepath.Join(dir, FileName)
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

// Write completes a new directory.
func (i Info) Write(dir string) error {
	b, err := json.MarshalIndent(i, "", "\t")
	if err != nil {
		return err
	}
	return wholefile.Replace(filepath.Join(dir, FileName), append(b, '\n'), 0o600)
}

// ParseDestination is Destination parsed.
func (i Info) ParseDestination() (i2p.Destination, error) {
	dest, err := i2p.ParseDestinationBase64(i.Destination)
	if err != nil {
		return dest, fmt.Errorf("%s: Destination: %w", FileName, err)
	}
	return dest, nil
}

// Identity is what the node's certificate must say.
func (i Info) Identity() pki.Identity {
	return pki.Identity{Cluster: i.Cluster, Role: pki.Role(i.Role), Name: i.Name}
}
