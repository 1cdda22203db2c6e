package onelease

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/i2p/i2cp"
)

const (
	// leastRest and longestRest bound the wait before a router is tried again.
	leastRest   = 500 * time.Millisecond
	longestRest = 5 * time.Second
)

// run keeps a connection without a session to a router of this process until ctx
// ends: it says whether the router is there, once for all Destinations, and answers
// lookups. Beside it the router's way with an option is found out, if that is to be.
func (s *site) run(ctx context.Context, log *slog.Logger) {
	log = log.With("router", s.Name)
	go s.findQuirk(ctx, log)
	defer func() { <-s.quirkKnown }()
	for rest := leastRest; ctx.Err() == nil; rest = min(2*rest, longestRest) {
		err := i2cp.Visit(ctx, s.i2cp(), func(ctx context.Context, c *i2cp.Client) error {
			rest = leastRest
			log.Info("the router is there")
			s.client.Store(c)
			defer s.client.Store(nil)
			<-ctx.Done()
			return ctx.Err()
		})
		if ctx.Err() != nil {
			return
		}
		if rest == leastRest {
			log.Warn("the router is lost: Destinations go on with their others", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(rest/2 + rand.N(rest)):
		}
	}
}

// findQuirk closes quirkKnown when quirk is known, or ctx has ended.
func (s *site) findQuirk(ctx context.Context, log *slog.Logger) {
	defer close(s.quirkKnown)
	s.quirk = s.DontPublish
	if s.quirk == frontend.Auto {
		s.quirk = frontend.FindQuirk(ctx, s.Router.frontend().Router, nil, log)
	}
}

// awaitQuirk is for frontends.
func (s *site) awaitQuirk(ctx context.Context) frontend.Quirk {
	select {
	case <-s.quirkKnown:
		return s.quirk
	case <-ctx.Done():
		return frontend.Auto
	}
}

// i2cp is how to reach the router.
func (s *site) i2cp() i2cp.Config {
	return i2cp.Config{Addr: s.Addr, Dial: s.Dial, TLS: s.TLS, User: s.User, Password: s.Password}
}
