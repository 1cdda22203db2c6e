package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/cluster/clusterpb"
	"github.com/onelease/onelease/internal/pki"
	"github.com/onelease/onelease/raftstate/ledger"
)

const (
	// joinVersion is the version of Join, in which a proof shows who has the token. That
	// before, from when tokens were shown themselves, is taken from older programs.
	joinVersion, olderJoin = 2, 1
	// inviteLife is how long an invitation is good if nothing else is asked,
	// and maxInviteLife the longest: it is a password that lies about.
	inviteLife    = time.Hour
	maxInviteLife = 7 * 24 * time.Hour
	// maxClockOff is how far a joining node's clock may be off: floodfills
	// refuse a LeaseSet of two minutes ahead.
	maxClockOff = time.Minute
)

// Invite implements clusterpb.ClusterServer.
func (s service) Invite(ctx context.Context, r *clusterpb.InviteRequest) (*clusterpb.InviteReply, error) {
	n := s.node
	if err := n.needLeader(ctx); err != nil {
		return nil, err
	}
	life := time.Duration(r.GetLifeMs()) * time.Millisecond
	if life == 0 {
		life = inviteLife
	}
	if life < time.Second || life > maxInviteLife {
		return nil, status.Errorf(codes.InvalidArgument, "an invitation for %v: want 1s to %v", life, maxInviteLife)
	}
	id := pki.Identity{Cluster: n.info.Cluster, Role: pki.Role(r.GetRole()), Name: r.GetName()}
	if err := n.checkFree(id); err != nil {
		return nil, err
	}
	ca, err := n.authority()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	token, err := ca.NewToken(id, n.addresses(), now.Add(life))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	_, err = n.store.Apply(ctx, ledger.PutInvite(ledger.Invite{
		ID: token.Invite, SecretDigest: token.Digest(), Role: ledgerRole(id.Role), Name: r.GetName(),
		Voter: !r.GetNonVoter(), Expires: uint32(token.Expires.Unix()),
	}, now))
	if err != nil {
		return nil, told(err)
	}
	n.cfg.Logger.Info("invitation made", "role", r.GetRole(), "name", r.GetName(), "expires", token.Expires)
	return &clusterpb.InviteReply{Token: token.Text(), ExpiresMs: token.Expires.UnixMilli()}, nil
}

// addresses are those of all balancers, this one's first.
func (n *Node) addresses() []string {
	addrs := []string{n.info.Address}
	members, _ := n.store.Members()
	for _, m := range members {
		if !m.Self {
			addrs = append(addrs, m.Addr)
		}
	}
	return addrs
}

// Join implements clusterpb.ClusterServer. The certificate is made first and
// the invitation used up last, so that a request with a mistake in it does not
// cost it.
func (s service) Join(ctx context.Context, r *clusterpb.JoinRequest) (*clusterpb.JoinReply, error) {
	n := s.node
	if v := r.GetVersion(); v != joinVersion && v != olderJoin {
		return nil, status.Errorf(codes.FailedPrecondition, "join of version %d, this balancer speaks %d: upgrade it", v, joinVersion)
	}
	if err := n.needLeader(ctx); err != nil {
		return nil, err
	}
	ca, err := n.authority()
	if err != nil {
		return nil, err
	}
	invite, id, err := n.checkInvite(ca, r)
	if err != nil {
		return nil, err
	}
	if err := n.checkFree(id); err != nil {
		return nil, err
	}
	if err := n.pastMark(ctx, id); err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	cert, err := ca.Sign(r.GetRequest(), id, pki.DefaultLife)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "certificate request: %v", err)
	}
	reply := &clusterpb.JoinReply{Certificates: cert, Cluster: n.info.Cluster, Destination: n.dest.Bytes(), Voter: invite.Voter}
	if id.Role == pki.Balancer {
		if err := n.share(reply); err != nil {
			return nil, err
		}
	}
	if _, err := n.store.Apply(ctx, ledger.UseInvite(invite.ID, time.Now())); err != nil {
		return nil, inviteError(err)
	}
	n.cfg.Logger.Info("certificate issued", "role", id.Role, "name", id.Name)
	return reply, nil
}

