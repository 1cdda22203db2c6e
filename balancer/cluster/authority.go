package cluster

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/balancer/keystore"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/pki"
)

// Every balancer is a CA, and its key on the disk is sealed by the Destination's: so who
// has the directory and not what opens those keys can let nobody in. A balancer that is
// locked has no CA either, with keys that are stored as with keys that are not.

// sealInfo separates the seal of the CA's key from every other use of a signing key.
const sealInfo = "onelease: seal of the cluster's CA key, version 1"

// sealOf is what the CA's key is sealed with: HKDF-SHA256 over the Destination's private
// signing key, with the Destination's hash as salt and sealInfo as info.
func sealOf(keys *i2p.Keys) (seal pki.Seal, err error) {
	salt := keys.Destination.Hash()
	key, err := hkdf.Key(sha256.New, keys.Signing, salt[:], sealInfo, len(seal))
	if err != nil {
		return seal, fmt.Errorf("derive the seal of the CA's key: %w", err)
	}
	defer clear(key)
	copy(seal[:], key)
	return seal, nil
}

// findCA looks whether there is a CA, and reads one that an earlier version has left open.
func (n *Node) findCA() error {
	if !pki.HasOpen(n.cfg.Dir) {
		if !pki.HasSealed(n.cfg.Dir) {
			return fmt.Errorf("%s has no ca.key.sealed: restore it and ca.crt from one backup, or take another balancer's: %w", n.cfg.Dir, fs.ErrNotExist)
		}
		return nil
	}
	ca, err := pki.LoadOpen(n.cfg.Dir)
	if err != nil {
		return err
	}
	n.ca.Store(ca)
	if n.cfg.Secret == nil {
		n.cfg.Logger.Warn("the CA's key, ca.key, is not sealed: it will be when the balancer has the Destination's keys, from its passphrase or \"onelease cluster unlock\"")
	}
	return nil
}

// openCA opens the CA's key with the Destination's, or seals the one that is open. That
// may have been put there since Start, so it is read again.
func (n *Node) openCA(keys *i2p.Keys) error {
	seal, err := sealOf(keys)
	if err != nil {
		return err
	}
	if !pki.HasOpen(n.cfg.Dir) {
		ca, err := pki.LoadSealed(n.cfg.Dir, seal)
		if err == nil {
			n.ca.Store(ca)
		}
		return err
	}
	ca, err := pki.LoadOpen(n.cfg.Dir)
	if err != nil {
		return err
	}
	n.ca.Store(ca)
	if err := ca.SealFiles(n.cfg.Dir, seal); err != nil {
		n.cfg.Logger.Error("the CA's key stays open, in ca.key", "error", err)
		return nil // the balancer can do its work
	}
	n.cfg.Logger.Warn("the CA's key is sealed now, and ca.key removed: remove it from backups of the directory too, since it is good for ever there")
	return nil
}

// authority is the CA, for who has asked for what takes one.
func (n *Node) authority() (*pki.CA, error) {
	if ca := n.ca.Load(); ca != nil {
		return ca, nil
	}
	return nil, status.Errorf(codes.FailedPrecondition,
		"balancer %s is locked, and can make no tokens and certificates: unlock it with \"onelease cluster unlock\", or start it with its passphrase", n.info.Name)
}

// share gives a new balancer what makes it one, all of it sealed.
func (n *Node) share(reply *clusterpb.JoinReply) error {
	ca, err := n.authority()
	if err != nil {
		return err
	}
	keys, ok := n.memory.Keys()
	if !ok {
		return status.Errorf(codes.FailedPrecondition, "balancer %s is locked, and cannot seal the CA's key for another: unlock it with \"onelease cluster unlock\"", n.info.Name)
	}
	seal, err := sealOf(keys)
	if err == nil {
		reply.Authority, err = ca.MarshalSealed(seal)
	}
	if err == nil {
		reply.SealedKeys, err = keystore.ReadSealed(filepath.Join(n.cfg.Dir, keysName))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // then the keys are held in memory only
		return status.Error(codes.Internal, err.Error())
	}
	return nil
}
