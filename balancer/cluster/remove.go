package cluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/raftstate"
	"github.com/onelease/onelease/raftstate/ledger"
)

// errUnknownBackend: the cluster has given it no permission.
var errUnknownBackend = fmt.Errorf("no backend of that name has asked for a permission: force it if it has a certificate: %w", ledger.ErrInvalid)

// shutOut refuses all certificates that the node has now, and closes its
// connections.
func (n *Node) shutOut(ctx context.Context, role pki.Role, name string) error {
	id := pki.Identity{Cluster: n.info.Cluster, Role: role, Name: name}
	if err := id.Validate(); err != nil {
		return fmt.Errorf("%w: %w", err, ledger.ErrInvalid)
	}
	if err := n.mark(ctx, id); err != nil {
		return err
	}
	n.port.expel(n.refuses)
	return nil
}

// removeBalancer marks the balancer first: a leader that removes itself cannot
// do so afterwards. The mark does nothing while it is a member.
func (n *Node) removeBalancer(ctx context.Context, name string, force bool) error {
	if !n.isMember(name) {
		return fmt.Errorf("remove balancer %.80q: %w", name, raftstate.ErrUnknownMember)
	}
	err := n.shutOut(ctx, pki.Balancer, name)
	if errors.Is(err, ledger.ErrVersion) { // while the cluster is upgraded
		n.cfg.Logger.Warn("the removed balancer's certificate stays good until all run this version", "name", name)
		err = nil
	}
	if err != nil {
		return err
	}
	remove := n.store.Remove
	if force {
		remove = n.store.ForceRemove
	}
	return remove(ctx, name) // its connections end with the next patrol: it may be who asks
}

// removeFrontend forgets a frontend, or one that has never attached if forced.
func (n *Node) removeFrontend(ctx context.Context, name string, force bool) error {
	if _, known := n.store.State().Frontends[name]; !known && !force {
		return fmt.Errorf("remove frontend %.80q: %w; force it if it has a certificate", name, ledger.ErrUnknownFrontend)
	}
	if err := n.shutOut(ctx, pki.Frontend, name); err != nil {
		return err
	}
	_, err := n.store.Apply(ctx, ledger.RemoveFrontend(name))
	if errors.Is(err, ledger.ErrUnknownFrontend) {
		return nil
	}
	return err
}

// removeBackend forgets a backend. What it was permitted to sign with is good
// until it ends: nobody can take that back.
func (n *Node) removeBackend(ctx context.Context, name string, force bool) error {
	if _, known := n.store.State().Destination(n.dest.Hash()).Delegations[name]; !known && !force {
		return errUnknownBackend
	}
	if err := n.shutOut(ctx, pki.Backend, name); err != nil {
		return err
	}
	_, err := n.store.Apply(ctx, ledger.RemoveDelegation(n.dest.Hash(), name))
	return err
}
