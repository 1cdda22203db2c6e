package balancer

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/raftstate/ledger"
)

// maxDelegationLife bounds Policy.DelegationLife: what is permitted cannot be
// taken back before it ends.
const maxDelegationLife = 30 * 24 * time.Hour

// Delegate gives a backend the right to sign as the Destination for a while, by
// an offline signature of its transient key; or the key itself where the policy
// allows it. What is given is committed first, like a LeaseSet.
func (c control) Delegate(ctx context.Context, r *controlpb.DelegateRequest) (*controlpb.DelegateReply, error) {
	b := c.balancer
	if v := r.GetVersion(); v != controlVersion {
		return nil, status.Errorf(codes.FailedPrecondition, "control protocol version %d, this balancer speaks %d", v, controlVersion)
	}
	if err := b.authorize(ctx, RoleBackend, r.GetName()); err != nil {
		return nil, err
	}
	if leader, ok := b.awaitOffice(ctx, ""); !ok {
		return &controlpb.DelegateReply{Redirect: &controlpb.Redirect{Leader: leader.Addr}}, nil
	}
	if r.GetHandOver() {
		return b.handOver(r.GetName())
	}
	return b.delegate(ctx, r)
}

func (b *Balancer) delegate(ctx context.Context, r *controlpb.DelegateRequest) (*controlpb.DelegateReply, error) {
	if b.cfg.Keys.Offline != nil {
		return nil, status.Error(codes.FailedPrecondition, "the balancers hold a transient key of the Destination, which cannot permit another: give them the Destination's own")
	}
	if t := r.GetSigType(); t != uint32(i2p.SigEd25519) {
		return nil, status.Errorf(codes.InvalidArgument, "transient key of type %d, want %v", t, i2p.SigEd25519)
	}
	key := i2p.SigningPublicKey{Type: i2p.SigEd25519, Key: r.GetTransientKey()}
	b.mu.Lock()
	expires := b.wallLocked(b.cfg.Now()).Add(b.policy.DelegationLife)
	b.mu.Unlock()
	command := ledger.Delegate(b.hash, ledger.Delegation{
		Backend: r.GetName(), Key: key.Key, SigType: uint16(key.Type), Expires: uint32(expires.Unix()),
	})
	if _, err := b.cfg.Store.Apply(ctx, command); err != nil {
		return nil, status.Errorf(delegateRefusal(err), "permission for backend %.80q not recorded: %v", r.GetName(), err)
	}
	offline, err := i2p.SignOffline(b.cfg.Keys, key, expires)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "transient key of backend %s: %v", r.GetName(), err)
	}
	b.log.Info("backend may sign", "backend", r.GetName(), "until", offline.Expires)
	return &controlpb.DelegateReply{Destination: b.cfg.Keys.Destination.Bytes(), OfflineSignature: offline.AppendTo(nil)}, nil
}

// delegateRefusal is refusal, but for what the cluster may be able to do later.
func delegateRefusal(err error) codes.Code {
	if errors.Is(err, ledger.ErrVersion) {
		return codes.Unavailable
	}
	return refusal(err)
}

func (b *Balancer) handOver(backend string) (*controlpb.DelegateReply, error) {
	b.mu.Lock()
	allowed := b.policy.HandOverKeys
	b.mu.Unlock()
	if !allowed {
		return nil, status.Errorf(codes.PermissionDenied,
			"backend %s asks for the Destination's own key, which the policy does not allow: let it use a transient key, or set hand_over_keys", backend)
	}
	b.log.Warn("the Destination's own key was handed to a backend", "backend", backend)
	return &controlpb.DelegateReply{Destination: b.cfg.Keys.Destination.Bytes(), PrivateKeys: b.cfg.Keys.Bytes()}, nil
}
