package balancer

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p/i2cp"
)

// hearSessionRequest answers with a signed session configuration. A router
// that only publishes gets it when the members are ready, or the first has been
// for Policy.HeadStart: earlier it would ask for a LeaseSet that does not exist
// yet, or not whole, and it closes the session after 10 s without.
func (b *Balancer) hearSessionRequest(f *frontend, request *controlpb.SessionRequest) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	f.inverted, f.wantsSession = request.GetDontPublishInverted(), true
	if f.member {
		return b.sendSessionLocked(f)
	}
	b.kick()
	return nil
}

// startPublishersLocked answers the publishers that wait for a session, if it
// is time for that, and else returns when it will be.
func (b *Balancer) startPublishersLocked(now time.Time) (next time.Time) {
	start := b.firstPool.Add(b.policy.HeadStart)
	if b.firstPool.IsZero() {
		return now.Add(far)
	}
	if !b.readyLocked() && now.Before(start) {
		return start
	}
	for _, f := range b.frontends {
		if f.publisher && f.wantsSession && f.attached {
			if err := b.sendSessionLocked(f); err != nil {
				b.log.Error("session not signed", "frontend", f.name, "error", err)
			}
		}
	}
	return now.Add(far)
}

func (b *Balancer) sendSessionLocked(f *frontend) error {
	options := b.policy.options(f.member, f.publisher, f.inverted)
	config, err := i2cp.BuildSessionConfig(b.cfg.Keys, b.cfg.Keys.Destination, options, b.wallLocked(b.cfg.Now()))
	if err != nil {
		return status.Errorf(codes.Internal, "session of %s: %v", f.name, err)
	}
	f.wantsSession = false
	f.sendLocked(&controlpb.BalancerMessage{Kind: &controlpb.BalancerMessage_Session{
		Session: &controlpb.Session{Config: config},
	}})
	return nil
}
