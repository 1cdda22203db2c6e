package onelease

import (
	"cmp"
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/frontend/guest"
	"github.com/onelease/onelease/i2p/i2cp"
)

// A site is a router of a Hosting.
type site struct {
	Router

	guests *guest.Client // where its frontends run in another process; else nil

	// Of one in this process: see run.
	client     atomic.Pointer[i2cp.Client] // nil while the router is away
	quirkKnown chan struct{}
	quirk      frontend.Quirk

	load int // places of Destinations; guarded by Hosting.mu
}

// An outpost is a router's frontend for one Destination.
type outpost interface {
	// Run serves until ctx ends.
	Run(ctx context.Context) error
	// DialSAM attaches a backend.
	DialSAM(ctx context.Context) (net.Conn, error)
	// Status is a snapshot.
	Status() frontend.Status
}

// open makes the frontend of a Destination, which does nothing until Run. cfg has
// its roles and the way to its balancer, lead, in this process.
func (s *site) open(cfg frontend.Config, lead *lead) (outpost, error) {
	if s.guests == nil {
		cfg.Quirk = s.awaitQuirk
		return frontend.New(cfg)
	}
	return s.guests.NewGuest(guest.Config{
		Member: cfg.Member, Publisher: cfg.Publisher, Refused: cfg.Refused, Control: lead.take,
	}), nil
}

// away is 1 if the site is known to be of no use now.
func (s *site) away() int {
	if s.guests != nil {
		return count(!s.guests.Connected())
	}
	return count(s.client.Load() == nil)
}

// A place is what a Destination has at a site.
type place struct {
	site              *site
	member, publisher bool
	outpost           outpost // nil until it is started
}

// maxPublishers is how many routers publish a Destination: one more than must.
const maxPublishers = 2

// choose gives a Destination its places, and counts them: so many members at
// most, those that can be reached and have least to do first, and the publishers, which open no session
// until somebody is to find it. Routers that are no members publish, or members that
// this Destination has no use for. Only where there are none do its members
// publish: that costs stickiness, and they do so from the start.
func choose(sites []*site, members int, unpublished bool) (serve, publish []*place) {
	sites = slices.Clone(sites)
	rand.Shuffle(len(sites), func(i, j int) { sites[i], sites[j] = sites[j], sites[i] })
	slices.SortStableFunc(sites, func(a, b *site) int {
		return cmp.Or(a.away()-b.away(), count(a.Member && a.Publisher)-count(b.Member && b.Publisher), a.load-b.load)
	})
	for _, s := range sites {
		switch {
		case s.Member && len(serve) < members:
			serve = append(serve, &place{site: s, member: true})
		case s.Publisher && !unpublished && len(publish) < maxPublishers:
			publish = append(publish, &place{site: s, publisher: true})
		default:
			continue
		}
		s.load++
	}
	if len(publish) == 0 && !unpublished {
		for _, p := range serve {
			p.publisher = p.site.Publisher
		}
	}
	return serve, publish
}

var (
	_ outpost = (*frontend.Frontend)(nil)
	_ outpost = (*guest.Guest)(nil)
)
