package onelease

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// nextLookup is how long a router has for a lookup until the next one is asked too.
const nextLookup = 3 * time.Second

// lookupTime is how long a lookup lasts whose context has no deadline: i2pd gives up
// after 12 s.
const lookupTime = 20 * time.Second

// Lookup resolves a b32 address, or a host name by the routers' address books, for
// who has no Destination. The routers are asked one after the other, in any order,
// until one knows: at once when one says no, after three seconds when it says
// nothing. The error is i2cp.ErrNotFound if one says so and none knows, else those
// of all routers, that of ctx, or net.ErrClosed.
func (h *Hosting) Lookup(ctx context.Context, name string) (i2p.Destination, error) {
	a := h.lookup(ctx, question{name: name})
	return a.dest, a.err
}

// LookupOptions is Lookup, and returns the options of the LeaseSet as well: nil,
// which is not the same as none, if the router does not tell them, as i2pd. The error
// is also i2cp.ErrNoLeaseSet, with the Destination if a router knows that.
func (h *Hosting) LookupOptions(ctx context.Context, name string) (i2p.Destination, i2p.Mapping, error) {
	a := h.lookup(ctx, question{name, true})
	return a.dest, a.options, a.err
}

// An answer is what a router knows.
type answer struct {
	dest    i2p.Destination
	options i2p.Mapping
	err     error
}

// A question is a name, and whether the options are wanted.
type question struct {
	name    string
	options bool
}

// ask asks the router that c is connected to.
func (q question) ask(ctx context.Context, c *i2cp.Client) (a answer) {
	if q.options {
		a.dest, a.options, a.err = c.LookupOptions(ctx, q.name)
	} else {
		a.dest, a.err = c.LookupName(ctx, q.name)
	}
	return a
}

// lookup asks the routers.
func (h *Hosting) lookup(ctx context.Context, q question) answer {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	defer context.AfterFunc(h.ctx, cancel)()
	answers, order := make(chan answer, len(h.sites)), rand.Perm(len(h.sites))
	next := time.NewTimer(0)
	defer next.Stop()
	var last answer // with a Destination, if there is one
	for failed := 0; failed < len(h.sites); {
		select {
		case <-next.C:
			if len(order) > 0 {
				s := h.sites[order[0]]
				order = order[1:]
				go func() { answers <- s.lookup(ctx, q) }()
				next.Reset(nextLookup)
			}
		case a := <-answers:
			if a.err == nil {
				return a
			}
			failed++
			a.err = errors.Join(last.err, a.err)
			if a.dest.IsZero() {
				a.dest = last.dest
			}
			last = a
			next.Reset(0)
		}
	}
	if h.ctx.Err() != nil {
		last.err = net.ErrClosed
	}
	return last
}

// lookup asks one router.
func (s *site) lookup(ctx context.Context, q question) (a answer) {
	if s.guests != nil {
		found, err := s.guests.Lookup(ctx, q.name, q.options)
		return answer{found.Destination, found.Options, err}
	}
	ask := func(ctx context.Context, c *i2cp.Client) error {
		a = q.ask(ctx, c)
		return a.err
	}
	var err error
	if c := s.client.Load(); c != nil {
		err = ask(ctx, c)
	} else {
		err = i2cp.Visit(ctx, s.i2cp(), ask)
	}
	if err != nil {
		a.err = fmt.Errorf("router %s: %w", s.Name, err)
	}
	return a
}
