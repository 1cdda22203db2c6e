package cluster

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/onelease/onelease/balancer/keystore"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/nodedir"
	"github.com/onelease/onelease/internal/pki"
)

// An InitConfig is what a cluster begins with.
type InitConfig struct {
	// Dir is made, or empty.
	Dir string
	// ID names the first balancer: 1 to 64 of a-z 0-9 . - _
	ID string
	// Address is where the others reach it, host:port.
	Address string
	// Keys are the Destination's, with its own signing key.
	Keys *i2p.Keys
	// Secret seals them in Dir. Nil: they are not written anywhere, and each
	// balancer is unlocked by hand after each start. The CA's key is sealed by them
	// in either case.
	Secret *keystore.Secret
	// Expect is how many voters there must be before any leads; 0: one.
	Expect int
}

// Init makes a new cluster: its CA, and the directory of its first balancer. The
// errors are ErrInvalid, ErrExists and those of the file system.
func Init(c InitConfig) error {
	id := pki.Identity{Cluster: pki.NewCluster(), Role: pki.Balancer, Name: c.ID}
	if err := c.check(id); err != nil {
		return err
	}
	if err := newDir(c.Dir); err != nil {
		return err
	}
	if err := c.makeCA(id); err != nil {
		return fmt.Errorf("make the cluster's certificates: %w", err)
	}
	if c.Secret != nil {
		if err := keystore.Create(filepath.Join(c.Dir, keysName), c.Keys, c.Secret); err != nil {
			return err
		}
	}
	return nodedir.Info{
		Cluster: id.Cluster, Role: string(id.Role), Name: id.Name, Destination: c.Keys.Destination.Base64(),
		Address: c.Address, Voter: true, First: true, Expect: c.Expect,
	}.Write(c.Dir)
}

// Check says why Init would refuse c, whatever is in Dir. The error is ErrInvalid.
func (c InitConfig) Check() error {
	return c.check(pki.Identity{Cluster: pki.NewCluster(), Role: pki.Balancer, Name: c.ID})
}

// errTransient: from other signing keys than the Destination's own, other key
// epochs would follow.
var errTransient = errors.New("the keys are transient ones, which cannot permit backends to sign: give the Destination's own")

func (c *InitConfig) check(id pki.Identity) error {
	if err := id.Validate(); err != nil {
		return fmt.Errorf("name of the balancer: %w: %w", err, ErrInvalid)
	}
	if err := checkAddress(c.Address); err != nil {
		return err
	}
	switch {
	case c.Keys == nil:
		return fmt.Errorf("no keys of a Destination: %w", ErrInvalid)
	case c.Keys.Offline != nil:
		return fmt.Errorf("%w: %w", errTransient, ErrInvalid)
	case c.Keys.SigType() != i2p.SigEd25519:
		return fmt.Errorf("keys of type %v: only Ed25519 Destinations can be served: %w", c.Keys.SigType(), ErrInvalid)
	case c.Expect < 0 || c.Expect > 9:
		return fmt.Errorf("%d balancers expected: want 1 to 9, an odd number: %w", c.Expect, ErrInvalid)
	}
	return nil
}

func (c *InitConfig) makeCA(id pki.Identity) error {
	ca, err := pki.NewCA(id.Cluster)
	if err != nil {
		return err
	}
	key, err := pki.NewKey()
	if err != nil {
		return err
	}
	cert, err := ca.Issue(id, key.Public(), pki.DefaultLife, time.Now())
	if err != nil {
		return err
	}
	creds, err := pki.NewCredentials(key, cert, ca.CertPEM())
	if err != nil {
		return err
	}
	seal, err := sealOf(c.Keys)
	if err != nil {
		return err
	}
	return errors.Join(ca.SaveSealed(c.Dir, seal), creds.Save(c.Dir))
}