// checkInvite looks the invitation up, and for whom its secret was made: an invitation
// in the state is good only with a secret that the CA has made. Whether it was wrong in
// the ID or in the secret is not told.
func (n *Node) checkInvite(ca *pki.CA, r *clusterpb.JoinRequest) (invite ledger.Invite, id pki.Identity, err error) {
	invite, ok := n.store.State().Invites[r.GetInvite()]
	if !ok || isMark(invite.ID) {
		return invite, id, inviteError(ledger.ErrUnknownInvite)
	}
	roles := []pki.Role{pki.Role(invite.Role)}
	if invite.Role == ledger.RoleBackend {
		roles = append(roles, pki.Guest)
	}
	at := slices.IndexFunc(roles, func(role pki.Role) bool {
		id = pki.Identity{Cluster: n.info.Cluster, Role: role, Name: invite.Name}
		return redeems(ca, r, id, invite)
	})
	if at < 0 {
		return invite, id, inviteError(ledger.ErrUnknownInvite)
	}
	if off := time.Until(time.UnixMilli(r.GetClockMs())); off.Abs() > maxClockOff {
		return invite, id, status.Errorf(codes.FailedPrecondition,
			"the joining machine's clock is off by %v, and LeaseSets bear no more than %v: set it by NTP and use the same token again", off.Round(time.Second), maxClockOff)
	}
	return invite, id, nil
}

// redeems reports whether the request shows the secret of the invitation, if that is for id.
func redeems(ca *pki.CA, r *clusterpb.JoinRequest, id pki.Identity, invite ledger.Invite) bool {
	expires := time.Unix(int64(invite.Expires), 0)
	if r.GetVersion() == olderJoin {
		return ca.Redeems(r.GetSecret(), invite.ID, id, expires)
	}
	return ca.RedeemsProof(r.GetSecret(), r.GetRequest(), invite.ID, id, expires)
}

// ledgerRole is what the replicated state, whose format is older than guests, calls a
// role: their invitations and marks are a backend's there. Which of the two is meant is
// in the secret of an invitation, and in the name of a mark.
func ledgerRole(role pki.Role) string {
	if role == pki.Guest {
		return ledger.RoleBackend
	}
	return string(role)
}

func inviteError(err error) error {
	switch {
	case errors.Is(err, ledger.ErrUnknownInvite):
		return status.Error(codes.PermissionDenied, "the token is not known or was used: make another with \"onelease cluster invite\"")
	case errors.Is(err, ledger.ErrInviteExpired):
		return status.Error(codes.PermissionDenied, "the token has expired: make another with \"onelease cluster invite\"")
	}
	return told(err)
}

// checkFree refuses the name of a balancer that there is. Others may join
// again, from another machine.
func (n *Node) checkFree(id pki.Identity) error {
	members, _ := n.store.Members()
	for _, m := range members {
		if id.Role == pki.Balancer && m.ID == id.Name {
			return status.Errorf(codes.AlreadyExists, "there is a balancer %q already: choose another name, or remove that one first", id.Name)
		}
	}
	return nil
}

// Renew implements clusterpb.ClusterServer.
func (s service) Renew(ctx context.Context, r *clusterpb.RenewRequest) (*clusterpb.RenewReply, error) {
	id, _, _ := caller(ctx) // guard has looked
	ca, err := s.node.authority()
	if err != nil {
		return nil, err
	}
	cert, err := ca.Sign(r.GetRequest(), id, pki.DefaultLife)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "certificate request: %v", err)
	}
	return &clusterpb.RenewReply{Certificates: cert}, nil
}

// Enter implements clusterpb.ClusterServer.
func (s service) Enter(ctx context.Context, r *clusterpb.EnterRequest) (*clusterpb.EnterReply, error) {
	n := s.node
	if err := n.needLeader(ctx); err != nil {
		return nil, err
	}
	id, _, _ := caller(ctx)
	if err := checkAddress(r.GetAddress()); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if err := n.store.AddMember(ctx, id.Name, r.GetAddress(), r.GetVoter()); err != nil {
		return nil, told(fmt.Errorf("balancer %s is not a member yet: %w", id.Name, err))
	}
	n.cfg.Logger.Info("balancer added", "name", id.Name, "address", r.GetAddress(), "voter", r.GetVoter())
	return &clusterpb.EnterReply{}, nil
}
