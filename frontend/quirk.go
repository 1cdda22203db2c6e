package frontend

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"

	"github.com/onelease/onelease/i2p"
)

// FindQuirk finds out how a router reads i2cp.dontPublishLeaseSet, as a Frontend does
// that is told Auto, for many frontends of one router: see Config.Quirk. It waits
// for a router that is away, and takes Normal if the test tells nothing; that is logged. It
// returns Auto if ctx ends first.
func FindQuirk(ctx context.Context, router RouterConfig, options i2p.Mapping, log *slog.Logger) Quirk {
	p := &prober{&router, options, log}
	quirk, _ := p.learn(ctx, func(error) {})
	return quirk
}

// TestNetDB tests once how a router reads i2cp.dontPublishLeaseSet, for who wants to tell a
// person, and then which of dests the netDB has. It takes until the router has built tunnels
// and up to 90 s. The errors are ErrProbeSession, ErrProbeTunnels and ErrProbeNetDB, and the
// Quirk is Auto then; if ctx ends first, they say how far it came.
//
// The dests are looked up by a session that has just found another Destination there, so that
// it means something if they are not. Those that could not be looked up are not in the map.
func TestNetDB(ctx context.Context, router RouterConfig, options i2p.Mapping, log *slog.Logger, dests ...i2p.Hash) (Quirk, map[i2p.Hash]bool, error) {
	p := &prober{&router, options, log}
	result, err := p.selfTest(ctx, dests, func(error) {})
	if err != nil {
		return Auto, nil, err
	}
	return result.quirk(), result.found, nil
}

func (f finding) quirk() Quirk {
	if f.inverted {
		return Inverted
	}
	return Normal
}

// learnQuirk finds out how the router reads i2cp.dontPublishLeaseSet, or is told.
func (f *Frontend) learnQuirk(ctx context.Context) {
	quirk, probed := Auto, true
	if f.cfg.Quirk != nil {
		f.setRouterError(errAwaitQuirk)
		quirk = f.cfg.Quirk(ctx)
	} else {
		f.probeOne.Lock()
		defer f.probeOne.Unlock()
		quirk, probed = f.prober().learn(ctx, f.setRouterError)
	}
	if quirk == Auto {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.quirk, f.probed = quirk, probed
}

var errAwaitQuirk = errors.New("finding out how the router reads i2cp.dontPublishLeaseSet")

// learn tests the router until the test says something. failed is told why it does not yet.
func (p *prober) learn(ctx context.Context, failed func(error)) (quirk Quirk, probed bool) {
	p.log.Info("finding out how the router reads i2cp.dontPublishLeaseSet")
	for ctx.Err() == nil {
		result, err := p.selfTest(ctx, nil, failed)
		switch {
		case ctx.Err() != nil:
		case err == nil:
			quirk = result.quirk()
			p.log.Info("the router was tested", "dontPublishLeaseSet", quirk)
			return quirk, true
		case !errors.Is(err, ErrProbeSession):
			p.log.Warn("could not find out how the router reads i2cp.dontPublishLeaseSet: taking \"normal\"; "+
				"for i2pd 2.58 set DontPublish to \"inverted\"", "err", err)
			return Normal, false
		default:
			p.log.Warn("the router cannot be tested yet", "err", err)
			sleep(ctx, maxRetry/2+rand.N(maxRetry/2))
		}
	}
	return Auto, false
}
