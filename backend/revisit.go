package backend

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// A visitor loads a page, reads it, and loads the next. Its router keeps the
// session with the member that answered, and begins another only if it heard
// nothing for 90 s *and* the session is over 120 s old (i2pd
// ECIESX25519AEADRatchetSession.h, IsInactive, CanBeRestarted). If the member's
// own LeaseSet, which is as new as what it heard last, has run out by then, it
// gets all members' leases from the netDB, sends to one that cannot read the
// session, and waits for half a minute.
//
// LeaseSets outlive the 90 s, but not the 120 s of who was silent from the first
// seconds on. One ping closes that gap. It is sent when the session is revisitAge
// old, to who has fallen silent: it brings the member's newest LeaseSet, and counts
// as heard. Where there is a refuge LeaseSets do not outlive the 90 s, and the
// pings go on for revisitFor.

const (
	// revisitAge is how old a session must be for its 90 s of silence to end
	// after its 120 s, and some for a slow first answer.
	revisitAge = 45 * time.Second
	// revisitHeard is how old it must have been when the remote was last heard
	// for no ping to be needed: own LeaseSets are renewed every 10 s.
	revisitHeard = 40 * time.Second
	// revisitFor is how long a silent remote is pinged where one ping is not enough.
	revisitFor = 5 * time.Minute
	// revisitPace is how often it is looked for those that are due.
	revisitPace = time.Second
)

// A visit is a remote that came to a link, and is looked at revisitAge after since.
type visit struct {
	remote      *remote
	came, since time.Time
}

// visitLocked has r, which is with its link since it came, looked at later.
func (h *Host) visitLocked(r *remote, now time.Time) {
	if len(h.visits) < h.cfg.MaxRemotes {
		h.visits = append(h.visits, visit{r, r.came, now})
	}
}

// tendVisits pings those that fell silent, until ctx ends.
func (h *Host) tendVisits(ctx context.Context) {
	ticker := time.NewTicker(revisitPace)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			h.revisit(now)
		}
	}
}

// revisit pings those that are due: at most as many as hellos may go out in that
// time, so that a crowd that came together does not hold hellos up.
func (h *Host) revisit(now time.Time) {
	for range max(1, int(revisitPace/h.rescues.every)) {
		client, to, due := h.nextVisit(now)
		if !due {
			return
		}
		if err := h.ping(client, to); err != nil {
			h.log.Debug("cannot ping a silent remote", "error", err)
		}
	}
}

// nextVisit takes visits that are due off the list, up to one whose remote has
// fallen silent.
func (h *Host) nextVisit(now time.Time) (client *sam.PacketClient, to i2p.Destination, due bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.visits) > 0 && now.Sub(h.visits[0].since) >= revisitAge {
		v := h.visits[0]
		h.visits = h.visits[1:]
		r := v.remote
		if r.came != v.came || r.link == nil || r.rescue != nil || r.sender == nil || h.remotes.byHash[r.hash] != r {
			continue
		}
		if h.refugeLocked() && now.Sub(r.heard) < revisitFor {
			h.visitLocked(r, now)
		}
		if client = r.link.live.Load(); client != nil && r.heard.Sub(v.since) < revisitHeard {
			return client, r.sender.Destination, true
		}
	}
	return nil, to, false
}

// refugeLocked reports whether there is a refuge.
func (h *Host) refugeLocked() bool {
	return slices.ContainsFunc(h.links, func(l *link) bool { return l.refuge })
}

// ping sends a ping whose pong nobody waits for: one without a payload, which no
// hello is.
func (h *Host) ping(client *sam.PacketClient, to i2p.Destination) error {
	origin, err := h.self.Load().origin()
	if err != nil {
		return err
	}
	packet, err := streaming.AppendPing(nil, origin, cmp.Or(h.newID(), 1), nil)
	if err != nil {
		return err
	}
	return client.Send(sam.Packet{Peer: to, Protocol: HelloProtocol, Data: packet})
}
