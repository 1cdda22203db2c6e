package balancer

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
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
	options := b.policy.options(b.cfg.Session, f.member, f.publisher, f.inverted)
	maps.Copy(options, i2cp.OfflineOptions(b.cfg.Keys.Offline))
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

// options are the I2CP options of a session: the Policy's, wanted in their place,
// and above all those that the scheme needs. The router's netDB must not get
// a member's LeaseSet; which value says so differs between router versions.
func (p Policy) options(wanted i2p.Mapping, member, publisher, inverted bool) i2p.Mapping {
	options := i2p.Mapping{}
	for _, direction := range []string{"inbound", "outbound"} {
		options[direction+".quantity"] = strconv.Itoa(p.Tunnels)
		options[direction+".length"] = strconv.Itoa(max(0, p.Hops))
	}
	maps.Copy(options, wanted)
	if !member {
		publisherOnly(options)
	}
	maps.Copy(options, i2cp.SessionOptions())
	options["i2cp.dontPublishLeaseSet"] = strconv.FormatBool(publisher == inverted)
	return options
}

// publisherOnly has a session carry nothing but its own publishing. With one tunnel
// each way i2pd may never publish: it tries when an inbound one is built, and
// gives up if there is no outbound one yet.
func publisherOnly(options i2p.Mapping) {
	for key := range options {
		if strings.HasSuffix(key, ".backupQuantity") {
			delete(options, key)
		}
	}
	options["inbound.quantity"], options["outbound.quantity"] = "2", "2"
}
