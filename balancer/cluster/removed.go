package cluster

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/raftstate/ledger"
)

// A certificate is good for a year, and there is no list of them. So who is
// removed gets a mark in the replicated state, which refuses all certificates
// of that identity that were issued before it. It is kept for as long as such a
// certificate can last, in the form of an invitation that nobody can use. The
// node may join again: its new certificate is younger.
//
// A removed balancer that is hostile is another matter: it has had the CA's key and
// the Destination's. Only another CA, and another Destination, shut
// it out.

const markPrefix = "removed-"

// errRemoved is why a certificate is refused though it is good.
var errRemoved = errors.New("was removed from the cluster: it can join again with a new invitation")

func markID(id pki.Identity) string {
	sum := sha256.Sum256([]byte(id.String()))
	return markPrefix + hex.EncodeToString(sum[:16])
}

// isMark tells marks from invitations.
func isMark(invite string) bool { return strings.HasPrefix(invite, markPrefix) }

// markTime is until when certificates had to be issued to be refused.
func markTime(mark ledger.Invite) time.Time {
	return time.Unix(int64(mark.Expires), 0).Add(-pki.DefaultLife)
}

// mark refuses the certificates that id has. Those of a balancer are refused
// once it is no member any more.
func (n *Node) mark(ctx context.Context, id pki.Identity) error {
	now := time.Now()
	_, err := n.store.Apply(ctx, ledger.RemoveInvite(markID(id))) // an earlier one
	if err != nil && !errors.Is(err, ledger.ErrUnknownInvite) {
		return err
	}
	// Certificates are dated in whole seconds: the mark is of the next one.
	until := now.Truncate(time.Second).Add(time.Second + pki.DefaultLife)
	_, err = n.store.Apply(ctx, ledger.PutInvite(ledger.Invite{
		ID: markID(id), Role: ledgerRole(id.Role), Name: id.Name, Expires: uint32(until.Unix()),
	}, now))
	return err
}

// pastMark waits until a certificate that is issued is younger than id's mark,
// which takes a second at most where the balancers' clocks are right.
func (n *Node) pastMark(ctx context.Context, id pki.Identity) error {
	mark, ok := n.store.State().Invites[markID(id)]
	if !ok {
		return nil
	}
	wait := time.Until(markTime(mark))
	if wait > maxClockOff {
		return fmt.Errorf("by this balancer's clock %v is removed in %v only: set the balancers' clocks by NTP", id, wait.Round(time.Second))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refuses says why the owner of a certificate is not, or no longer, one of the
// cluster.
func (n *Node) refuses(cert *x509.Certificate) error {
	id, err := pki.IdentityOf(cert)
	if err != nil {
		return err
	}
	if time.Now().After(cert.NotAfter) {
		return fmt.Errorf("the certificate of %s %q has expired: join again with a new invitation", id.Role, id.Name)
	}
	mark, marked := n.store.State().Invites[markID(id)]
	if !marked || !pki.IssuedAt(cert).Before(markTime(mark)) || id.Role == pki.Balancer && n.isMember(id.Name) {
		return nil
	}
	return fmt.Errorf("%s %q %w", id.Role, id.Name, errRemoved)
}

// isMember reports whether the balancer is a member, as far as this one knows.
func (n *Node) isMember(name string) bool {
	members, _ := n.store.Members()
	for _, m := range members {
		if m.ID == name {
			return true
		}
	}
	return false
}

// isFormed reports whether this balancer knows any members: not before it has
// become one.
func (n *Node) isFormed() bool {
	members, _ := n.store.Members()
	return len(members) > 0
}

// patrol closes connections whose owners were removed, or whose certificate has
// expired, since they were made.
func (n *Node) patrol() {
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			n.port.expel(n.refuses)
		case <-n.ctx.Done():
			return
		}
	}
}
